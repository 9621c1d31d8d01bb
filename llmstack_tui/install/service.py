"""Says what can be installed on this machine, carries out a plan after a yes, and goes back if it fails."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Failure, said
from llmstack_tui.base.structs import replace
from llmstack_tui.install import folders
from llmstack_tui.install.folders import locked
from llmstack_tui.install.releases import releases
from llmstack_tui.install.rules.archive import archive_plan, removal_plan
from llmstack_tui.install.rules.releases import version_of
from llmstack_tui.install.rules.ways import plans
from llmstack_tui.install.steps import Steps, reasons
from llmstack_tui.install.types import InstallFailed, InstallOffer, InstallWay, OllamaRelease, Told

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from llmstack_tui.base.commands import RootCommand
    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.config.settings import InstallSettings
    from llmstack_tui.install.types import InstallPlan, Record, Starter, ThisMachine, Versions

    OnTold = Callable[[Told], None]
    AsRoot = Callable[[RootCommand], Awaitable[None]]


class InstallService:
    """Installations on this machine.

    Args:
        look: looks at the machine.
    """

    def __init__(
        self,
        settings: InstallSettings,
        environ: Mapping[str, str],
        hands: Starter,
        look: Callable[[], Awaitable[ThisMachine]],
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._hands = hands
        self._look = look

    async def offer(self, version: str = "") -> InstallOffer:
        """What can be done, for the newest version, the one that is held, or ``version``.

        Raises:
            InstallFailed: ``version`` is none, or another one is held.
        """
        machine, versions = await self._facts()
        wanted, held = version_of(version), versions.record.held
        if version and not wanted:
            raise InstallFailed("install.no_version", text=version)
        if held and wanted and wanted != held:
            raise InstallFailed("install.is_held", version=held)
        known: tuple[str, ...] = ()
        problems: Sentences = ()
        release: OllamaRelease | None = None
        async with releases(self._settings) as asked:
            try:
                known = await asked.known()
            except Failure as error:
                problems = said(error)
            wanted = wanted or held or (known[0] if known else "")
            if wanted:
                try:
                    release, problems = await asked.release(wanted, machine), ()
                except Failure as error:
                    problems = said(error)
                    release = OllamaRelease(version=wanted) if wanted in versions.kept else None
        found = plans(machine, release, versions, problems)
        return InstallOffer(
            plans=found, versions=versions, known=known, problems=problems, ollama=machine.ollama
        )

    async def change(self, version: str) -> InstallPlan:
        """The plan that has another version run, of those that are kept.

        Raises:
            InstallFailed: it is none of them.
        """
        machine, versions = await self._facts()
        if version not in versions.kept:
            raise InstallFailed("install.not_kept", version=version)
        return archive_plan(machine, OllamaRelease(version=version), versions)

    async def roll_back(self) -> InstallPlan:
        """The plan that has the version run that was in use before this one.

        The script keeps no version: it installs that one again.

        Raises:
            InstallFailed: there is none, or another one is held.
        """
        record = (await self._facts())[1].record
        if not record.previous:
            raise InstallFailed("install.no_previous")
        if record.way != InstallWay.SCRIPT:
            return await self.change(record.previous)
        offered = (await self.offer(record.previous)).plans
        script = next((each for each in offered if each.way is InstallWay.SCRIPT), None)
        if script is None:
            raise InstallFailed("install.needs_sudo", version=record.previous)
        return script

    async def removal(self, version: str) -> InstallPlan:
        """The plan that removes one of the versions that are kept.

        Raises:
            InstallFailed: it is none of them.
        """
        machine, versions = await self._facts()
        if version not in versions.kept:
            raise InstallFailed("install.not_kept", version=version)
        return removal_plan(machine, versions, version)

    async def hold(self, version: str) -> None:
        """Have one version stay, the one that installations are about from now on; "" releases it.

        Raises:
            InstallFailed: it is none, or that cannot be written.
        """
        if version and not version_of(version):
            raise InstallFailed("install.no_version", text=version)
        machine, versions = await self._facts()
        record = replace(versions.record, held=version_of(version))
        await self._record(machine, record)

    async def carry_out(self, plan: InstallPlan, tell: OnTold, as_root: AsRoot | None = None) -> None:
        """Carry out a plan. The user has agreed. Cancelled or failed, what was done is undone.

        Args:
            as_root: runs what only root may run.

        Raises:
            InstallFailed: it failed; says why.
        """
        machine = await self._look()
        try:
            with locked(machine.folder):
                await self._carry_out(machine, plan, tell, as_root)
        except OSError as error:
            raise InstallFailed("install.not_done", why=reasons(error)) from error

    async def _carry_out(
        self, machine: ThisMachine, plan: InstallPlan, tell: OnTold, as_root: AsRoot | None
    ) -> None:
        steps = Steps(machine, self._environ, self._hands, as_root)
        async with AsyncExitStack() as undoing:
            for number, step in enumerate(plan.steps):
                tell(Told(number))
                await steps.do(step.act, number, tell, undoing)
            undoing.pop_all()
        # Also what earlier installations left there when they were cancelled.
        await asyncio.to_thread(shutil.rmtree, machine.folder / "downloads", ignore_errors=True)
        if plan.record is not None:
            # Another window may have held a version meanwhile.
            held = (await asyncio.to_thread(folders.read_record, machine.folder)).held
            await self._record(machine, replace(plan.record, held=held))

    async def _record(self, machine: ThisMachine, record: Record) -> None:
        try:
            await asyncio.to_thread(folders.write_record, machine.folder, record)
        except OSError as error:
            raise InstallFailed("install.not_done", why=reasons(error)) from error

    async def _facts(self) -> tuple[ThisMachine, Versions]:
        machine = await self._look()
        versions = await asyncio.to_thread(folders.read_versions, machine.folder)
        return replace(machine, server=await self._hands.answers(machine.url)), versions
