"""The scheduler's rule: which pending request gets a runner, which model is loaded and which is stopped.

Requests are served in order of arrival, except that a request whose model is loaded overtakes those that wait
for another model. A request that has to wait closes a model to later requests: the one that it waits for, or
the one whose slot it waits for. So its turn comes, however many requests follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from msgspec import Struct

from llmstack_tui.engine.runners.slots import C, M, Phase, R, Slot, Waiter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Plan(Struct, Generic[M, C, R]):
    """What to do now: requests that get a runner, requests whose model is to be loaded, slots to empty."""

    grants: list[Waiter[M, C, R]] = []
    loads: list[Waiter[M, C, R]] = []
    stops: list[Slot[M, C, R]] = []


class Planner(Generic[M, C, R]):
    """Decides what to do about ``pending``, oldest first, with ``count`` slots, of which ``slots`` are taken.

    ``serves(loaded, wanted)`` tells whether a model loaded with one configuration can serve a request for
    another. It changes nothing.
    """

    def __init__(
        self,
        slots: Sequence[Slot[M, C, R]],
        pending: Sequence[Waiter[M, C, R]],
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
        # Slots that are empty or will be.
        self._room = self._empty + len(self._stopping)
        self._closed: set[str] = set()
        self._joined: set[str] = set()
        self._plan: Plan[M, C, R] = Plan()

    def plan(self) -> Plan[M, C, R]:
        for request in self._pending:
            if request.key not in self._closed and not self._use(request):
                self._closed.add(request.key)
                self._claim_slot(request)
        for slot in self._slots.values():
            if slot.key not in self._stopping and self._is_abandoned(slot):
                self._stop(slot)
        return self._plan

    def _use(self, request: Waiter[M, C, R]) -> bool:
        """Grant a request its model if it is loaded; if it is loading, let the request wait for that."""
        slot = self._slots.get(request.key)
        if slot is None or request.key in self._stopping or not self._serves(slot.config, request.config):
            return False
        if slot.phase is Phase.LOADING:
            self._joined.add(request.key)
        else:
            self._plan.grants.append(request)
            self._requests[request.key] += 1
        return True

    def _claim_slot(self, request: Waiter[M, C, R]) -> None:
        """Find a slot for a model that has to be loaded, now or when a slot becomes empty."""
        slot = self._slots.get(request.key)
        if slot is not None and request.key not in self._stopping:
            # Loaded with another configuration: reload it once its requests have ended.
            if slot.phase is Phase.LOADING or self._requests[request.key]:
                return
            self._stop(slot)
        if self._room <= 0 and not self._make_room():
            return
        self._room -= 1
        if slot is None and self._empty > 0:
            self._empty -= 1
            self._plan.loads.append(request)

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
        self._stop(victim)
        return True

    def _stop(self, slot: Slot[M, C, R]) -> None:
        self._plan.stops.append(slot)
        self._stopping.add(slot.key)
        self._room += 1

    def _is_abandoned(self, slot: Slot[M, C, R]) -> bool:
        """Whether the requests that its model was loaded for have all gone."""
        if slot.phase is Phase.LOADING:
            return slot.key not in self._joined
        return slot.fresh and not self._requests[slot.key]
