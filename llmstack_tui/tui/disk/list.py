"""The list of the disk: a line for each folder, model and file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from rich.cells import cell_len

from llmstack_tui.tui.disk.order import DiskColumn
from llmstack_tui.tui.draw.text import thing_at
from llmstack_tui.tui.widgets.list import RowList

if TYPE_CHECKING:
    from rich.segment import Segment

    from llmstack_tui.tui.draw.text import Pen

_SIZE, _USED, _NOTE, _LEAST_NAME = 10, 13, 37, 9
_WIDE_FROM = 100


class DiskRow(Struct, frozen=True, kw_only=True):
    """A line: a name, sizes, and a remark."""

    key: str
    name: str
    size: str = ""
    shared: str = ""
    alone: str = ""
    used: str = ""
    note: str = ""
    removable: bool = False
    is_heading: bool = False


class DiskList(RowList[DiskRow]):
    """Lists names, sizes, and what a clean-up would do."""

    def is_heading(self, row: DiskRow) -> bool:
        return row.is_heading

    def draw(self, row: DiskRow, line: int, width: int, pen: Pen) -> list[Segment]:
        # A row without sizes leaves their columns to the remark.
        used = _used_cells(width) if row.size else 0
        sizes = 3 * _SIZE + used if row.size else 0
        room = max(width - 2 - sizes, 0)
        # Remarks are aligned in a column on a wide list; else the name takes the spare width.
        wanted = _NOTE if sizes and width >= _WIDE_FROM else cell_len(row.note) + 2
        note = min(wanted, max(room - _LEAST_NAME, 0)) if row.note else 0
        tone = "heading" if row.is_heading else "plain"
        muted = "heading" if row.is_heading else "muted"
        texts = ((row.size, tone), (row.shared, muted), (row.alone, muted)) if sizes else ()
        return [
            pen.pointer(),
            pen.cell("", 1, "plain"),
            pen.cell(row.name, room - note, tone),
            pen.cell(f"  {row.note}", note, "warning" if row.removable else "muted"),
            *(pen.cell(text, _SIZE, style, right=True) for text, style in texts),
            *([pen.cell(row.used, used, muted, right=True)] if used else []),
        ]

    def column_at(self, x: int) -> DiskColumn | None:
        """The column that a click on this cell sorts by."""
        width = self.scrollable_content_region.width
        used = _used_cells(width)
        columns = (DiskColumn.SIZE, _SIZE), (DiskColumn.SHARED, _SIZE), (DiskColumn.FREES, _SIZE)
        name = width - 3 * _SIZE - used
        return thing_at(x, ((DiskColumn.NAME, name), *columns, (DiskColumn.USED, used)))


def _used_cells(width: int) -> int:
    """The width of the column that says when a model was last used."""
    return _USED if width >= _WIDE_FROM else 0
