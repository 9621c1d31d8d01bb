"""What a terminal shows that is too small for anything else."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

_TEXT = (
    "llmstack needs a terminal of at least 60 columns and 16 lines. "
    "Make this one larger, or press {} to leave."
)


class TooSmall(Static):
    """Stands in the place of a screen's body (``#body``)."""

    DEFAULT_CSS = """
    TooSmall { display: none; height: 1fr; padding: 1 2; color: $text-warning; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._key = ""

    def show(self, key: str) -> None:
        """``key`` leaves the program."""
        if key != self._key:
            self._key = key
            self.update(Content(_TEXT.format(key)))
