"""A screen over a list with a field above it that searches as you type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.widgets import Input

from llmstack_tui.base.languages import tr
from llmstack_tui.tui.screen import FramedScreen
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.pane import Pane
from llmstack_tui.tui.widgets.table import FilterField

if TYPE_CHECKING:
    from textual.widget import Widget


class SearchedScreen(FramedScreen):
    """A subclass shows its field above its list, and draws the rows that have the words in ``search``."""

    def __init__(self, title: str) -> None:
        super().__init__(Pane(title, id="frame"))
        self.field = FilterField()
        self.search = ""

    def show_found(self) -> None:
        """Draw the rows that have all words of ``search``."""
        raise NotImplementedError

    def follow_language(self) -> None:
        self.show_found()

    def action_search(self) -> None:
        self.field.placeholder = tr("Words to look for")
        self.field.display = True
        self.set_focus(self.field)

    @on(Input.Changed, "#filter")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.search = event.value
        self.show_found()

    @on(FilterField.Kept)
    def _kept(self) -> None:
        self.set_focus(self._list)
        self.field.display = bool(self.search.strip())

    @on(FilterField.Cleared)
    def _cleared(self) -> None:
        self.field.value = ""
        self.field.display = False
        self.set_focus(self._list)

    @property
    def _list(self) -> Widget:
        return self.query(RowList).first()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # In the field the keys of the list are ordinary ones.
        is_own = action in ("change", "next_value", "reset", "search", "close")
        return not (is_own and isinstance(self.focused, FilterField))


def has_words(search: str, *texts: str) -> bool:
    """Whether the texts have all words of a search."""
    every = " ".join(texts).casefold()
    return all(word in every for word in search.casefold().split())
