"""A scheduler over fakes, and requests to it that end when a test says so."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from llmstack_tui.engine.runners.scheduler import Scheduler
from tests.engine.runners.fake_runners import Factory, FakeClock, FakeRunner
from tests.support.waiting import settle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

MINUTE = timedelta(minutes=1)
FOREVER = timedelta(seconds=-1)
NOW = timedelta(0)


class World:
    """A scheduler over fakes. The configuration of a model is its name, and options after a colon."""

    def __init__(
        self, slots: int = 3, queue: int = 512, serves: Callable[[str, str], bool] | None = None
    ) -> None:
        self.factory = Factory()
        self.clock = FakeClock()
        self.scheduler: Scheduler[str, str, FakeRunner] = Scheduler(
            start_runner=self.factory.start,
            max_loaded=slots,
            max_queue=queue,
            clock=self.clock,
            serves=serves or (lambda loaded, wanted: loaded == wanted),
        )

    def request(self, config: str, keep_alive: timedelta | None = None) -> Request:
        return Request(self.scheduler, config, keep_alive)

    async def once(self, config: str, keep_alive: timedelta | None = None) -> None:
        request = self.request(config, keep_alive)
        await settle()
        assert request.running()
        await request.end()

    @property
    def listed(self) -> list[str]:
        return [loaded.config for loaded in self.scheduler.resident()]


class Request:
    """A request in a task of its own, which runs until `end`."""

    def __init__(
        self, scheduler: Scheduler[str, str, FakeRunner], config: str, keep_alive: timedelta | None
    ) -> None:
        self._scheduler = scheduler
        self._config = config
        self._keep_alive = keep_alive
        self._ending = asyncio.Event()
        self.runner: FakeRunner | None = None
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        key = self._config.partition(":")[0]
        use = self._scheduler.use(key, self._config, model=self._config, keep_alive=self._keep_alive)
        async with use as self.runner:
            await self._ending.wait()

    def running(self) -> bool:
        return self.runner is not None and not self.task.done()

    async def end(self) -> None:
        self._ending.set()
        await self.task
        await settle()

    async def leave(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task
        await settle()


@asynccontextmanager
async def world(
    slots: int = 3, queue: int = 512, serves: Callable[[str, str], bool] | None = None
) -> AsyncIterator[World]:
    made = World(slots, queue, serves)
    try:
        yield made
    finally:
        await made.scheduler.close()
        assert made.factory.alive == []
