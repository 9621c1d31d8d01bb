"""The pane of the models: filters and sorts the list, and shows the counts in its title."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on

from llmstack_tui.base.languages import later, tr
from llmstack_tui.tui.models.arrangement import (
    Arrangement,
    HostRow,
    ModelOrder,
    PullRow,
    active_count,
    listed_rows,
    matching,
    ordered,
)
from llmstack_tui.tui.models.list import ModelList
from llmstack_tui.tui.shell import shell_of
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.table import Headings, TablePane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstack_tui.tui.models.rows import ModelRow
    from llmstack_tui.tui.models.suggestions import NewcomerRow
    from llmstack_tui.tui.view import Key


class ModelsPane(TablePane[ModelOrder]):
    """Shows the models that match the filter, in the chosen order.

    Attributes:
        active_first: the models in memory come first, whatever the order.
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        self.list = ModelList(id="models")
        order = ModelOrder()
        headings = Headings(lambda width: self.list.columns(width).headings(), order)
        what = later("Filter by name, family, quantization, state")
        super().__init__(tr("Models"), self.list, headings, order, placeholder=what, id=id)
        self._all: tuple[ModelRow, ...] = ()
        self._hosts: tuple[HostRow, ...] = ()
        self._pulls: tuple[PullRow, ...] = ()
        self._hints: Sequence[NewcomerRow] = ()
        self.active_first = False
        self._folded: frozenset[str] = frozenset()
        self._found = self._left_out = 0
        self._when_empty: Sequence[str] = ()
        self._marked: frozenset[Key] = frozenset()

    def show(
        self,
        rows: tuple[ModelRow, ...],
        hosts: tuple[HostRow, ...] = (),
        pulls: tuple[PullRow, ...] = (),
        left_out: int = 0,
        hints: Sequence[NewcomerRow] = (),
    ) -> None:
        """Draw those of ``rows`` (all models) that match the filter, under the lines of their hosts.

        Args:
            left_out: the number of models that the servers list beside these.
            hints: what is said to somebody who is new here, below all others.
        """
        self._all, self._hosts, self._pulls, self._left_out = rows, hosts, pulls, left_out
        self._hints = hints
        if self.list.show_columns(rows):
            self.headings.refresh()
        if self._marked:
            self._mark(self._marked & {row.key for row in rows})
        self.show_wanted()

    def show_message(self, lines: Sequence[str]) -> None:
        """Set the text to show while there are no models at all."""
        self._when_empty = lines
        self._show_message()

    def move_to(self, key: Key) -> None:
        """Put the cursor on a model, clearing a filter or fold that hides it."""
        if not self.list.move_to(key) and any(row.key == key for row in self._all):
            self.clear_filter()
            self._folded -= {key[0]}
            self.show_wanted()
            self.list.move_to(key)

    @property
    def arrangement(self) -> Arrangement:
        return Arrangement(self.order, tuple(sorted(self._folded)))

    def recall(self, arrangement: Arrangement) -> None:
        """Restore the arrangement of an earlier session, unless the user has changed it in this."""
        if not self.is_arranged:
            self._folded = frozenset(arrangement.folded)
            self.restore(arrangement.order)

    @property
    def targets(self) -> tuple[Key, ...]:
        """What a key acts on: the marked models, even if filtered out; else the one under the cursor."""
        if self._marked:
            return tuple(row.key for row in ordered(self._all, self.order) if row.key in self._marked)
        return (self.list.model.key,) if self.list.model else ()

    def toggle_mark(self) -> None:
        """Mark or unmark the model under the cursor, and move to the next."""
        if self.list.model:
            self._mark(self._marked ^ {self.list.model.key})
            self._show_title()
            self.list.action_cursor_down()

    def clear_marks(self) -> bool:
        """Clear all marks; False if there were none."""
        had = bool(self._marked)
        self._mark(frozenset())
        self._show_title()
        return had

    def _mark(self, keys: frozenset[Key]) -> None:
        self._marked = keys
        self.list.show_marked(keys)

    @on(RowList.Folded)
    def _fold(self, event: RowList.Folded) -> None:
        event.stop()
        # A filter shows its matches even on folded hosts, so folds do not change then.
        if not self.filter_text.strip():
            urls = {host.url for host in self._hosts if host.key == event.key}
            self._folded = self._folded | urls if event.fold else self._folded - urls
            self.rearranged()

    def show_wanted(self) -> None:
        wanted, filtered = matching(self._all, self.filter_text), bool(self.filter_text.strip())
        self._found = len(wanted)
        shown = listed_rows(
            wanted,
            self._hosts,
            self.order,
            active_first=self.active_first,
            pulls=() if filtered else self._pulls,
            folded=() if filtered else self._folded,
            only_found=filtered,
        )
        self._show_message()
        self.list.show(shown if filtered else (*shown, *self._hints))
        self._show_title()

    def _show_title(self) -> None:
        self.show_title(
            models_title(self._all, self._found, len(self._marked), self.sorted_by, self._left_out)
        )

    def _show_message(self) -> None:
        again = shell_of(self).view.keys["filter.clear"]
        no_match = (tr("No match."), tr("Press {key} to see all of them again.", key=again))
        self.list.show_message(no_match if self._all else self._when_empty)


def models_title(
    rows: Sequence[ModelRow], found: int, marked: int = 0, order: str = "", left_out: int = 0
) -> str:
    """The title; ``found`` is the number of ``rows`` that match the filter, ``order`` how they are sorted."""
    said = (f", {order}" if order else "") + (f", {tr('{count} marked', count=marked)}" if marked else "")
    name, whole = tr("Models"), f"{len(rows)}"
    if left_out:
        whole = tr("the first {count:,} of {of:,}", count=len(rows), of=len(rows) + left_out)
    if found < len(rows):
        return f"{name}  {tr('{count} of {of}', count=found, of=whole)}{said}"
    active = tr("{count} active", count=active_count(rows))
    return f"{name}  {whole}, {active}{said}" if rows else name
