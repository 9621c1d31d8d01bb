"""The line above a list that names its columns, and the order in which they are sorted."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from msgspec import Struct
from rich.segment import Segment
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from llmstack_tui.base.structs import replace
from llmstack_tui.tui.draw.text import fit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from textual import events

    from llmstack_tui.tui.draw.glyphs import Marks

C = TypeVar("C", bound=StrEnum)


class SortOrder(Struct, Generic[C], frozen=True):
    """By which of its columns a list is sorted; the first column of all stands for the list as it comes.

    ``reverse`` turns the usual order of a column around.
    """

    column: C
    reverse: bool = False

    @property
    def upwards(self) -> bool:
        """Whether what is less stands above what is more."""
        return not self.reverse

    @property
    def is_as_listed(self) -> bool:
        return not self.reverse and self.column is next(iter(type(self.column)))

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


class ColumnHeading(Struct, Generic[C], frozen=True):
    """The name of a column, its cells, and what a click on it sorts by; ``right`` is how it is aligned."""

    title: str
    cells: int
    column: C | None = None
    right: bool = False


class Headings(Widget, Generic[C]):
    """Has an arrow at the column that the list is sorted by; a click on another one sorts by that.

    Args:
        columns: those that have room in so many cells, from left to right.
        order: by which of them the list is sorted.
    """

    DEFAULT_CSS = """
    Headings { height: 1; padding-right: 1; background: $surface; color: $foreground 60%; }
    """
    ALLOW_SELECT = False

    class ColumnChosen(Message):
        """A heading was clicked; ``column`` is one of those that the list has."""

        def __init__(self, column: StrEnum) -> None:
            super().__init__()
            self.column = column

    def __init__(
        self, marks: Marks, columns: Callable[[int], Iterable[ColumnHeading[C]]], order: SortOrder[C]
    ) -> None:
        super().__init__()
        self._marks = marks
        self._columns = columns
        self._order = order

    def use_marks(self, marks: Marks) -> None:
        self._marks = marks
        self.refresh()

    def show(self, order: SortOrder[C]) -> None:
        if order != self._order:
            self._order = order
            self.refresh()

    @property
    def sortable(self) -> tuple[C, ...]:
        """What the list can be sorted by, of what there is room for."""
        return tuple(each.column for each in self._columns(self.size.width) if each.column)

    def column_at(self, x: int) -> C | None:
        """What a click on that cell sorts by."""
        right = 0
        for each in self._columns(self.size.width):
            right += each.cells
            if x < right:
                return each.column
        return None

    def on_click(self, event: events.Click) -> None:
        column = self.column_at(event.x)
        if column is not None:
            self.post_message(self.ColumnChosen(column))

    def render_line(self, y: int) -> Strip:
        text = "".join(map(self._cell, self._columns(self.size.width)))
        return Strip([Segment(fit(text, self.size.width), self.visual_style.rich_style)])

    def _cell(self, heading: ColumnHeading[C]) -> str:
        arrow, order, title = "", self._order, heading.title
        if heading.column is order.column and not order.is_as_listed:
            arrow = self._marks.up if order.upwards else self._marks.down
        if heading.right:
            return fit(f"{arrow}{title}", heading.cells, right=True, ellipsis=self._marks.ellipsis)
        gap = " " if len(title) + 1 < heading.cells else ""
        return fit(f"{title}{gap}{arrow}", heading.cells, ellipsis=self._marks.ellipsis)
