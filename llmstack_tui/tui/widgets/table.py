"""The frame of a list that is sorted and filtered: its headings, and the field of its filter."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar

from msgspec import Struct
from rich.cells import cell_len
from textual import on
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from llmstack_tui.base.languages import tr
from llmstack_tui.base.structs import replace
from llmstack_tui.tui import keys
from llmstack_tui.tui.draw.text import fit, segment, thing_at
from llmstack_tui.tui.shell import shell_of
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType


T = TypeVar("T")
C = TypeVar("C", bound=StrEnum)
S = TypeVar("S", bound="SortOrder[Any]")

_MOST_CHARACTERS = 200


class SortOrder(Struct, Generic[C], frozen=True):
    """The column by which a list is sorted; the first column means the original order.

    ``reverse`` reverses the default order of the column.
    """

    column: C
    reverse: bool = False

    @property
    def upwards(self) -> bool:
        """Whether lower values come first."""
        return not self.reverse

    @property
    def is_as_listed(self) -> bool:
        return not self.reverse and self.column is next(iter(type(self.column)))

    def next(self, among: Collection[C] | None = None) -> Self:
        """The order by the next column (of ``among``), and after the last one the original order."""
        every = tuple(type(self.column))
        later = every[every.index(self.column) + 1 :]
        return self._by(next((each for each in later if among is None or each in among), every[0]))

    @property
    def words(self) -> str:
        """How the list is sorted, for its title; "" in the original order."""
        is_first = self.column is next(iter(type(self.column)))
        by = "" if is_first else tr("by {column}", column=tr(self.column.value))
        said = [by, tr("reversed") if self.reverse else ""]
        return ", ".join(filter(None, said))

    def reversed(self) -> Self:
        return replace(self, reverse=not self.reverse)

    def chosen(self, column: C) -> Self:
        """The order after a click on a heading; a second click reverses it."""
        return self.reversed() if column is self.column else self._by(column)

    def _by(self, column: C) -> Self:
        return replace(self, column=column, reverse=False)


class _Comparable(Protocol):
    def __lt__(self, other: Any, /) -> bool: ...


def known_first(
    rows: Sequence[T], figure: Callable[[T], _Comparable | None], *, reverse: bool
) -> tuple[T, ...]:
    """Sort rows by a figure; those without one come last, also in reverse."""
    figures = [(figure(row), row) for row in rows]
    known = [(found, row) for found, row in figures if found is not None]
    known.sort(key=lambda each: each[0], reverse=reverse)
    return (*(row for _, row in known), *(row for found, row in figures if found is None))


class ColumnHeading(Struct, Generic[C], frozen=True):
    """A column's title, width in cells, and sort column if it has one; ``right`` aligns it to the right.

    The title is translated where it is drawn.
    """

    title: str
    cells: int
    column: C | None = None
    right: bool = False


class Headings(Widget, Generic[C]):
    """The headings of a list. An arrow marks the sort column; a click on another sorts by that.

    Args:
        columns: returns the columns that fit into a width, from left to right.
        order: the current order.
    """

    DEFAULT_CSS = """
    Headings { height: 1; padding-right: 1; background: $surface; color: $text-muted; }
    """
    ALLOW_SELECT = False

    class ColumnChosen(Message):
        """A heading was clicked; ``column`` is one of the list's columns."""

        def __init__(self, column: StrEnum) -> None:
            super().__init__()
            self.column = column

    def __init__(self, columns: Callable[[int], Iterable[ColumnHeading[C]]], order: SortOrder[C]) -> None:
        super().__init__()
        self._columns = columns
        self._order = order

    def show(self, order: SortOrder[C]) -> None:
        if order != self._order:
            self._order = order
            self.refresh()

    @property
    def sortable(self) -> tuple[C, ...]:
        """The visible columns that the list can be sorted by."""
        return tuple(each.column for each in self._columns(self.size.width) if each.column)

    def column_at(self, x: int) -> C | None:
        """The column that a click on this cell sorts by."""
        return thing_at(x, ((each.column, each.cells) for each in self._columns(self.size.width)))

    def on_click(self, event: events.Click) -> None:
        column = self.column_at(event.x)
        if column is not None:
            self.post_message(self.ColumnChosen(column))

    def render_line(self, y: int) -> Strip:
        text = "".join(map(self._cell, self._columns(self.size.width)))
        return Strip([segment(fit(text, self.size.width), self.visual_style.rich_style)])

    def _cell(self, heading: ColumnHeading[C]) -> str:
        arrow, order, title, marks = "", self._order, tr(heading.title), shell_of(self).marks
        if heading.column is order.column and not order.is_as_listed:
            arrow = marks.up if order.upwards else marks.down
        if heading.right:
            return fit(f"{arrow}{title}", heading.cells, right=True, ellipsis=marks.ellipsis)
        gap = " " if cell_len(title) + 1 < heading.cells else ""
        return fit(f"{title}{gap}{arrow}", heading.cells, ellipsis=marks.ellipsis)


