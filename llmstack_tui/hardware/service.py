"""The service that reads this machine again and again, off the event loop, and finds its profile."""

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

    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.hardware.readings import MachineReading

    _Asked = asyncio.Future[MachineReading]

_HIDDEN_FACTOR = 10
_END_S = 0.5


class OnReading(Protocol):
    """Hears each reading, with the profile that was worked out from the first one."""

    def __call__(self, reading: MachineReading, profile: Profile) -> None: ...


class MachineService:
    """Reads the machine within `run`, or once.

    Args:
        machine: None is this machine.
        models: the folder of models, for the free space of its disk.
        profile: the name of a profile that the user chose, or None.
        on_notice: hears a sentence when there is no such profile.
        every_s: seconds between two readings.
        visible: whether the figures are on the screen.
    """

    def __init__(
        self,
        *,
        on_reading: OnReading,
        on_notice: Callable[[str], None],
        machine: Readable | None = None,
        models: Path | None = None,
        profile: str | None = None,
        every_s: float = 1.0,
        visible: bool = True,
    ) -> None:
        self._on_reading = on_reading
        self._on_notice = on_notice
        self._machine = machine or Machine(models)
        self._sampler = Sampler(self._machine, on_reading=self._read, every_s=every_s)
        self._sampler.visible = visible
        self._wanted = profile
        self._profile: Profile | None = None

    def set_visible(self, visible: bool) -> None:
        self._sampler.visible = visible

    async def run(self) -> None:
        """Until cancelled; closes the machine."""
        await self._sampler.run()

    async def read_once(self) -> None:
        """Read the machine now, and close it."""
        try:
            self._read(await asyncio.to_thread(self._machine.read))
        finally:
            await asyncio.to_thread(self._machine.close)

    def _read(self, reading: MachineReading) -> None:
        self._profile = self._profile or self._detected(reading)
        self._on_reading(reading, self._profile)

    def _detected(self, reading: MachineReading) -> Profile:
        if self._wanted is None:
            return detect(reading)
        try:
            return named(self._wanted, reading)
        except UnknownProfile as error:
            self._on_notice(str(error))
            return detect(reading)


class Readable(Protocol):
    """A `Machine`, or what stands for one."""

    def read(self) -> MachineReading: ...

    def close(self) -> None: ...


class Sampler:
    """Reads a machine, one reading at a time, within `run`.

    A driver can hang for ever. Then no new reading comes, the last one grows old by its ``taken_at``, and
    neither the event loop nor the end of the program waits for it.

    Args:
        on_reading: called on the event loop after each reading.
        every_s: seconds between the end of a reading and the next one; ten times that while the figures are
            not on the screen.

    Attributes:
        reading: the newest, None before the first.
    """

    def __init__(
        self,
        machine: Readable,
        *,
        on_reading: Callable[[MachineReading], None] = lambda _: None,
        every_s: float = 1.0,
    ) -> None:
        self.reading: MachineReading | None = None
        self._machine = machine
        self._on_reading = on_reading
        self._every_s = every_s
        self._visible = True
        self._wake = asyncio.Event()

    @property
    def visible(self) -> bool:
        """Whether the figures are on the screen."""
        return self._visible

    @visible.setter
    def visible(self, visible: bool) -> None:
        if visible and not self._visible:
            self._wake.set()
        self._visible = visible

    def refresh(self) -> None:
        """Read again at once."""
        self._wake.set()

    async def run(self) -> None:
        """Sample until cancelled, then close the machine."""
        loop = asyncio.get_running_loop()
        asked: SimpleQueue[_Asked | None] = SimpleQueue()
        ended = asyncio.Event()
        # Not the loop's own threads: the interpreter waits for those at its end, and a driver may hang.
        thread = threading.Thread(
            target=_work, args=(self._machine, asked, loop, ended), name="hardware", daemon=True
        )
        thread.start()
        try:
            while True:
                self._wake.clear()
                answer: _Asked = loop.create_future()
                asked.put(answer)
                self.reading = await answer
                self._on_reading(self.reading)
                await self._pause()
        finally:
            asked.put(None)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_END_S):
                    await ended.wait()

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._every_s * (1 if self._visible else _HIDDEN_FACTOR)):
                await self._wake.wait()


def _work(
    machine: Readable,
    asked: SimpleQueue[_Asked | None],
    loop: asyncio.AbstractEventLoop,
    ended: asyncio.Event,
) -> None:
    # The loop may be closed before a driver that hung lets go of this thread: then nobody waits any more.
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
