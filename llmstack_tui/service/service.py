"""A server of this machine as a service: its state, start, stop, restart, and start at login."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import psutil

from llmstack_tui.base.sentences import Failure, said
from llmstack_tui.ollama.log.reading import TAIL_LINES, last_lines, read_log
from llmstack_tui.ollama.log.rules import last_words
from llmstack_tui.service.rules import meant, service_state

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.ollama.log.reading import Batch, LogSource
    from llmstack_tui.service.types import Manager, ServerRun, ServiceState, UnitState

UP_WITHIN_S = 30.0
DOWN_WITHIN_S = 30.0
_LOOK_EVERY_S = 0.25


class ServiceFailed(Failure):
    """A server could not be started or stopped."""


class ServedProgram(Protocol):
    """A program that is a server: Ollama, or our engine."""

    label: str

    @property
    def url(self) -> str | None:
        """Where it is, or would be; None if that is not known before it runs."""

    def find_process(self) -> ServerRun | None:
        """Its process. Blocking."""

    def is_installed(self) -> bool:
        """Whether `launch` could start it. Blocking."""

    async def launch(self) -> None:
        """Start it as a process of its own, and return when it answers. Raises UserFacingError."""

    async def answers(self) -> bool: ...

    def log_source(self, unit: UnitState | None, running: ServerRun | None) -> LogSource:
        """Where its log is. Blocking. Raises ServiceFailed if it has none."""

    async def write_unit(self) -> Manager:
        """Write the file that starts it at login, as a unit of this user, and say whose unit it is."""


class ManagedService:
    """A server, however it is kept running.

    Each call that changes something raises `NeedsRoot` where only root may do it: whoever called runs its
    command, and then awaits `until_up`, unless it was stopped.

    Args:
        program: what runs.
        managers: those of the system that may have a unit for it, the most likely first.
        environ: the environment of this process at its start.
    """

    def __init__(
        self, program: ServedProgram, managers: Sequence[Manager], environ: Mapping[str, str]
    ) -> None:
        self.program = program
        self._managers = tuple(managers)
        self._environ = environ

    @property
    def url(self) -> str | None:
        """Where the server is, or would be; None if that is not known before it runs."""
        return self.program.url

    async def state(self) -> ServiceState:
        """How it is kept running, and whether it runs. What could not be found out is its ``problem``."""
        units, failed = await self._units()
        running = await asyncio.to_thread(self.program.find_process)
        unit = meant(units, running)
        why = await self._last_words(unit) if unit is not None and unit.is_failing else ()
        can_start = await asyncio.to_thread(self.program.is_installed)
        return service_state(units, running, can_start=can_start, failed=failed, why=why)

    async def start(self) -> None:
        """Start it, unless it runs, and return when it answers.

        Raises:
            NeedsRoot: see above.
            UserFacingError: it did not start; says why.
        """
        running, unit = await self._look()
        if running is not None or (unit is not None and unit.is_running):
            return
        if unit is not None:
            await self._manager(unit).start(unit)
            await self.until_up()
        elif await asyncio.to_thread(self.program.is_installed):
            await self.program.launch()
        else:
            raise ServiceFailed("service.not_installed", name=self.program.label)

    async def stop(self, *, force: bool = False) -> None:
        """Stop it, and return when it has ended. Its running requests end with it.

        Args:
            force: kill a process of this user that does not end by itself.

        Raises:
            NeedsRoot: see above.
            ServiceFailed: it has not ended, or belongs to another user.
        """
        running, unit = await self._look()
        if unit is not None and unit.is_running:
            await self._manager(unit).stop(unit)
        elif running is not None:
            await asyncio.to_thread(_end, running.pid, force=force)
        else:
            return
        await self._until_down(running)

    async def restart(self) -> None:
        """Stop it and start it again in the same way.

        Raises:
            NeedsRoot: see above.
            UserFacingError: it did not start again, or cannot be started as it was.
        """
        running, unit = await self._look()
        if unit is not None:
            await self._manager(unit).restart(unit)
            await self.until_up()
            return
        if running is not None:
            if not running.is_ours:
                raise ServiceFailed("service.foreign", name=self.program.label, pid=running.pid)
            await self.stop()
        await self.start()

    async def enable(self, enabled: bool) -> None:
        """Have it start at login, or with the machine, or no longer; it is neither started nor stopped.

        Raises:
            NeedsRoot: see above.
            UserFacingError: nothing here starts programs at login, or it was refused.
        """
        units, failed = await self._units()
        running = await asyncio.to_thread(self.program.find_process)
        unit = meant(units, running) or meant(units, None)
        if unit is not None:
            await self._manager(unit).enable(unit, enabled)
        elif failed:
            raise ServiceFailed("service.unknown_manager", name=self.program.label, why=failed)
        elif enabled:
            manager = await self.program.write_unit()
            if (unit := await manager.find()) is None:
                raise ServiceFailed("service.no_manager")
            await manager.enable(unit, enabled=True)

    async def log_source(self) -> LogSource:
        """Where its log is.

        Raises:
            ServiceFailed: it has none, or none that can be found.
        """
        running, unit = await self._look()
        return await asyncio.to_thread(self.program.log_source, unit, running)

    def read_log(
        self, source: LogSource, *, follow: bool = False, tail: int = TAIL_LINES
    ) -> AsyncGenerator[Batch, None]:
        """See `ollama.log.reading.read_log`."""
        return read_log(source, self._environ, follow=follow, tail=tail)

    async def _last_words(self, unit: UnitState | None) -> Sentences:
        try:
            source = await asyncio.to_thread(self.program.log_source, unit, None)
        except ServiceFailed:
            return ()
        return last_words(await last_lines(source, self._environ))

    async def until_up(self, within_s: float = UP_WITHIN_S) -> None:
        """Return when it answers.

        Raises:
            ServiceFailed: it has ended, or does not answer in time; with the last words of its log.
        """
        deadline = time.monotonic() + within_s
        while not await self.program.answers():
            _, unit = await self._look()
            name = self.program.label
            if unit is not None and unit.is_failing:
                words = await self._last_words(unit)
                kind = "service.ended" if words else "service.ended_silently"
                raise ServiceFailed(kind, name=name, words=words)
            if time.monotonic() > deadline:
                words = await self._last_words(unit)
                kind = "service.silent" if words else "service.silent_log"
                raise ServiceFailed(kind, name=name, limit_s=within_s, words=words)
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _until_down(self, running: ServerRun | None) -> None:
        deadline = time.monotonic() + DOWN_WITHIN_S
        while True:
            found = await asyncio.to_thread(self.program.find_process)
            if found is None or (running is not None and found.pid != running.pid):
                return
            if time.monotonic() > deadline:
                raise ServiceFailed(
                    "service.stays", name=self.program.label, pid=found.pid, limit_s=DOWN_WITHIN_S
                )
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _look(self) -> tuple[ServerRun | None, UnitState | None]:
        """Its process and the unit that is meant.

        Raises:
            ServiceFailed: no unit was found, and a manager could not be asked.
        """
        units, failed = await self._units()
        running = await asyncio.to_thread(self.program.find_process)
        unit = meant(units, running)
        if unit is None and failed and (running is None or not running.is_ours):
            raise ServiceFailed("service.unknown_manager", name=self.program.label, why=failed)
        return running, unit

    async def _units(self) -> tuple[list[UnitState], Sentences]:
        """The units of all managers, and why some could not be asked."""
        found = await asyncio.gather(*(each.find() for each in self._managers), return_exceptions=True)
        units: list[UnitState] = []
        failed: Sentences = ()
        for each in found:
            if isinstance(each, Failure):
                # systemd of the system and of the user fail alike.
                failed += tuple(sentence for sentence in said(each) if sentence not in failed)
            elif isinstance(each, BaseException):
                raise each
            elif each is not None:
                units.append(each)
        return units, failed

    def _manager(self, unit: UnitState) -> Manager:
        return next(each for each in self._managers if (each.kind, each.name) == (unit.kind, unit.name))


def _end(pid: int, *, force: bool) -> None:
    """Ask a process to end. Nothing is done to one of another user."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        try:
            if force:
                process.kill()
            else:
                process.terminate()
        except psutil.AccessDenied:
            raise ServiceFailed("service.of_another", pid=pid, user=process.username()) from None
