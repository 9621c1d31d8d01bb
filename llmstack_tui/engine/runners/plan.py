"""Which waiting request gets a runner, which model is loaded and which has to leave: a decision, and no act.

Requests are served in the order of their arrival, except that nobody waits for a model that is loaded and
free to use. A request that cannot be served at once closes what it waits for to those behind it, so that it
gets its turn however many come.
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
    LEAVING = auto()


class Resident(Struct, Generic[C], frozen=True, kw_only=True):
    """A model that takes one of the places.

    Attributes:
        requests: those that it answers now.
        fresh: it was loaded and has answered nothing yet.
        ends_s: monotonic seconds at which it leaves if nobody uses it; infinite for never.
        used_s: monotonic seconds of its last use.
    """

    key: str
    config: C
    phase: Phase
    requests: int = 0
    fresh: bool = False
    ends_s: float = 0.0
    used_s: float = 0.0


class ModelPreference(Struct, Generic[C], frozen=True):
    """A request that waits for a model that runs with some configuration."""

    key: str
    config: C


class Plan(Struct, frozen=True):
    """What to do now. ``grants`` and ``loads`` are positions in the list of wishes, ``stops`` are keys."""

    grants: tuple[int, ...]
    loads: tuple[int, ...]
    stops: tuple[str, ...]


def plan(
    residents: Sequence[Resident[C]],
    wishes: Sequence[ModelPreference[C]],
    *,
    places: int,
    serves: Callable[[C, C], bool],
) -> Plan:
    """What to do about ``wishes``, oldest first. ``serves(loaded, wanted)`` compares two configurations."""
    return _Planner(residents, wishes, places, serves).plan()


class _Planner(Generic[C]):
    def __init__(
        self,
        residents: Sequence[Resident[C]],
        wishes: Sequence[ModelPreference[C]],
        places: int,
        serves: Callable[[C, C], bool],
    ) -> None:
        self._here = {resident.key: resident for resident in residents}
        self._requests = {resident.key: resident.requests for resident in residents}
        self._leaving = {r.key for r in residents if r.phase is Phase.LEAVING}
        self._wishes = wishes
        self._wanted = {wish.key for wish in wishes}
        self._serves = serves
        self._empty = places - len(residents)
        # Empty places, and those that will be.
        self._room = self._empty + len(self._leaving)
        self._closed: set[str] = set()
        self._joined: set[str] = set()
        self._grants: list[int] = []
        self._loads: list[int] = []
        self._stops: list[str] = []

    def plan(self) -> Plan:
        for position, wish in enumerate(self._wishes):
            if wish.key not in self._closed and not self._use(position, wish):
                self._closed.add(wish.key)
                self._claim_place(position, wish)
        for resident in self._here.values():
            if resident.key not in self._leaving and self._is_abandoned(resident):
                self._stop(resident.key)
        return Plan(tuple(self._grants), tuple(self._loads), tuple(self._stops))

    def _use(self, position: int, wish: ModelPreference[C]) -> bool:
        """Let a wish have the model that is there, or wait for the load that will do for it."""
        resident = self._here.get(wish.key)
        if resident is None or wish.key in self._leaving or not self._serves(resident.config, wish.config):
            return False
        if resident.phase is Phase.LOADING:
            self._joined.add(wish.key)
        else:
            self._grants.append(position)
            self._requests[wish.key] += 1
        return True

    def _claim_place(self, position: int, wish: ModelPreference[C]) -> None:
        """Find a place for a model that has to be loaded, now or when somebody has left."""
        resident = self._here.get(wish.key)
        if resident is not None and wish.key not in self._leaving:
            # Loaded, but otherwise than wanted: it is loaded again when its requests have ended.
            if resident.phase is Phase.LOADING or self._requests[wish.key]:
                return
            self._stop(wish.key)
        if self._room <= 0 and not self._make_room():
            return
        self._room -= 1
        if resident is None and self._empty > 0:
            self._empty -= 1
            self._loads.append(position)

    def _make_room(self) -> bool:
        """Stop the idle model that is missed least. If all are busy, let the one leave whose requests end."""
        candidates = [
            resident
            for resident in self._here.values()
            if resident.phase is Phase.READY and resident.key not in self._leaving | self._closed
        ]
        if not candidates:
            return False
        victim = min(
            candidates, key=lambda r: (self._requests[r.key] > 0, r.key in self._wanted, r.ends_s, r.used_s)
        )
        if self._requests[victim.key]:
            self._closed.add(victim.key)
            return False
        self._stop(victim.key)
        return True

    def _stop(self, key: str) -> None:
        self._stops.append(key)
        self._leaving.add(key)
        self._room += 1

    def _is_abandoned(self, resident: Resident[C]) -> bool:
        """Whether it was loaded, or is being loaded, for requests that have all gone."""
        if resident.phase is Phase.LOADING:
            return resident.key not in self._joined
        return resident.fresh and not self._requests[resident.key]
