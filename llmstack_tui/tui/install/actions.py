"""Looks at what can be installed, and carries out a plan after a yes, also while its screen is closed."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.tui.shell import Controller, NoteKind

if TYPE_CHECKING:
    from textual.worker import Worker

    from llmstack_tui.install.types import InstallOffer, InstallPlan, Told
    from llmstack_tui.tui.install.rows import InstallRow
    from llmstack_tui.tui.shell import Shell

_LOOK, _WORK = "install.look", "install"
_MOST_LINES = 400
# A fast download tells of itself a hundred times a second.
_DRAWN_EVERY_S = 0.2


class InstallController(Controller):
    """Keeps what was offered, and the installation under way.

    Attributes:
        offer: None before the first look.
        is_looking: a look is under way.
        plan: the one that is carried out, or was last; None before.
        told: the last that its step has told.
        lines: the last lines of what its programs have written.
        said: how it ended, and its tone; empty while it is under way.
    """

    offer: InstallOffer | None = None
    is_looking = False
    plan: InstallPlan | None = None
    told: Told | None = None
    said: tuple[str, str] = ("", "")
    _worker: Worker[object] | None = None
    _drawn_s = 0.0

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.lines: deque[str] = deque(maxlen=_MOST_LINES)

    @property
    def is_under_way(self) -> bool:
        return self._worker is not None and not self._worker.is_finished

    def look(self) -> None:
        """Look at what can be installed, of the newest version."""
        self._look_for("")

    def _look_for(self, version: str) -> None:
        self.is_looking = True
        if not self.is_under_way:
            self.plan = None
        work = partial(self._look, version)
        self._shell.start(tr("The installation"), work, group=_LOOK, exclusive=True)

    async def _look(self, version: str) -> None:
        self._shell.draw()
        try:
            self.offer = await (await self._shell.installation()).offer(version)
        finally:
            self.is_looking = False
            self._shell.draw()

    def go(self, row: InstallRow | None) -> None:
        """Carry out the plan of a row, after a question; or show the plans of a published version."""
        if row is None or self._is_refused():
            return
        if row.plan is not None:
            self._start(tr("The installation"), partial(self._carry_out, row.plan))
        elif row.is_kept:
            self._start(tr("The installation"), partial(self._change, row.version))
        else:
            self._look_for(row.version)

    def roll_back(self) -> None:
        """Use the version before this one again, after a question."""
        if not self._is_refused():
            self._start(tr("The installation"), partial(self._change, ""))

    def remove(self, row: InstallRow | None) -> None:
        """Remove a version that is here, after a question."""
        if row is None or not row.is_kept:
            self._shell.tell(tr("There is no version of yours under the cursor."))
        elif not self._is_refused():
            self._start(tr("The installation"), partial(self._remove, row.version))

    def hold(self, row: InstallRow | None) -> None:
        """Stay with a version, or release it."""
        version = row.version if row is not None else ""
        if not version:
            self._shell.tell(tr("There is no version of Ollama under the cursor."))
        elif not self._is_refused():
            self._start(tr("The installation"), partial(self._hold, version))

    def cancel(self) -> None:
        """End the installation under way."""
        if self.is_under_way and self._worker is not None:
            self._worker.cancel()
        else:
            self._shell.tell(tr("No installation is under way."))

    def _is_refused(self) -> bool:
        """Whether nothing may be begun now, which a toast says."""
        if self._shell.read_only:
            self._shell.tell(tr("Nothing can be changed: llmstack is read-only."))
        elif self.is_under_way:
            key = self._shell.view.keys["install.cancel"]
            self._shell.tell(tr("An installation is under way: {key} cancels it.", key=key))
        return self._shell.read_only or self.is_under_way

    async def _change(self, version: str) -> None:
        service = await self._shell.installation()
        await self._carry_out(await (service.change(version) if version else service.roll_back()))

    async def _remove(self, version: str) -> None:
        plan = await (await self._shell.installation()).removal(version)
        await self._carry_out(plan, dangerous=True)

    async def _hold(self, version: str) -> None:
        service = await self._shell.installation()
        held = self.offer.versions.record.held if self.offer is not None else ""
        await service.hold("" if held == version else version)
        self.look()
        if self._shell.stack is not None:
            await self._shell.stack.releases.look_at_hold()

    async def _carry_out(self, plan: InstallPlan, *, dangerous: bool = False) -> None:
        from llmstack_tui.core.wording import text
        from llmstack_tui.tui.install.text import question, title

        if plan.problems:
            self._shell.tell(text(*plan.problems))
        elif await self._confirm(
            title(plan), question(plan), tr("Not now"), tr("Do it"), dangerous=dangerous
        ):
            self.plan, self.told, self.said = plan, None, ("", "")
            self.lines.clear()
            work = partial(self._work, plan)
            self._worker = self._shell.start(tr("The installation"), work, group=_WORK)
            self._shell.draw()

    async def _work(self, plan: InstallPlan) -> None:
        from llmstack_tui.base.sentences import UserFacingError
        from llmstack_tui.core.wording import words
        from llmstack_tui.tui.install.text import title

        service = await self._shell.installation()
        try:
            await service.carry_out(plan, self._note, self._shell.run_as_root)
        except UserFacingError as error:
            self.said = words(error), "$text-error"
            self._shell.record(NoteKind.FAILED, title(plan), self.said[0])
        except asyncio.CancelledError:
            undone = tr("You cancelled it: what it had done is undone.")
            self.said = f"{undone} {tr('A download goes on from there next time.')}", "$text-warning"
            raise
        else:
            self.said = tr("Done."), "$text-success"
            self._shell.record(NoteKind.DONE, title(plan), self.said[0])
            self.offer = await service.offer()
            if self._shell.stack is None:
                self._shell.act("servers.refresh")
        finally:
            self._shell.draw()

    def _note(self, told: Told) -> None:
        is_next = self.told is None or self.told.step != told.step
        self.told = told
        if told.line:
            self.lines.append(told.line)
        if is_next or told.line or time.monotonic() - self._drawn_s > _DRAWN_EVERY_S:
            self._drawn_s = time.monotonic()
            self._shell.draw()
