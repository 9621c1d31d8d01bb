"""The columns of the list of models, and the line of their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.tui.draw.text import fit
from llmstack_tui.tui.models.ordering import Column, Order
from llmstack_tui.tui.widgets.heading_line import HeadingLine

if TYPE_CHECKING:
    from llmstack_tui.tui.draw.glyphs import Marks

_WIDEST_NAME = 60
_LEAST_NAME = 22
_BEFORE_NAME = 4
SHORT_VERSION, LONG_VERSION = 10, 21


class Columns(Struct, frozen=True):
    """Widths in cells; a column that has no room is 0. The name takes what the others leave."""

    name: int
    update: int
    version: int
    quantization: int
    size: int
    memory: int
    word: int
    speed: int
    leaves: int

    @classmethod
    def of(cls, width: int, *, speeds: bool = False, updates: bool = False) -> Columns:
        """Those that fit, the more important ones first.

        Args:
            speeds, updates: whether there are any to be shown.
        """
        # Cursor, tick, mark and a gap come first; every other column begins with its gap.
        size, memory, word = 8, 8, 14
        left = width - (_BEFORE_NAME + size + memory + word)
        cells = {"update": 0, "version": 0, "quantization": 0, "speed": 0, "leaves": 0}
        wanted = [("update", 10), ("quantization", 9), ("speed", 7), ("leaves", 8)]
        wanted += [("version", SHORT_VERSION), ("version", LONG_VERSION)]
        for column, wide in wanted:
            if (column == "speed" and not speeds) or (column == "update" and not updates):
                continue
            if left - (wide - cells[column]) < _LEAST_NAME:
                break
            left -= wide - cells[column]
            cells[column] = wide
        return cls(max(0, min(_WIDEST_NAME, left)), size=size, memory=memory, word=word, **cells)

    @property
    def sortable(self) -> tuple[tuple[int, Column], ...]:
        """What the list can be sorted by, from left to right; the server's order stands before the name."""
        every = (
            (_BEFORE_NAME, Column.SERVER),
            (self.name, Column.NAME),
            (self.update, Column.UPDATE),
            (self.version, Column.VERSION),
            (self.quantization, Column.QUANTIZATION),
            (self.size, Column.SIZE),
            (self.memory, Column.MEMORY),
            (self.word, Column.STATE),
            (self.speed, Column.SPEED),
            (self.leaves, Column.LEAVES),
        )
        return tuple((width, column) for width, column in every if width)

    def at(self, x: int) -> Column | None:
        """The column at a cell."""
        right = 0
        for width, column in self.sortable:
            right += width
            if x < right:
                return column
        return None


class Headings(HeadingLine):
    """Of the list of models."""

    def __init__(self, marks: Marks) -> None:
        super().__init__(marks)
        self._order = Order()
        self._speeds = self._updates = False

    @property
    def columns(self) -> Columns:
        return Columns.of(self.size.width, speeds=self._speeds, updates=self._updates)

    def show(self, order: Order, *, speeds: bool = False, updates: bool = False) -> None:
        if (order, speeds, updates) != (self._order, self._speeds, self._updates):
            self._order, self._speeds, self._updates = order, speeds, updates
            self.refresh()

    def column_at(self, x: int) -> Column | None:
        return self.columns.at(x)

    def text(self) -> str:
        columns, arrow = self.columns, self._arrow
        # The server's own order needs no arrow, unless it is turned around.
        before = arrow(Column.SERVER) if self._order.reverse else ""
        text = fit(f"  {before}", _BEFORE_NAME) + fit(f"Name {arrow(Column.NAME)}", columns.name)
        text += fit(f" Update {arrow(Column.UPDATE)}", columns.update)
        text += fit(f"  Version{arrow(Column.VERSION)}", columns.version)
        text += fit(f"  Quant.{arrow(Column.QUANTIZATION)}", columns.quantization)
        text += fit(f"{arrow(Column.SIZE)}Size", columns.size, right=True)
        text += fit(f"{arrow(Column.MEMORY)}Memory", columns.memory, right=True)
        text += fit(f"  State {arrow(Column.STATE)}", columns.word)
        text += fit(f"{arrow(Column.SPEED)}tok/s", columns.speed, right=True)
        return text + fit(f"{arrow(Column.LEAVES)}Leaves", columns.leaves, right=True)

    def _arrow(self, column: Column) -> str:
        if column is not self._order.column:
            return ""
        return self._marks.up if self._order.upwards else self._marks.down
