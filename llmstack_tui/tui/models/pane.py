"""The pane of the models: which of them are listed, how, and the line in which that is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.message import Message
from textual.widgets import Input

from llmstack_tui.tui.models.arrangement import (
    Arrangement,
    ModelColumn,
    ModelOrder,
    active_count,
    listed_rows,
    matching,
    ordered,
)
from llmstack_tui.tui.models.list import ModelList
from llmstack_tui.tui.widgets.filter import FilterField
from llmstack_tui.tui.widgets.headings import Headings
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from llmstack_tui.tui.draw.glyphs import Marks
    from llmstack_tui.tui.models.arrangement import HostRow
    from llmstack_tui.tui.models.rows import ModelRow
    from llmstack_tui.tui.shell import Key


class ModelsPane(Pane):
    """Shows those of the models that the filter lets through, in the order that was chosen."""

    class Arranged(Message):
        """The user has sorted the list, or folded a host."""

    def __init__(self, marks: Marks, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__("Models", id=id)
        self.list = ModelList(marks, id="models")
        self.order = ModelOrder()
        self._headings = Headings(marks, lambda width: self.list.columns(width).headings(), self.order)
        self._all: tuple[ModelRow, ...] = ()
        self._hosts: tuple[HostRow, ...] = ()
        self._folded: frozenset[str] = frozenset()
        self._arranged = False
        self._columns = (False, False)
        self._found = 0
        self._when_empty: tuple[str, ...] = ()
        self._when_no_match: tuple[str, ...] = ()
        self._filter = ""
        self._marked: frozenset[Key] = frozenset()
        self._field = FilterField("Filter by name, family, quantization, state")
        self._field.display = False

    def compose(self) -> ComposeResult:
        yield self._headings
        yield self.list

    def on_mount(self) -> None:
        # After the first paint, which it is no part of.
        self.call_after_refresh(self.mount, self._field)

    def show(self, rows: tuple[ModelRow, ...], hosts: tuple[HostRow, ...] = ()) -> None:
        """Draw those of ``rows``, all that there are, that are wanted, under the lines of their hosts."""
        self._all, self._hosts = rows, hosts
        columns = any(row.speed for row in rows), any(row.update for row in rows)
        if columns != self._columns:
            self._columns = columns
            self.list.show_columns(speeds=columns[0], updates=columns[1])
            self._headings.refresh()
        if self._marked:
            self._mark(self._marked & {row.key for row in rows})
        self._show_wanted()

    def show_message(self, lines: Sequence[str], no_match: Sequence[str] = ()) -> None:
        """What stands in the place of models while there are none at all, or the filter lets none through."""
        self._when_empty, self._when_no_match = tuple(lines), tuple(no_match)
        self._show_message()

    def move_to(self, key: Key) -> None:
        """Put the cursor on a model; a filter or a fold that hides it is cleared."""
        if not self.list.move_to(key) and any(row.key == key for row in self._all):
            self.clear_filter()
            self._folded -= {key[0]}
            self._show_wanted()
            self.list.move_to(key)

    @property
    def arrangement(self) -> Arrangement:
        return Arrangement(self.order, tuple(sorted(self._folded)))

    def restore(self, arrangement: Arrangement) -> None:
        """As it was in an earlier session; what was done in this one already counts for more."""
        if not self._arranged:
            self._arranged = True
            self._folded = frozenset(arrangement.folded)
            self.order = arrangement.order
            self._headings.show(self.order)
            self._show_wanted()

    def _rearranged(self) -> None:
        self._arranged = True
        self._show_wanted()
        self.post_message(self.Arranged())

    @property
    def targets(self) -> tuple[Key, ...]:
        """What a key acts on: the marked models, also those that are filtered out; else the selected one."""
        if self._marked:
            return tuple(row.key for row in ordered(self._all, self.order) if row.key in self._marked)
        return (self.list.model.key,) if self.list.model else ()

    def toggle_mark(self) -> None:
        """Mark the model under the cursor, or take its mark away, and go on to the next."""
        if self.list.model:
            self._mark(self._marked ^ {self.list.model.key})
            self._show_title()
            self.list.action_cursor_down()

    def clear_marks(self) -> bool:
        """False if there were none."""
        had = bool(self._marked)
        self._mark(frozenset())
        self._show_title()
        return had

    def _mark(self, keys: frozenset[Key]) -> None:
        self._marked = keys
        self.list.show_marked(keys)

    def sort(self, order: ModelOrder) -> None:
        if order != self.order:
            self.order = order
            self._headings.show(self.order)
            self._rearranged()

    @on(RowList.Folded)
    def _fold(self, event: RowList.Folded) -> None:
        event.stop()
        # What is found is shown wherever it is.
        if not self._filter.strip():
            urls = {host.url for host in self._hosts if host.key == event.key}
            self._folded = self._folded | urls if event.fold else self._folded - urls
            self._rearranged()

    def sort_next(self) -> None:
        """Sort by the next of the columns that there is room for."""
        self.sort(self.order.next(self._headings.sortable))

    @on(Headings.ColumnChosen)
    def _chosen(self, event: Headings.ColumnChosen) -> None:
        self.sort(self.order.chosen(ModelColumn(event.column)))

    def open_filter(self) -> None:
        self._field.display = True
        self.screen.set_focus(self._field)

    def clear_filter(self) -> bool:
        """Show all models again; False if they were shown already."""
        if not self._field.display:
            return False
        had_focus = self._field.has_focus
        self._field.display = False
        self._field.value = ""
        self._set_filter("")
        if had_focus:
            self.screen.set_focus(self.list)
        return True

    @on(Input.Changed, "#filter")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._set_filter(event.value)

    @on(FilterField.Kept)
    def _kept(self) -> None:
        self.screen.set_focus(self.list)
        if not self._filter.strip():
            self.clear_filter()

    @on(FilterField.Cleared)
    def _cleared(self) -> None:
        self.clear_filter()

    def _set_filter(self, text: str) -> None:
        if text != self._filter:
            self._filter = text
            self._show_wanted()

    def _show_wanted(self) -> None:
        wanted, filtered = matching(self._all, self._filter), bool(self._filter.strip())
        self._found = len(wanted)
        shown = listed_rows(
            wanted,
            self._hosts,
            self.order,
            folded=() if filtered else self._folded,
            only_found=filtered,
        )
        self._show_message()
        self.list.show(shown)
        self._show_title()

    def _show_title(self) -> None:
        self.show_title(models_title(self._all, self._found, len(self._marked)))

    def _show_message(self) -> None:
        self.list.show_message(self._when_no_match if self._all else self._when_empty)


def models_title(rows: Sequence[ModelRow], found: int, marked: int = 0) -> str:
    """``found`` is how many of ``rows`` the filter lets through."""
    said = f", {marked} marked" if marked else ""
    if found < len(rows):
        return f"Models  {found} of {len(rows)}{said}"
    return f"Models  {len(rows)}, {active_count(rows)} active{said}" if rows else "Models"
