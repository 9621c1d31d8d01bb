"""The scheduler's rule: which pending request gets a runner, which model is loaded and which is stopped.

Requests are served in the order of their arrival, but one whose model is loaded overtakes those that wait for
another. A request that has to wait closes the model that it waits for, or whose slot it waits for, to later
requests, so that it gets its turn however many come.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

C = TypeVar("C")


class Phase(Enum):
    LOADING = auto()
    READY = auto()
    STOPPING = auto()


class SlotState(Struct, Generic[C], frozen=True, kw_only=True):
    """A slot that is taken, as `plan` sees it.

    Attributes:
        requests: how many are using the model now.
        fresh: no request has used the model yet.
        ends_s: when its keep-alive ends, in monotonic seconds; infinite for never.
        used_s: when it was last used, in monotonic seconds.
    """

    key: str
    config: C
    phase: Phase
    requests: int = 0
    fresh: bool = False
    ends_s: float = 0.0
    used_s: float = 0.0


class PendingRequest(Struct, Generic[C], frozen=True):
    """A request that waits for the model ``key``, run with ``config``."""

    key: str
    config: C


class Plan(Struct, frozen=True):
    """What to do now: ``grants`` and ``loads`` are positions of pending requests, ``stops`` are keys."""

    grants: tuple[int, ...]
    loads: tuple[int, ...]
    stops: tuple[str, ...]


def plan(
    slots: Sequence[SlotState[C]],
    pending: Sequence[PendingRequest[C]],
    *,
    count: int,
    serves: Callable[[C, C], bool],
) -> Plan:
    """What to do about ``pending``, oldest first, with ``count`` slots, of which ``slots`` are taken.

    ``serves(loaded, wanted)`` tells whether a model loaded with one configuration can serve a request for
    another.
    """
    return _Planner(slots, pending, count, serves).plan()


class _Planner(Generic[C]):
    def __init__(
        self,
        slots: Sequence[SlotState[C]],
        pending: Sequence[PendingRequest[C]],
        count: int,
        serves: Callable[[C, C], bool],
    ) -> None:
        self._slots = {slot.key: slot for slot in slots}
        self._requests = {slot.key: slot.requests for slot in slots}
        self._stopping = {slot.key for slot in slots if slot.phase is Phase.STOPPING}
        self._pending = pending
        self._wanted = {request.key for request in pending}
        self._serves = serves
        self._empty = count - len(slots)
        # Empty slots, and those that will be.
        self._room = self._empty + len(self._stopping)
        self._closed: set[str] = set()
        self._joined: set[str] = set()
        self._grants: list[int] = []
        self._loads: list[int] = []
        self._stops: list[str] = []

    def plan(self) -> Plan:
        for position, request in enumerate(self._pending):
            if request.key not in self._closed and not self._use(position, request):
                self._closed.add(request.key)
                self._claim_slot(position, request)
        for slot in self._slots.values():
            if slot.key not in self._stopping and self._is_abandoned(slot):
                self._stop(slot.key)
        return Plan(tuple(self._grants), tuple(self._loads), tuple(self._stops))

    def _use(self, position: int, request: PendingRequest[C]) -> bool:
        """Grant a request its model if it is loaded; if it is loading, let the request wait for that."""
        slot = self._slots.get(request.key)
        if slot is None or request.key in self._stopping or not self._serves(slot.config, request.config):
            return False
        if slot.phase is Phase.LOADING:
            self._joined.add(request.key)
        else:
            self._grants.append(position)
            self._requests[request.key] += 1
        return True

    def _claim_slot(self, position: int, request: PendingRequest[C]) -> None:
        """Find a slot for a model that has to be loaded, now or when a slot becomes empty."""
        slot = self._slots.get(request.key)
        if slot is not None and request.key not in self._stopping:
            # Loaded with another configuration: it is loaded again once its requests have ended.
            if slot.phase is Phase.LOADING or self._requests[request.key]:
                return
            self._stop(request.key)
        if self._room <= 0 and not self._make_room():
            return
        self._room -= 1
        if slot is None and self._empty > 0:
            self._empty -= 1
            self._loads.append(position)

    def _make_room(self) -> bool:
        """Stop the idle model that is needed least. If all are busy, close one to later requests."""
        candidates = [
            slot
            for slot in self._slots.values()
            if slot.phase is Phase.READY and slot.key not in self._stopping | self._closed
        ]
        if not candidates:
            return False
        victim = min(
            candidates, key=lambda s: (self._requests[s.key] > 0, s.key in self._wanted, s.ends_s, s.used_s)
        )
        if self._requests[victim.key]:
            self._closed.add(victim.key)
            return False
        self._stop(victim.key)
        return True

    def _stop(self, key: str) -> None:
        self._stops.append(key)
        self._stopping.add(key)
        self._room += 1

    def _is_abandoned(self, slot: SlotState[C]) -> bool:
        """Whether all the requests have gone for which it was loaded or is loading."""
        if slot.phase is Phase.LOADING:
            return slot.key not in self._joined
        return slot.fresh and not self._requests[slot.key]
