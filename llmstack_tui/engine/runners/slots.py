"""The scheduler's records: a slot that a model takes, a request that waits, and the clock for both."""

from __future__ import annotations

import asyncio
import math
import time
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from msgspec import Struct

from llmstack_tui.base.durations import LONGEST

if TYPE_CHECKING:
    from asyncio import Future, Task
    from collections.abc import Callable


ZERO = timedelta(0)


class Timer(Protocol):
    def cancel(self) -> None: ...


class Clock(Protocol):
    def seconds(self) -> float:
        """Monotonic seconds, for waiting: setting the machine's time does not change them."""

    def now(self) -> datetime:
        """The time of day, aware, to be shown."""

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer: ...


class SystemClock:
    """The machine's clock. Its timers belong to the running event loop."""

    def seconds(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(delay_s, callback)


class RunnerLike(Protocol):
    """A model's process, as far as the scheduler uses it."""

    async def stop(self) -> None: ...

    async def wait_exit(self) -> str: ...

    def memory_bytes(self) -> int: ...


M = TypeVar("M")
C = TypeVar("C")
R = TypeVar("R", bound=RunnerLike)


class Phase(Enum):
    LOADING = auto()
    READY = auto()
    STOPPING = auto()


class ResidentModel(Struct, Generic[M, C, R], frozen=True, kw_only=True):
    """A model in memory.

    Attributes:
        model: as given by the request that loaded it.
        expires_at: when its keep-alive ends; during a request, the time set after the one before, maybe past.
        requests: how many are using it now.
        used_at: when its last request, or else its load, ended.
        memory_bytes: the resident memory of its process.
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
    """A request that waits. ``granted`` is done once it has its slot, has failed or was cancelled."""

    def __init__(self, key: str, model: M, config: C, keep_alive: timedelta | None) -> None:
        self.key = key
        self.model = model
        self.config = config
        self.keep_alive = keep_alive
        self.granted: Future[Slot[M, C, R]] = asyncio.get_running_loop().create_future()


class Slot(Generic[M, C, R]):
    """A taken slot, from the beginning of the load until the process has ended.

    Attributes:
        requests: how many are using the model now.
        fresh: no request has used the model yet.
        ends_s: when its keep-alive ends, in monotonic seconds; infinite for never.
        used_s: when it was last used, in monotonic seconds.
    """

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

    def resident(self, clock: Clock) -> ResidentModel[M, C, R] | None:
        """The loaded model; None while it is loading."""
        if self.runner is None:
            return None
        return ResidentModel(
            key=self.key,
            model=self.model,
            config=self.config,
            runner=self.runner,
            # As in Ollama, the time is set when the first request ends.
            expires_at=self.expires_at or clock.now() + self.stay,
            requests=self.requests,
            used_at=self.used_at or clock.now(),
            memory_bytes=self.runner.memory_bytes(),
        )

    @property
    def stay(self) -> timedelta:
        """How long the model stays after a request. A negative keep-alive is for ever: Ollama's 292 years."""
        return LONGEST if self.keep_alive < ZERO else min(self.keep_alive, LONGEST)

    def was_used(self, clock: Clock) -> None:
        """Note that a request, or the load, has ended."""
        self.used_s, self.used_at = clock.seconds(), clock.now()

    def set_expiry(self, clock: Clock) -> None:
        """Start the keep-alive: the last request has ended."""
        self.expires_at = clock.now() + self.stay
        self.ends_s = math.inf if self.stay == LONGEST else clock.seconds() + self.stay.total_seconds()

    def cancel_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.timer = None
