"""How the list of models is drawn: its columns, its models, and the lines of hosts over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from rich.cells import cell_len

from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.tui.models.arrangement import HostRow, ModelColumn
from llmstack_tui.tui.models.rows import ModelRow
from llmstack_tui.tui.widgets.headings import ColumnHeading
from llmstack_tui.tui.widgets.list import RowList

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.segment import Segment

    from llmstack_tui.tui.draw.glyphs import Marks
    from llmstack_tui.tui.models.arrangement import ListRow
    from llmstack_tui.tui.widgets.list import Pen

_WIDEST_NAME = 60
_LEAST_NAME = 22
_BEFORE_NAME = 4
_SHORT_VERSION, _LONG_VERSION = 10, 21
_STYLES = {
    ModelState.ACTIVE: "good",
    ModelState.LOADING: "warning",
    ModelState.STOPPING: "warning",
    ModelState.INACTIVE: "muted",
    ModelState.CLOUD: "accent",
}


class ColumnWidths(Struct, frozen=True):
    """In cells; a column that has no room is 0. The name takes what the others leave."""

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
    def of(cls, width: int, *, speeds: bool = False, updates: bool = False) -> ColumnWidths:
        """Those that fit, the more important ones first.

        Args:
            speeds, updates: whether there are any to be shown.
        """
        # Cursor, tick, mark and a gap come first; every other column begins with its gap.
        size, memory, word = 8, 8, 14
        left = width - (_BEFORE_NAME + size + memory + word)
        cells = {"update": 0, "version": 0, "quantization": 0, "speed": 0, "leaves": 0}
        wanted = [("update", 10), ("quantization", 9), ("speed", 7), ("leaves", 8)]
        wanted += [("version", _SHORT_VERSION), ("version", _LONG_VERSION)]
        for column, wide in wanted:
            if (column == "speed" and not speeds) or (column == "update" and not updates):
                continue
            if left - (wide - cells[column]) < _LEAST_NAME:
                break
            left -= wide - cells[column]
            cells[column] = wide
        return cls(max(0, min(_WIDEST_NAME, left)), size=size, memory=memory, word=word, **cells)

    def headings(self) -> Iterator[ColumnHeading[ModelColumn]]:
        """From left to right; the server's own order stands before the name."""
        every = (
            ColumnHeading(" ", _BEFORE_NAME, ModelColumn.SERVER),
            ColumnHeading("Name", self.name, ModelColumn.NAME),
            ColumnHeading(" Update", self.update, ModelColumn.UPDATE),
            ColumnHeading("  Version", self.version, ModelColumn.VERSION),
            ColumnHeading("  Quant.", self.quantization, ModelColumn.QUANTIZATION),
            ColumnHeading("Size", self.size, ModelColumn.SIZE, right=True),
            ColumnHeading("Memory", self.memory, ModelColumn.MEMORY, right=True),
            ColumnHeading("  State", self.word, ModelColumn.STATE),
            ColumnHeading("tok/s", self.speed, ModelColumn.SPEED, right=True),
            ColumnHeading("Leaves", self.leaves, ModelColumn.LEAVES, right=True),
        )
        return (each for each in every if each.cells)


class ModelList(RowList["ListRow"]):
    """Models, under the lines of their hosts where there are several."""

    def __init__(self, marks: Marks, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(marks, id=id)
        self._speeds = self._updates = False

    @property
    def model(self) -> ModelRow | None:
        """The model under the cursor."""
        return self.row if isinstance(self.row, ModelRow) else None

    @property
    def models(self) -> tuple[ModelRow, ...]:
        """Those that are listed."""
        return tuple(row for row in self.rows if isinstance(row, ModelRow))

    def columns(self, width: int) -> ColumnWidths:
        return ColumnWidths.of(width, speeds=self._speeds, updates=self._updates)

    def show_columns(self, *, speeds: bool, updates: bool) -> None:
        """Whether there is a column of speeds, and one of updates."""
        if (speeds, updates) != (self._speeds, self._updates):
            self._speeds, self._updates = speeds, updates
            self.redraw()

    def is_folded(self, row: ListRow) -> bool | None:
        return row.folded if isinstance(row, HostRow) else None

    def draw(self, row: ListRow, line: int, width: int, pen: Pen) -> list[Segment]:
        return _host(row, width, pen) if isinstance(row, HostRow) else _model(row, self.columns(width), pen)


def _model(row: ModelRow, columns: ColumnWidths, pen: Pen) -> list[Segment]:
    present = row.state is not ModelState.INACTIVE and not row.old
    figures = "plain" if present else "muted"
    style = "muted" if row.old else _STYLES[row.state]
    version = f"  {row.digest}"
    if columns.version == _LONG_VERSION:
        version = f"{version:{_SHORT_VERSION}} {row.modified}"
    if row.note and columns.quantization:
        kind = [pen.cell(f"  {row.note}", columns.quantization + columns.size, "muted")]
    else:
        kind = [
            pen.cell(f"  {row.quantization}", columns.quantization, "muted"),
            pen.cell(row.size, columns.size, figures, right=True),
        ]
    # Where the column has no room, its mark stands after the name.
    mark = row.update[0] if row.update and not columns.update else ""
    memory, memory_style = row.memory, figures
    if row.slow:
        memory, memory_style = f"{pen.marks.warning}{row.memory}", "bad"
    return [
        pen.pointer(),
        pen.tick(),
        pen.cell(row.mark, 2, style),
        pen.name(row.name, columns.name - 2 * (len(mark) + len(row.pin)), "name" if present else "plain"),
        pen.cell(f" {row.pin}", 2 * len(row.pin), "pointer"),
        pen.cell(f" {mark}", 2 * len(mark), "accent"),
        pen.cell(f" {row.update}", columns.update, "accent"),
        pen.cell(version, columns.version, "muted"),
        *kind,
        pen.cell(memory, columns.memory, memory_style, right=True),
        pen.cell(f"  {row.word}", columns.word, style),
        pen.cell(row.speed, columns.speed, "plain", right=True),
        pen.cell(row.leaves, columns.leaves, "plain", right=True),
    ]


def _host(host: HostRow, width: int, pen: Pen) -> list[Segment]:
    marks = pen.marks
    mark, style = {
        True: (marks.active, "good"),
        False: (marks.inactive, "bad"),
        None: (marks.loading, "muted"),
    }[host.reachable]
    segments = [
        pen.pointer(),
        pen.cell(marks.folded if host.folded else marks.unfolded, 2, "muted"),
        pen.cell(mark, 2, style),
    ]
    room = width - 5
    texts = ((host.name, "name"), (host.trouble, style), *((each, "muted") for each in host.facts))
    for text, of_text in texts:
        cells = min(cell_len(text), room)
        if cells > 0:
            segments += [pen.cell(text, cells, of_text), pen.cell("", 2, "plain")]
            room -= cells + 2
    return segments
