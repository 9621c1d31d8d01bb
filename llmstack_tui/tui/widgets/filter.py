"""The line under the list in which its filter is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.message import Message
from textual.widgets import Input

from llmstack_tui.tui import keys

if TYPE_CHECKING:
    from textual.binding import BindingType

_MOST_CHARACTERS = 200


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

    def action_keep(self) -> None:
        self.post_message(self.Kept())

    def action_clear(self) -> None:
        self.post_message(self.Cleared())
