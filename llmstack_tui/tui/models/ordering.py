"""Which lines of the list are shown, and in which order. Pure: no Textual, no clock."""

from __future__ import annotations

from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar

from msgspec import Struct

from llmstack_tui.base.structs import replace
from llmstack_tui.lifecycle.states import ModelState

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from llmstack_tui.tui.models.rows import ModelRow

_STATES = (
    ModelState.ACTIVE,
    ModelState.LOADING,
    ModelState.STOPPING,
    ModelState.INACTIVE,
    ModelState.CLOUD,
)


class Column(StrEnum):
    """What the list can be sorted by; SERVER is as the server lists it."""

    SERVER = "server"
    NAME = "name"
    UPDATE = "update"
    VERSION = "version"
    QUANTIZATION = "quantisation"
    SIZE = "size"
    MEMORY = "memory"
    STATE = "state"
    SPEED = "speed"
    LEAVES = "leaves"


_LARGEST_FIRST = frozenset({Column.UPDATE, Column.VERSION, Column.SIZE, Column.MEMORY, Column.SPEED})

C = TypeVar("C", bound=StrEnum)


class Sorting(Struct, Generic[C], frozen=True):
    """By which of the columns a list is sorted; by the first of all it is as it comes.

    ``reverse`` turns the usual order of a column around.
    """

    column: C
    reverse: bool = False

    def next(self, among: Collection[C] | None = None) -> Self:
        """By the next column of those, and after the last one as the list comes."""
        every = tuple(type(self.column))
        later = every[every.index(self.column) + 1 :]
        return self._by(next((each for each in later if among is None or each in among), every[0]))

    def reversed(self) -> Self:
        return replace(self, reverse=not self.reverse)

    def chosen(self, column: C) -> Self:
        """After a click on a heading: a second one reverses."""
        return self.reversed() if column is self.column else self._by(column)

    def _by(self, column: C) -> Self:
        return replace(self, column=column, reverse=False)


class Order(Sorting[Column], frozen=True):
    """The order of the models.

    Usual is from a to z, from the largest figure, from the newest version, from what leaves first, and from
    what is busy to what is longest idle.
    """

    column: Column = Column.SERVER

    @property
    def upwards(self) -> bool:
        """Whether what is less stands above what is more."""
        return (self.column in _LARGEST_FIRST) == self.reverse


_AS_LISTED = Order()


class Arrangement(Struct, frozen=True):
    """How the user has arranged the list, from session to session.

    Attributes:
        folded: the URLs of the hosts whose models are not shown.
    """

    order: Order = _AS_LISTED
    folded: tuple[str, ...] = ()


class _Comparable(Protocol):
    def __lt__(self, other: Any, /) -> bool: ...


_FIGURES: Mapping[Column, Callable[[ModelRow], _Comparable | None]] = {
    Column.UPDATE: lambda row: row.figures.download,
    Column.VERSION: lambda row: row.figures.modified_at,
    Column.QUANTIZATION: lambda row: row.quantization.casefold() or None,
    Column.SIZE: lambda row: row.figures.size,
    Column.MEMORY: lambda row: row.figures.memory,
    Column.SPEED: lambda row: row.figures.speed,
    Column.LEAVES: lambda row: row.figures.leaves_at,
}


def ordered(rows: Sequence[ModelRow], order: Order) -> tuple[ModelRow, ...]:
    """What is alike stays as the server lists it; what has no figure comes last either way."""
    figure = _FIGURES.get(order.column)
    if figure is not None:
        return _known_first(rows, figure, reverse=not order.upwards)
    if order.column is Column.SERVER:
        return tuple(reversed(rows)) if order.reverse else tuple(rows)
    key = _by_state if order.column is Column.STATE else _by_name
    return tuple(sorted(rows, key=key, reverse=order.reverse))


def _by_name(row: ModelRow) -> _Comparable:
    return row.name.casefold()


def _by_state(row: ModelRow) -> _Comparable:
    figures = row.figures
    # What is busy comes first, what nobody knows about last.
    worked_s = inf if figures.busy else -inf if figures.idle_since_s is None else figures.idle_since_s
    return _STATES.index(row.state), -worked_s


def _known_first(
    rows: Sequence[ModelRow], figure: Callable[[ModelRow], _Comparable | None], *, reverse: bool
) -> tuple[ModelRow, ...]:
    figures = [(figure(row), row) for row in rows]
    known = [(found, row) for found, row in figures if found is not None]
    known.sort(key=lambda each: each[0], reverse=reverse)
    return (*(row for _, row in known), *(row for found, row in figures if found is None))


def matching(rows: Sequence[ModelRow], text: str) -> tuple[ModelRow, ...]:
    """The lines that have every word of ``text`` in them, in either case; all of them if it has none."""
    words = text.casefold().split()
    if not words:
        return tuple(rows)
    return tuple(row for row in rows if all(word in row.searched for word in words))
