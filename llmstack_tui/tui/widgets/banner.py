"""A line across the screen, there only while something is wrong with the server."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class Banner(Static):
    """Hidden while its text is empty."""

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

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._text = ""

    def show(self, text: str) -> None:
        if text == self._text:
            return
        # The age of the figures changes every second; only another length can change the layout.
        self.update(Content(text), layout=len(text) != len(self._text))
        self._text = text
        self.set_class(bool(text), "-shown")
