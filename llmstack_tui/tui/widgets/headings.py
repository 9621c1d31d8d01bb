"""The columns of the list of models, and the line of their names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from llmstack_tui.tui.ordering import Column, Order
from llmstack_tui.tui.text import fit

if TYPE_CHECKING:
    from textual import events

    from llmstack_tui.tui.marks import Marks

_WIDEST_NAME = 60
_BEFORE_NAME = 4


@dataclass(frozen=True, slots=True)
class Columns:
    """Widths in cells; a column that has no room is 0. The name takes what the others leave."""

    name: int
    quantization: int
    size: int
    memory: int
    word: int
    leaves: int

    @classmethod
    def of(cls, width: int) -> Columns:
        # Cursor, tick, mark and a gap come first; every other column begins with its gap.
        quantization, leaves = (9, 10) if width >= 69 else (0, 0)
        size, memory, word = 8, 8, 14
        name = width - (_BEFORE_NAME + quantization + size + memory + word + leaves)
        return cls(max(0, min(_WIDEST_NAME, name)), quantization, size, memory, word, leaves)

    def at(self, x: int) -> Column | None:
        """The column at a cell, if the list can be sorted by it; the server's stands before the name."""
        right = 0
        for width, column in (
            (_BEFORE_NAME, Column.SERVER),
            (self.name, Column.NAME),
            (self.quantization, None),
            (self.size, Column.SIZE),
            (self.memory, Column.MEMORY),
            (self.word, Column.STATE),
        ):
            right += width
            if x < right:
                return column
        return None


class Headings(Widget):
    """The names of the columns, with an arrow at the one that the list is sorted by; a click sorts."""

    DEFAULT_CSS = """
    Headings { height: 1; padding-right: 1; background: $surface; color: $foreground 60%; }
    """
    ALLOW_SELECT = False

    class Chosen(Message):
        """A heading was clicked."""

        def __init__(self, column: Column) -> None:
            super().__init__()
            self.column = column

    def __init__(self, marks: Marks) -> None:
        super().__init__()
        self._marks = marks
        self._order = Order()

    def show(self, order: Order) -> None:
        if order != self._order:
            self._order = order
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        column = Columns.of(self.size.width).at(event.x)
        if column is not None:
            self.post_message(self.Chosen(column))

    def render_line(self, y: int) -> Strip:
        columns = Columns.of(self.size.width)
        # The server's own order needs no arrow, unless it is turned around.
        before = self._arrow(Column.SERVER) if self._order.reverse else ""
        text = fit(f"  {before}", _BEFORE_NAME) + fit(f"Name {self._arrow(Column.NAME)}", columns.name)
        text += fit("  Quant.", columns.quantization)
        text += fit(f"{self._arrow(Column.SIZE)}Size", columns.size, right=True)
        text += fit(f"{self._arrow(Column.MEMORY)}Memory", columns.memory, right=True)
        text += fit(f"  State {self._arrow(Column.STATE)}", columns.word)
        text += fit("Leaves in", columns.leaves, right=True)
        style = self.visual_style.rich_style
        return Strip([Segment(fit(text, self.size.width), style)])

    def _arrow(self, column: Column) -> str:
        if column is not self._order.column:
            return ""
        return self._marks.up if self._order.upwards else self._marks.down