class FilterField(Input):
    """Posts `Input.Changed` for every letter; the pane around it handles the keys."""

    DEFAULT_CSS = """
    FilterField, FilterField:focus { border: none; height: 1; padding: 0 1; background: $panel; }
    FilterField:focus { background: $primary 18%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*keys.FILTER]

    class Kept(Message):
        """The user goes back to the list and keeps the filter."""

    class Cleared(Message):
        """The user clears the filter."""

    def __init__(self) -> None:
        super().__init__(max_length=_MOST_CHARACTERS, id="filter")
        self.display = False

    def action_keep(self) -> None:
        self.post_message(self.Kept())

    def action_clear(self) -> None:
        self.post_message(self.Cleared())


class TablePane(Pane, Generic[S]):
    """A list with its headings above and its filter field below.

    Args:
        placeholder: says what the filter searches; translated when the field is opened.

    Attributes:
        order: the current order.
        filter_text: the text of the filter.
        is_arranged: the user has arranged the list, or an earlier arrangement was restored.
    """

    class Arranged(Message):
        """The user has sorted the list, or folded rows."""

    class Filtered(Message):
        """The user has changed or cleared the filter."""

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
        self._placeholder, self._field = placeholder, FilterField()
        self.is_arranged = False

    @property
    def sorted_by(self) -> str:
        """The order in words."""
        return self.order.words

    def compose(self) -> ComposeResult:
        yield self.headings
        yield self._table

    def on_mount(self) -> None:
        # After the first paint, which does not need it.
        self.call_after_refresh(self.mount, self._field)

    def show_wanted(self) -> None:
        """Draw the rows that match the filter, in order; called after each change of either."""

    def restore(self, order: S) -> None:
        """Restore the order of an earlier session, unless the user has changed it in this."""
        if not self.is_arranged:
            self.is_arranged = True
            self._use(order)
            self.show_wanted()

    def rearranged(self) -> None:
        self.is_arranged = True
        self.show_wanted()
        self.post_message(self.Arranged())

    # The order

    def sort(self, order: S) -> None:
        if order != self.order:
            self._use(order)
            self.rearranged()

    def _use(self, order: S) -> None:
        self.order = order
        self.headings.show(order)

    def sort_next(self) -> None:
        """Sort by the next visible column."""
        self.sort(self.order.next(self.headings.sortable))

    @on(Headings.ColumnChosen)
    def _chosen(self, event: Headings.ColumnChosen) -> None:
        self.sort(self.order.chosen(event.column))

    # The filter

    def open_filter(self) -> None:
        self._field.placeholder = tr(self._placeholder)
        self._field.display = True
        self.screen.set_focus(self._field)

    def clear_filter(self) -> bool:
        """Show all rows again; False if there was no filter."""
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
