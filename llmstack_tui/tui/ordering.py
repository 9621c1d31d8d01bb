"""Which lines of the list are shown, and in which order. Pure: no Textual, no clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from llmstack_tui.lifecycle.states import ModelState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstack_tui.tui.rows import ModelRow

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
    SIZE = "size"
    MEMORY = "memory"
    STATE = "state"


_COLUMNS = tuple(Column)
_LARGEST_FIRST = frozenset({Column.SIZE, Column.MEMORY})


@dataclass(frozen=True, slots=True)
class Order:
    """``reverse`` turns the usual order of a column around: names from a to z, figures from the largest."""

    column: Column = Column.SERVER
    reverse: bool = False

    @property
    def upwards(self) -> bool:
        """Whether what is less stands above what is more."""
        return (self.column in _LARGEST_FIRST) == self.reverse

    def next(self) -> Order:
        return Order(_COLUMNS[(_COLUMNS.index(self.column) + 1) % len(_COLUMNS)])

    def reversed(self) -> Order:
        return replace(self, reverse=not self.reverse)

    def chosen(self, column: Column) -> Order:
        """After a click on a heading: a second one reverses."""
        return self.reversed() if column is self.column else Order(column)


def ordered(rows: Sequence[ModelRow], order: Order) -> tuple[ModelRow, ...]:
    """What is alike stays as the server lists it; what has no figure comes last either way."""
    match order.column:
        case Column.SERVER:
            return tuple(reversed(rows)) if order.reverse else tuple(rows)
        case Column.NAME:
            return tuple(sorted(rows, key=lambda row: row.name.casefold(), reverse=order.reverse))
        case Column.STATE:
            return tuple(sorted(rows, key=lambda row: _STATES.index(row.state), reverse=order.reverse))
        case Column.SIZE:
            return _by_figure(rows, [row.size_bytes for row in rows], order)
        case Column.MEMORY:
            return _by_figure(rows, [row.memory_bytes for row in rows], order)


def _by_figure(rows: Sequence[ModelRow], figures: Sequence[int | None], order: Order) -> tuple[ModelRow, ...]:
    sign = 1 if order.reverse else -1
    known = [(sign * figure, row) for row, figure in zip(rows, figures, strict=True) if figure is not None]
    known.sort(key=lambda each: each[0])
    unknown = (row for row, figure in zip(rows, figures, strict=True) if figure is None)
    return (*(row for _, row in known), *unknown)


def matching(rows: Sequence[ModelRow], text: str) -> tuple[ModelRow, ...]:
    """The lines that have every word of ``text`` in them, in either case; all of them if it has none."""
    words = text.casefold().split()
    return tuple(row for row in rows if all(word in row.searched for word in words))
