"""The frame around a screen's content: a box with a title, a banner, and a text if it is too small."""

from __future__ import annotations

from textual.containers import Vertical
from textual.widgets import Static

from llmstack_tui.base.languages import tr
from llmstack_tui.tui.draw.text import content_of


class Pane(Vertical):
    """A framed box. Its title may come from outside, so it is never markup."""

    DEFAULT_CSS = """
    Pane {
        background: $surface;
        border: round $pane-border;
        border-title-color: $foreground;
        border-title-style: bold;
        border-subtitle-color: $text-muted;
        &:focus-within { border: round $primary 75%; }
    }
    """

    def __init__(self, title: str, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id)
        self._title = ""
        self.show_title(title)

    def show_title(self, title: str) -> None:
        if title != self._title:
            self._title = title
            self.border_title = content_of(title)


class Notice(Static):
    """A sentence that is set at every draw, but painted only when it changes."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._text = ""

    def show(self, text: str) -> None:
        if text != self._text:
            # An age in it changes every second; the layout can only change with the length.
            self.update(content_of(text), layout=len(text) != len(self._text))
            self._text = text
            self.set_class(bool(text), "-shown")


class Banner(Notice):
    """The warning at the top; hidden while its text is empty."""

    DEFAULT_CSS = """
    Banner {
        display: none;
        height: auto;
        max-height: 3;
        padding: 0 1;
        background: $warning 22%;
        color: $text;
    }
    Banner.-shown { display: block; }
    """


class TooSmall(Notice):
    """Replaces a screen's body (``#body``) while the terminal is too small."""

    DEFAULT_CSS = """
    TooSmall { display: none; height: 1fr; padding: 1 2; color: $text-warning; }
    """

    def show_key(self, key: str) -> None:
        """Show the text with the ``key`` that quits."""
        said = tr(
            "llmstack needs a terminal of at least 60 columns and 16 lines. "
            "Make this one larger, or press {key} to leave.",
            key=key,
        )
        self.show(said)
