"""Which models are in memory, for which requests and for how long. Knows neither llama.cpp nor HTTP.

The rules are Ollama's (``server/sched.go``): a model is loaded for its first request and stays for its
keep-alive after the last; unloading it never cuts off a request; a request with other options reloads it; if
all slots are taken, a new model replaces the idle one that is needed least. Unlike in Ollama, a load delays
only the requests for that model.
"""

from __future__ import annotations

import asyncio
import logging
import operator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Generic

from llmstack_tui.base.durations import LONGEST
from llmstack_tui.config.engine import DEFAULT_KEEP_ALIVE, DEFAULT_MAX_LOADED, DEFAULT_MAX_QUEUE
from llmstack_tui.engine.errors import EngineStopping, ServerBusy
from llmstack_tui.engine.runners.plan import Plan, Planner
from llmstack_tui.engine.runners.slots import ZERO, C, M, Phase, R, ResidentModel, Slot, SystemClock, Waiter

if TYPE_CHECKING:
    from asyncio import Task
    from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
    from datetime import timedelta

    from llmstack_tui.engine.runners.slots import Clock

log = logging.getLogger(__name__)


class Scheduler(Generic[M, C, R]):
    """Gives runners to requests. Must be used from one event loop.

    Args:
        start_runner: loads a model; cancelling it must leave nothing behind.
        max_loaded: the number of slots.
        max_queue: how many requests may wait.
        serves: ``serves(loaded, wanted)`` tells whether a model loaded with one configuration can serve a
            request for another.
    """

    def __init__(
        self,
        *,
        start_runner: Callable[[C], Coroutine[object, object, R]],
        max_loaded: int = DEFAULT_MAX_LOADED,
        keep_alive: timedelta = DEFAULT_KEEP_ALIVE,
        max_queue: int = DEFAULT_MAX_QUEUE,
        serves: Callable[[C, C], bool] = operator.eq,
        clock: Clock | None = None,
    ) -> None:
        self._start_runner = start_runner
        self._count = max(1, max_loaded)
        self._keep_alive = keep_alive
        self._max_queue = max_queue
        self._serves = serves
        self._clock = clock or SystemClock()
        self._slots: dict[str, Slot[M, C, R]] = {}
        self._waiters: list[Waiter[M, C, R]] = []
        self._tasks: set[Task[None]] = set()
        self._closed = False

    @asynccontextmanager
    async def use(
        self, key: str, config: C, *, model: M, keep_alive: timedelta | None = None
    ) -> AsyncIterator[R]:
        """A runner for one request; the model stays in memory at least until the context is closed.

        Requests with the same ``key`` (the digest of the weights) share a runner. ``keep_alive`` counts from
        the end of the last request; a negative one is for ever, None keeps the model's current one.

        Raises:
            ServerBusy: too many requests wait already.
            EngineStopping: `close` was called.
            Exception: what ``start_runner`` raised.
        """
        slot = await self._wait_for(Waiter(key, model, config, keep_alive))
        slot.fresh = False
        assert slot.runner is not None  # noqa: S101 (a slot is granted only with its runner)
        try:
            yield slot.runner
        finally:
            self._release(slot)

    def unload(self, key: str) -> bool:
        """Unload a model once no request uses it, without waiting. Returns whether the model was loaded."""
        for waiter in self._waiters:
            if waiter.key == key:
                waiter.keep_alive = ZERO
        slot = self._slots.get(key)
        if slot is None or slot.phase is Phase.STOPPING:
            return False
        slot.keep_alive = ZERO
        slot.expires_at = self._clock.now()
        if slot.phase is Phase.READY and not slot.requests:
            self._stop(slot)
        return True

    def resident(self) -> tuple[ResidentModel[M, C, R], ...]:
        """The loaded models, the longest loaded first, without those that are still loading."""
        found = (slot.resident(self._clock) for slot in self._slots.values())
        return tuple(model for model in found if model is not None)

    async def close(self) -> None:
        """Unload all models, also those in use, and refuse the requests that wait."""
        self._closed = True
        for waiter in self._waiters:
            if not waiter.granted.done():
                waiter.granted.set_exception(EngineStopping())
        self._waiters.clear()
        for slot in list(self._slots.values()):
            self._stop(slot)
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _wait_for(self, waiter: Waiter[M, C, R]) -> Slot[M, C, R]:
        if self._closed:
            raise EngineStopping
        full = len(self._waiters) >= self._max_queue
        if full and waiter not in self._plan([*self._waiters, waiter]).grants:
            raise ServerBusy
        self._waiters.append(waiter)
        self._decide()
        try:
            return await waiter.granted
        except asyncio.CancelledError:
            granted = waiter.granted
            if granted.done() and not granted.cancelled() and not granted.exception():
                self._release(granted.result())
            else:
                self._decide()
            raise

    def _plan(self, waiters: Sequence[Waiter[M, C, R]]) -> Plan[M, C, R]:
        return Planner(tuple(self._slots.values()), waiters, self._count, self._serves).plan()

    def _decide(self) -> None:
        """Make a plan and carry it out. Called after every change that the plan depends on."""
        if self._closed:
            return
        waiters = [waiter for waiter in self._waiters if not waiter.granted.done()]
        todo = self._plan(waiters)
        for slot in todo.stops:
            self._stop(slot)
        for waiter in todo.loads:
            self._load(waiter)
        for waiter in todo.grants:
            self._grant(waiter)
        self._waiters = [waiter for waiter in waiters if not waiter.granted.done()]

    def _grant(self, waiter: Waiter[M, C, R]) -> None:
        slot = self._slots[waiter.key]
        slot.requests += 1
        slot.cancel_timer()
        if waiter.keep_alive is not None:
            slot.keep_alive = waiter.keep_alive
        waiter.granted.set_result(slot)

    def _release(self, slot: Slot[M, C, R]) -> None:
        slot.requests -= 1
        slot.was_used(self._clock)
        # A model that is still fresh was loaded for a request that has gone: the plan stops it.
        if slot.phase is Phase.READY and not slot.requests and not slot.fresh:
            self._start_keep_alive(slot)
        self._decide()

    def _start_keep_alive(self, slot: Slot[M, C, R]) -> None:
        slot.set_expiry(self._clock)
        if not slot.stay:
            self._stop(slot)
        elif slot.stay != LONGEST:
            slot.timer = self._clock.call_later(slot.stay.total_seconds(), lambda: self._stop(slot))

    def _load(self, waiter: Waiter[M, C, R]) -> None:
        slot = Slot(waiter, self._keep_alive if waiter.keep_alive is None else waiter.keep_alive)
        self._slots[slot.key] = slot
        slot.load = self._start_task(self._load_model(slot))
        # A callback, because the task may be cancelled before its first step.
        slot.load.add_done_callback(lambda task: self._remove(slot) if task.cancelled() else None)

    async def _load_model(self, slot: Slot[M, C, R]) -> None:
        try:
            slot.runner = await self._start_runner(slot.config)
        except Exception as error:  # noqa: BLE001 (every error goes to the requests that wait)
            self._refuse(slot, error)
            return
        if slot.phase is Phase.STOPPING:
            await self._stopping(slot, slot.runner)
            return
        slot.phase = Phase.READY
        slot.was_used(self._clock)
        slot.watch = self._start_task(self._watch_exit(slot, slot.runner))
        self._decide()

    def _refuse(self, slot: Slot[M, C, R], error: Exception) -> None:
        """Fail the requests that wait for this load; those for another configuration go on waiting."""
        for waiter in self._waiters:
            wanted = waiter.key == slot.key and self._serves(slot.config, waiter.config)
            if wanted and not waiter.granted.done():
                waiter.granted.set_exception(error)
        self._remove(slot)

    async def _watch_exit(self, slot: Slot[M, C, R], runner: R) -> None:
        """Free the slot if the runner ends by itself."""
        cause = await runner.wait_exit()
        if slot.phase is Phase.READY:
            log.warning("The process of %s %s.", slot.model, cause)
            self._stop(slot)

    def _stop(self, slot: Slot[M, C, R]) -> None:
        """Begin to stop a model or to cancel its load."""
        if slot.phase is Phase.STOPPING:
            return
        loading = slot.phase is Phase.LOADING
        slot.phase = Phase.STOPPING
        slot.cancel_timer()
        if loading and slot.load is not None:
            slot.load.cancel()
        elif slot.runner is not None:
            self._start_task(self._stopping(slot, slot.runner))

    async def _stopping(self, slot: Slot[M, C, R], runner: R) -> None:
        try:
            await runner.stop()
        except Exception:
            log.exception("The process of %s did not end cleanly.", slot.model)
        finally:
            self._remove(slot)

    def _remove(self, slot: Slot[M, C, R]) -> None:
        if slot.watch is not None:
            slot.watch.cancel()
        if self._slots.get(slot.key) is slot:
            del self._slots[slot.key]
        self._decide()

    def _start_task(self, work: Coroutine[None, None, None]) -> Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
