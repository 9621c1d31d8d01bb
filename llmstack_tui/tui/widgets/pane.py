"""A box with a title."""

from __future__ import annotations

from textual.containers import Vertical
from textual.content import Content


class Pane(Vertical):
    """The title may come from outside: it is never markup."""

    DEFAULT_CSS = """
    Pane {
        background: $surface;
        border: round $pane-border;
        border-title-color: $foreground;
        border-title-style: bold;
        border-subtitle-color: $foreground 60%;
        &:focus-within { border: round $primary 60%; }
    }
    """

    def __init__(self, title: str, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id)
        self._title = title
        self._set(title)

    def show_title(self, title: str) -> None:
        if title != self._title:
            self._title = title
            self._set(title)

    def _set(self, title: str) -> None:
        self.border_title = Content(title)
