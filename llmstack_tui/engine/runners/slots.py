"""The scheduler's records: a model that takes a place, and a request that waits for one."""

from __future__ import annotations

import asyncio
import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from msgspec import Struct

from llmstack_tui.base.durations import LONGEST
from llmstack_tui.engine.runners.plan import Phase, Resident

if TYPE_CHECKING:
    from asyncio import Future, Task

    from llmstack_tui.engine.runners.clock import Clock, Timer

NOTHING = timedelta(0)


class RunnerLike(Protocol):
    """What the scheduler needs of a loaded model."""

    async def stop(self) -> None: ...

    async def wait_exit(self) -> str: ...

    def memory_bytes(self) -> int: ...


M = TypeVar("M")
C = TypeVar("C")
R = TypeVar("R", bound=RunnerLike)


class Loaded(Struct, Generic[M, C, R], frozen=True, kw_only=True):
    """A loaded model.

    Attributes:
        model: what the request that loaded it called it.
        expires_at: when it leaves if nobody uses it; stands still under a request, and may then be past.
        requests: those that it answers now.
        used_at: when its last request, or its load, ended.
        memory_bytes: what its process takes now.
    """

    key: str
    model: M
    config: C
    runner: R
    expires_at: datetime
    requests: int
    used_at: datetime
    memory_bytes: int


class Waiter(Generic[M, C, R]):
    """A request. ``granted`` is done once it has its model, has failed, or has been given up."""

    def __init__(self, key: str, model: M, config: C, keep_alive: timedelta | None) -> None:
        self.key = key
        self.model = model
        self.config = config
        self.keep_alive = keep_alive
        self.granted: Future[Place[M, C, R]] = asyncio.get_running_loop().create_future()


class Place(Generic[M, C, R]):
    """A place that is taken, from the beginning of the load until the process has ended."""

    def __init__(self, waiter: Waiter[M, C, R], keep_alive: timedelta) -> None:
        self.key = waiter.key
        self.model = waiter.model
        self.config = waiter.config
        self.keep_alive = keep_alive
        self.phase = Phase.LOADING
        self.fresh = True
        self.requests = 0
        self.runner: R | None = None
        self.load: Task[None] | None = None
        self.watch: Task[None] | None = None
        self.timer: Timer | None = None
        self.expires_at: datetime | None = None
        self.ends_s = math.inf
        self.used_s = 0.0
        self.used_at: datetime | None = None

    def seen(self) -> Resident[C]:
        """As the plan sees it."""
        return Resident(
            key=self.key,
            config=self.config,
            phase=self.phase,
            requests=self.requests,
            fresh=self.fresh,
            ends_s=self.ends_s,
            used_s=self.used_s,
        )

    def loaded(self, clock: Clock) -> Loaded[M, C, R] | None:
        """As others see it; nothing while it is being loaded."""
        if self.runner is None:
            return None
        return Loaded(
            key=self.key,
            model=self.model,
            config=self.config,
            runner=self.runner,
            # Ollama sets the time when the first request ends, and until then tells it anew.
            expires_at=self.expires_at or clock.now() + self.stay,
            requests=self.requests,
            used_at=self.used_at or clock.now(),
            memory_bytes=self.runner.memory_bytes(),
        )

    @property
    def stay(self) -> timedelta:
        """How long it stays after a request. For ever, a negative keep-alive, is 292 years in Ollama."""
        return LONGEST if self.keep_alive < NOTHING else min(self.keep_alive, LONGEST)

    def was_used(self, clock: Clock) -> None:
        """A request, or its load, has ended."""
        self.used_s, self.used_at = clock.seconds(), clock.now()

    def set_expiry(self, clock: Clock) -> None:
        """Begin to count: the last request has ended."""
        self.expires_at = clock.now() + self.stay
        self.ends_s = math.inf if self.stay == LONGEST else clock.seconds() + self.stay.total_seconds()

    def cancel_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.timer = None
