"""The line above a list that names its columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from llmstack_tui.tui.draw.text import fit

if TYPE_CHECKING:
    from enum import StrEnum

    from textual import events

    from llmstack_tui.tui.draw.glyphs import Marks


class HeadingLine(Widget):
    """Has an arrow at the column that the list is sorted by; a click on another one sorts by that."""

    DEFAULT_CSS = """
    HeadingLine { height: 1; padding-right: 1; background: $surface; color: $foreground 60%; }
    """
    ALLOW_SELECT = False

    class Chosen(Message):
        """A heading was clicked; ``column`` is one of those that the list has."""

        def __init__(self, column: StrEnum) -> None:
            super().__init__()
            self.column = column

    def __init__(self, marks: Marks) -> None:
        super().__init__()
        self._marks = marks

    def use_marks(self, marks: Marks) -> None:
        self._marks = marks
        self.refresh()

    def column_at(self, x: int) -> StrEnum | None:
        """What a click on that cell sorts by."""
        raise NotImplementedError

    def text(self) -> str:
        """The names, each where its column is."""
        raise NotImplementedError

    def on_click(self, event: events.Click) -> None:
        column = self.column_at(event.x)
        if column is not None:
            self.post_message(self.Chosen(column))

    def render_line(self, y: int) -> Strip:
        return Strip([Segment(fit(self.text(), self.size.width), self.visual_style.rich_style)])
