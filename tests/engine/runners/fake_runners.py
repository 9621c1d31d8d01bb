"""Runners and a clock for tests of what schedules them: nothing here takes time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.support.waiting import settle

if TYPE_CHECKING:
    from collections.abc import Callable

START = datetime(2026, 5, 1, 12, tzinfo=UTC)


class FakeTimer:
    def __init__(self, due_s: float, callback: Callable[[], None]) -> None:
        self.due_s = due_s
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class FakeClock:
    def __init__(self) -> None:
        self.monotonic_s = 1000.0
        self.wall = START
        self.timers: list[FakeTimer] = []

    def seconds(self) -> float:
        return self.monotonic_s

    def now(self) -> datetime:
        return self.wall

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> FakeTimer:
        timer = FakeTimer(self.monotonic_s + delay_s, callback)
        self.timers.append(timer)
        return timer

    @property
    def pending(self) -> list[FakeTimer]:
        return [timer for timer in self.timers if not timer.cancelled]

    async def advance(self, seconds: float) -> None:
        self.monotonic_s += seconds
        self.wall += timedelta(seconds=seconds)
        due = [timer for timer in self.pending if timer.due_s <= self.monotonic_s]
        self.timers = [timer for timer in self.timers if timer not in due]
        for timer in due:
            timer.callback()
        await settle()


class FakeRunner:
    def __init__(self, factory: Factory, config: str) -> None:
        self.config = config
        self._factory = factory
        self._exit: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @property
    def alive(self) -> bool:
        return not self._exit.done()

    async def stop(self) -> None:
        if self._factory.stopping is not None:
            await self._factory.stopping.wait()
        self.die("was stopped")
        if self._factory.stop_error is not None:
            raise self._factory.stop_error

    async def wait_exit(self) -> str:
        return await asyncio.shield(self._exit)

    def memory_bytes(self) -> int:
        return 1_000_000

    def die(self, cause: str) -> None:
        if self.alive:
            self._exit.set_result(cause)


class Factory:
    """Starts runners. With ``loading`` set a load lasts until that event; those in ``errors`` fail."""

    def __init__(self) -> None:
        self.runners: list[FakeRunner] = []
        self.started: list[str] = []
        self.cancelled: list[str] = []
        self.loading: asyncio.Event | None = None
        self.stopping: asyncio.Event | None = None
        self.errors: dict[str, Exception] = {}
        self.stop_error: Exception | None = None

    async def start(self, config: str) -> FakeRunner:
        self.started.append(config)
        try:
            if self.loading is not None:
                await self.loading.wait()
        except asyncio.CancelledError:
            self.cancelled.append(config)
            raise
        if config in self.errors:
            raise self.errors[config]
        runner = FakeRunner(self, config)
        self.runners.append(runner)
        return runner

    @property
    def alive(self) -> list[str]:
        return [runner.config for runner in self.runners if runner.alive]
