"""What stands around a list: the names of its columns, by which it is sorted, and the line of its filter."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar

from msgspec import Struct
from rich.segment import Segment
from textual import on
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from llmstack_tui.base.structs import replace
from llmstack_tui.tui import keys
from llmstack_tui.tui.draw.text import fit
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.tui.draw.marks import Marks

T = TypeVar("T")
C = TypeVar("C", bound=StrEnum)
S = TypeVar("S", bound="SortOrder[Any]")

_MOST_CHARACTERS = 200


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


class _Comparable(Protocol):
    def __lt__(self, other: Any, /) -> bool: ...


def known_first(
    rows: Sequence[T], figure: Callable[[T], _Comparable | None], *, reverse: bool
) -> tuple[T, ...]:
    """Sorted by a figure of theirs; what has none comes last either way."""
    figures = [(figure(row), row) for row in rows]
    known = [(found, row) for found, row in figures if found is not None]
    known.sort(key=lambda each: each[0], reverse=reverse)
    return (*(row for _, row in known), *(row for found, row in figures if found is None))


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


class FilterField(Input):
    """Posts `Input.Changed` for every letter; what the keys mean is up to the pane around it."""

    DEFAULT_CSS = """
    FilterField, FilterField:focus { border: none; height: 1; padding: 0 1; background: $panel; }
    FilterField:focus { background: $primary 18%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*keys.FILTER]

    class Kept(Message):
        """Back to the list, which stays filtered."""

    class Cleared(Message):
        """Back to the whole list."""

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, max_length=_MOST_CHARACTERS, id="filter")
        self.display = False

    def action_keep(self) -> None:
        self.post_message(self.Kept())

    def action_clear(self) -> None:
        self.post_message(self.Cleared())


class TablePane(Pane, Generic[S]):
    """A list under the names of its columns, and over the line in which its filter is typed.

    Args:
        placeholder: says what the filter looks in.

    Attributes:
        order: as the list is sorted.
        filter_text: what was typed.
        is_arranged: the user has arranged it, or it is as in an earlier session.
    """

    class Arranged(Message):
        """The user has sorted the list, or folded what is in it."""

    class Filtered(Message):
        """The user has typed another filter, or cleared it."""

    def __init__(
        self,
        title: str,
        rows: Widget,
        headings: Headings[Any],
        order: S,
        *,
        placeholder: str,
        id: str | None = None,  # noqa: A002  # Textual's own name
    ) -> None:
        super().__init__(title, id=id)
        self.order = order
        self.filter_text = ""
        self.headings = headings
        self._table = rows
        self._field = FilterField(placeholder)
        self.is_arranged = False

    def compose(self) -> ComposeResult:
        yield self.headings
        yield self._table

    def on_mount(self) -> None:
        # After the first paint, which it is no part of.
        self.call_after_refresh(self.mount, self._field)

    def show_wanted(self) -> None:
        """Draw what the filter lets through, in this order; after each change of either."""

    def restore(self, order: S) -> None:
        """As it was in an earlier session; what was done in this one already counts for more."""
        if not self.is_arranged:
            self.is_arranged = True
            self.order = order
            self.headings.show(order)
            self.show_wanted()

    def rearranged(self) -> None:
        self.is_arranged = True
        self.show_wanted()
        self.post_message(self.Arranged())

    # The order

    def sort(self, order: S) -> None:
        if order != self.order:
            self.order = order
            self.headings.show(order)
            self.rearranged()

    def sort_next(self) -> None:
        """Sort by the next of the columns that there is room for."""
        self.sort(self.order.next(self.headings.sortable))

    @on(Headings.ColumnChosen)
    def _chosen(self, event: Headings.ColumnChosen) -> None:
        self.sort(self.order.chosen(event.column))

    # The filter

    def open_filter(self) -> None:
        self._field.display = True
        self.screen.set_focus(self._field)

    def clear_filter(self) -> bool:
        """Show all again; False if all were shown already."""
        if not self._field.display:
            return False
        had_focus = self._field.has_focus
        self._field.display = False
        self._field.value = ""
        self._set_filter("")
        if had_focus:
            self.screen.set_focus(self._table)
        return True

    @on(Input.Changed, "#filter")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._set_filter(event.value)

    @on(FilterField.Kept)
    def _kept(self) -> None:
        self.screen.set_focus(self._table)
        if not self.filter_text.strip():
            self.clear_filter()

    @on(FilterField.Cleared)
    def _cleared(self) -> None:
        self.clear_filter()

    def _set_filter(self, text: str) -> None:
        if text != self.filter_text:
            self.filter_text = text
            self.show_wanted()
            self.post_message(self.Filtered())
