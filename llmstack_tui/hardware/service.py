"""The service that reads this machine at intervals, in a thread, and determines its profile."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol

from llmstack_tui.hardware.machine import Machine
from llmstack_tui.hardware.profile import UnknownProfile, detect, named

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from llmstack_tui.base.sentences import Sentence
    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.hardware.readings import MachineReading

    _Asked = asyncio.Future[MachineReading]

_HIDDEN_FACTOR = 10
_END_S = 0.5


class MachineReader(Protocol):
    """A `Machine`, or a substitute in tests."""

    def read(self) -> MachineReading: ...

    def close(self) -> None: ...


class MachineService:
    """Reads the machine once, or repeatedly in `run`.

    A driver can hang for ever. Then there are no new readings, the age of the last one shows by its
    ``taken_at``, and neither the event loop nor the end of the program waits for the driver.

    Args:
        on_reading: called on the event loop with each reading, and the profile that the first one gave.
        on_notice: called with a sentence if there is no profile of the chosen name.
        machine: None is this machine.
        models: the folder of models, for the free space on its disk.
        profile: the name of a profile that the user chose, or None.
        every_s: seconds from the end of a reading to the next; ten times that while the figures are not on
            the screen.
        visible: whether the figures are on the screen.
    """

    def __init__(
        self,
        *,
        on_reading: Callable[[MachineReading, Profile], None],
        on_notice: Callable[[Sentence], None],
        machine: MachineReader | None = None,
        models: Path | None = None,
        profile: str | None = None,
        every_s: float = 1.0,
        visible: bool = True,
    ) -> None:
        self._on_reading = on_reading
        self._on_notice = on_notice
        self._machine = machine or Machine(models)
        self._wanted = profile
        self._profile: Profile | None = None
        self._is_provisional = False
        self._every_s = every_s
        self._visible = visible
        self._wake = asyncio.Event()

    def set_visible(self, visible: bool) -> None:
        """Say whether the figures are on the screen. When they appear, the machine is read at once."""
        if visible and not self._visible:
            self._wake.set()
        self._visible = visible

    async def read_once(self) -> None:
        """Read the machine now, and close its drivers."""
        try:
            self._read(await asyncio.to_thread(self._machine.read))
        finally:
            await asyncio.to_thread(self._machine.close)

    async def run(self) -> None:
        """Read until cancelled, then close the drivers."""
        loop = asyncio.get_running_loop()
        asked: SimpleQueue[_Asked | None] = SimpleQueue()
        ended = asyncio.Event()
        # Not one of the loop's own threads: the interpreter waits for those at exit, and a driver may hang.
        thread = threading.Thread(
            target=_work, args=(self._machine, asked, loop, ended), name="hardware", daemon=True
        )
        thread.start()
        try:
            while True:
                self._wake.clear()
                answer: _Asked = loop.create_future()
                asked.put(answer)
                self._read(await answer)
                await self._pause()
        finally:
            asked.put(None)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_END_S):
                    await ended.wait()

    def _read(self, reading: MachineReading) -> None:
        profile = self._profile
        if profile is None or self._is_provisional:
            # A card that sleeps at the start tells its size only when it wakes up.
            self._is_provisional = any(each.asleep and each.total is None for each in reading.devices)
            found = self._detected(reading)
            profile = self._profile = profile if profile == found else found
        self._on_reading(reading, profile)

    def _detected(self, reading: MachineReading) -> Profile:
        if self._wanted is None:
            return detect(reading)
        try:
            return named(self._wanted, reading)
        except UnknownProfile as error:
            self._on_notice(error.sentence)
            self._wanted = None
            return detect(reading)

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._every_s * (1 if self._visible else _HIDDEN_FACTOR)):
                await self._wake.wait()


def _work(
    machine: MachineReader,
    asked: SimpleQueue[_Asked | None],
    loop: asyncio.AbstractEventLoop,
    ended: asyncio.Event,
) -> None:
    # If a driver hung, the loop may be closed by the time it returns: then nobody waits for the answer.
    with contextlib.suppress(RuntimeError):
        while (answer := asked.get()) is not None:
            try:
                outcome: MachineReading | Exception = machine.read()
            except Exception as error:  # noqa: BLE001 - raised again where the reading is awaited
                outcome = error
            loop.call_soon_threadsafe(_settle, answer, outcome)
        machine.close()
        loop.call_soon_threadsafe(ended.set)


def _settle(answer: _Asked, outcome: MachineReading | Exception) -> None:
    if answer.done():
        return
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
