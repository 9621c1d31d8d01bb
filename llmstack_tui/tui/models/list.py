"""The list of the models: its columns, and how its rows are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from rich.cells import cell_len

from llmstack_tui.base.languages import later, tr
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.tui.models.arrangement import HostRow, ModelColumn, PullRow
from llmstack_tui.tui.models.rows import ModelRow
from llmstack_tui.tui.models.suggestions import HintRow, SuggestionRow
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.table import ColumnHeading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.segment import Segment

    from llmstack_tui.tui.draw.text import Pen
    from llmstack_tui.tui.models.arrangement import ListRow
    from llmstack_tui.tui.models.suggestions import NewcomerRow

    ShownRow = ListRow | NewcomerRow


_WIDEST_NAME = 60
_LEAST_NAME, _LEAST_PULLED = 22, 12
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
    """Widths in cells; 0 for a column that does not fit. The name takes the rest."""

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
    def of(cls, width: int, *, speeds: bool = False, updates: bool = False, longest: int = 0) -> ColumnWidths:
        """The columns that fit; the more important ones get room first.

        Args:
            speeds, updates: there is a speed, or an update, to show.
            longest: the cells of the longest name, which is not cut for a version.
        """
        # Cursor, tick, mark and a gap come first; each further column begins with a gap.
        # The word of the state has room for the longest of them, with seconds.
        size, memory, word = 8, 8, cell_len(tr(ModelState.STOPPING)) + 6
        left = width - (_BEFORE_NAME + size + memory + word)
        cells = {"update": 0, "version": 0, "quantization": 0, "speed": 0, "leaves": 0}
        wanted = [("update", 10), ("quantization", 9), ("speed", 7), ("leaves", 8)]
        wanted += [("version", _SHORT_VERSION), ("version", _LONG_VERSION)]
        for column, wide in wanted:
            if (column == "speed" and not speeds) or (column == "update" and not updates):
                continue
            name = min(max(longest, _LEAST_NAME), _WIDEST_NAME) if column == "version" else _LEAST_NAME
            if left - (wide - cells[column]) < name:
                break
            left -= wide - cells[column]
            cells[column] = wide
        return cls(max(0, min(_WIDEST_NAME, left)), size=size, memory=memory, word=word, **cells)

    def headings(self) -> Iterator[ColumnHeading[ModelColumn]]:
        """The headings from left to right; that of the server's own order is before the name."""
        every = (
            ColumnHeading(" ", _BEFORE_NAME, ModelColumn.SERVER),
            ColumnHeading(later("Name"), self.name, ModelColumn.NAME),
            ColumnHeading(later(" Update"), self.update, ModelColumn.UPDATE),
            ColumnHeading(later("  Version"), self.version, ModelColumn.VERSION),
            ColumnHeading(later("  Quant."), self.quantization, ModelColumn.QUANTIZATION),
            ColumnHeading(later("Size"), self.size, ModelColumn.SIZE, right=True),
            ColumnHeading(later("Memory"), self.memory, ModelColumn.MEMORY, right=True),
            ColumnHeading(later("  State"), self.word, ModelColumn.STATE),
            ColumnHeading(later("tok/s"), self.speed, ModelColumn.SPEED, right=True),
            ColumnHeading(later("Leaves"), self.leaves, ModelColumn.LEAVES, right=True),
        )
        return (each for each in every if each.cells)


class ModelList(RowList["ShownRow"]):
    """Lists models, under the lines of the hosts if there are several; in an empty list, suggestions."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id)
        self._speeds = self._updates = False
        self._longest = 0

    @property
    def model(self) -> ModelRow | None:
        """The model under the cursor."""
        return self.row if isinstance(self.row, ModelRow) else None

    @property
    def models(self) -> tuple[ModelRow, ...]:
        """The models that are listed."""
        return tuple(row for row in self.rows if isinstance(row, ModelRow))

    def columns(self, width: int) -> ColumnWidths:
        return ColumnWidths.of(width, speeds=self._speeds, updates=self._updates, longest=self._longest)

    def show_columns(self, rows: Sequence[ModelRow]) -> bool:
        """Choose the columns for all of these rows; False if they stay as they are."""
        before = self._speeds, self._updates, self._longest
        self._speeds, self._updates = any(row.speed for row in rows), any(row.update for row in rows)
        self._longest = max((row.name_cells for row in rows), default=0)
        if before == (self._speeds, self._updates, self._longest):
            return False
        self.redraw()
        return True

    def is_folded(self, row: ShownRow) -> bool | None:
        return row.folded if isinstance(row, HostRow) else None

    def is_heading(self, row: ShownRow) -> bool:
        return isinstance(row, HintRow)

    def height_of(self, row: ShownRow, width: int) -> int:
        return 2 if isinstance(row, SuggestionRow) else 1

    def starts_on(self, row: ShownRow) -> bool:
        return isinstance(row, ModelRow | SuggestionRow)

    def draw(self, row: ShownRow, line: int, width: int, pen: Pen) -> list[Segment]:
        match row:
            case SuggestionRow():
                return _suggestion(row, line, self.columns(width), width, pen)
            case HintRow():
                return [pen.cell(f"   {row.text}", width, "heading" if row.is_heading else "muted")]
            case HostRow():
                return _host(row, width, pen)
            case PullRow():
                return _pull(row, self.columns(width).name, width, pen)
        return _model(row, self.columns(width), pen)


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
    # If the column does not fit, only its mark is shown, after the name.
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


def _pull(row: PullRow, name: int, width: int, pen: Pen) -> list[Segment]:
    # The figures stay whole: the name is shortened for them, and then the word goes.
    room = width - _BEFORE_NAME
    said = f"  {tr('pulling')}  {row.progress}"
    if room - cell_len(said) < _LEAST_PULLED:
        said = f"  {row.progress}"
    name = max(min(name, room - cell_len(said)), 0)
    return [
        pen.pointer(),
        pen.tick(),
        pen.cell(row.mark, 2, "accent"),
        pen.name(row.name, name, "plain"),
        pen.cell(said, room - name, "accent"),
    ]


def _suggestion(row: SuggestionRow, line: int, columns: ColumnWidths, width: int, pen: Pen) -> list[Segment]:
    if line:
        return [pen.pointer(), pen.cell(f"     {row.good_for}", width - 1, "muted")]
    name, plain, fits = ("name", "plain", "good") if row.may_pull else ("muted", "muted", "muted")
    return [
        pen.pointer(),
        pen.cell("", _BEFORE_NAME - 1, plain),
        pen.name(row.name, columns.name, name),
        pen.cell("", columns.update + columns.version, plain),
        pen.cell(f"  {row.quantization}", columns.quantization, "muted"),
        pen.cell(row.download, columns.size, plain, right=True),
        pen.cell(row.memory, columns.memory, plain, right=True),
        pen.cell(f"  {row.fits}", columns.word, fits),
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
