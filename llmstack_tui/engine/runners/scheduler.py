"""Which models are loaded, for whom and for how long. It knows neither llama.cpp nor HTTP.

The rules are Ollama's (``server/sched.go``): a model is loaded for the first request and stays for its
keep-alive after the last; a stop never cuts a request; other options load it again; one model more than
there are places for sends the idle one away that is missed least. Unlike there, a load holds up nobody but
those who wait for it.
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
from llmstack_tui.engine.runners.clock import SystemClock
from llmstack_tui.engine.runners.plan import ModelPreference, Phase, Plan, plan
from llmstack_tui.engine.runners.slots import NOTHING, C, Loaded, M, Place, R, RunnerLike, Waiter

if TYPE_CHECKING:
    from asyncio import Task
    from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
    from datetime import timedelta

    from llmstack_tui.engine.runners.clock import Clock

__all__ = ["Loaded", "RunnerLike", "Scheduler"]

log = logging.getLogger(__name__)


class Scheduler(Generic[M, C, R]):
    """Hands out runners. All its methods belong to one event loop.

    ``start_runner`` loads a model; cancelling it must leave nothing behind. ``serves(loaded, wanted)`` says
    whether a model that was loaded with one configuration answers a request that wants another.
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
        self._places: dict[str, Place[M, C, R]] = {}
        self._waiters: list[Waiter[M, C, R]] = []
        self._tasks: set[Task[None]] = set()
        self._closed = False

    @asynccontextmanager
    async def use(
        self, key: str, config: C, *, model: M, keep_alive: timedelta | None = None
    ) -> AsyncIterator[R]:
        """A runner for one request; the model does not leave before the request ends.

        ``key`` names the weights: requests with equal ones share a runner. ``keep_alive`` counts from the end
        of the last request, negative is for ever, and None leaves it as it is.

        Raises:
            ServerBusy: too many wait already.
            EngineStopping: `close` was called.
            Exception: what ``start_runner`` raised.
        """
        place = await self._wait_for(Waiter(key, model, config, keep_alive))
        place.fresh = False
        assert place.runner is not None  # noqa: S101 (granted only when it is there)
        try:
            yield place.runner
        finally:
            self._release(place)

    def unload(self, key: str) -> bool:
        """Let a model leave as soon as no request uses it. Returns at once, and whether it was there."""
        for waiter in self._waiters:
            if waiter.key == key:
                waiter.keep_alive = NOTHING
        place = self._places.get(key)
        if place is None or place.phase is Phase.LEAVING:
            return False
        place.keep_alive = NOTHING
        place.expires_at = self._clock.now()
        if place.phase is Phase.READY and not place.requests:
            self._stop(place)
        return True

    def loaded(self) -> tuple[Loaded[M, C, R], ...]:
        """The models that are in memory, the longest loaded first; not those that are being loaded."""
        found = (place.loaded(self._clock) for place in self._places.values())
        return tuple(loaded for loaded in found if loaded is not None)

    async def close(self) -> None:
        """End all models, also under a request, and refuse all that wait."""
        self._closed = True
        for waiter in self._waiters:
            if not waiter.granted.done():
                waiter.granted.set_exception(EngineStopping())
        self._waiters.clear()
        for place in list(self._places.values()):
            self._stop(place)
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _wait_for(self, waiter: Waiter[M, C, R]) -> Place[M, C, R]:
        if self._closed:
            raise EngineStopping
        if len(self._waiters) >= self._max_queue:
            position = len(self._waiters)
            if position not in self._plan([*self._waiters, waiter]).grants:
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

    def _plan(self, waiters: Sequence[Waiter[M, C, R]]) -> Plan:
        return plan(
            [place.seen() for place in self._places.values()],
            [ModelPreference(waiter.key, waiter.config) for waiter in waiters],
            places=self._count,
            serves=self._serves,
        )

    def _decide(self) -> None:
        """Carry out what the plan says; called after everything that could change it."""
        if self._closed:
            return
        waiters = [waiter for waiter in self._waiters if not waiter.granted.done()]
        todo = self._plan(waiters)
        for key in todo.stops:
            self._stop(self._places[key])
        for position in todo.loads:
            self._load(waiters[position])
        for position in todo.grants:
            self._grant(waiters[position])
        self._waiters = [waiter for waiter in waiters if not waiter.granted.done()]

    def _grant(self, waiter: Waiter[M, C, R]) -> None:
        place = self._places[waiter.key]
        place.requests += 1
        place.cancel_timer()
        if waiter.keep_alive is not None:
            place.keep_alive = waiter.keep_alive
        waiter.granted.set_result(place)

    def _release(self, place: Place[M, C, R]) -> None:
        place.requests -= 1
        place.was_used(self._clock)
        # One that is fresh still was loaded for a request that has gone: the plan sends it away.
        if place.phase is Phase.READY and not place.requests and not place.fresh:
            self._begin_idling(place)
        self._decide()

    def _begin_idling(self, place: Place[M, C, R]) -> None:
        place.set_expiry(self._clock)
        if not place.stay:
            self._stop(place)
        elif place.stay != LONGEST:
            place.timer = self._clock.call_later(place.stay.total_seconds(), lambda: self._stop(place))

    def _load(self, waiter: Waiter[M, C, R]) -> None:
        place = Place(waiter, self._keep_alive if waiter.keep_alive is None else waiter.keep_alive)
        self._places[place.key] = place
        place.load = self._begin(self._loading(place))
        # Not in the task itself, which may be cancelled before it has begun.
        place.load.add_done_callback(lambda task: self._load_ended(place, task))

    async def _loading(self, place: Place[M, C, R]) -> None:
        try:
            place.runner = await self._start_runner(place.config)
        except Exception as error:  # noqa: BLE001 (whatever it is, those who wait get it)
            self._refuse(place, error)
            return
        if place.phase is Phase.LEAVING:
            await self._leaving(place, place.runner)
            return
        place.phase = Phase.READY
        place.was_used(self._clock)
        place.watch = self._begin(self._watching(place, place.runner))
        self._decide()

    def _load_ended(self, place: Place[M, C, R], task: Task[None]) -> None:
        if task.cancelled():
            self._remove(place)

    def _refuse(self, place: Place[M, C, R], error: Exception) -> None:
        """Tell those who wait for this load that it failed; who wants another configuration waits on."""
        for waiter in self._waiters:
            wanted = waiter.key == place.key and self._serves(place.config, waiter.config)
            if wanted and not waiter.granted.done():
                waiter.granted.set_exception(error)
        self._remove(place)

    async def _watching(self, place: Place[M, C, R], runner: R) -> None:
        """Notice when a runner ends that nobody has ended."""
        cause = await runner.wait_exit()
        if place.phase is Phase.READY:
            log.warning("The process of %s %s.", place.model, cause)
            self._stop(place)

    def _stop(self, place: Place[M, C, R]) -> None:
        """Begin to end a model, or its load."""
        if place.phase is Phase.LEAVING:
            return
        loading = place.phase is Phase.LOADING
        place.phase = Phase.LEAVING
        place.cancel_timer()
        if loading and place.load is not None:
            place.load.cancel()
        elif place.runner is not None:
            self._begin(self._leaving(place, place.runner))

    async def _leaving(self, place: Place[M, C, R], runner: R) -> None:
        try:
            await runner.stop()
        except Exception:
            log.exception("The process of %s did not end cleanly.", place.model)
        finally:
            self._remove(place)

    def _remove(self, place: Place[M, C, R]) -> None:
        if place.watch is not None:
            place.watch.cancel()
        if self._places.get(place.key) is place:
            del self._places[place.key]
        self._decide()

    def _begin(self, work: Coroutine[None, None, None]) -> Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
