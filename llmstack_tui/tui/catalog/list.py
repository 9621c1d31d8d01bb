"""The list of the catalogue and the names of its columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from textual.strip import Strip

from llmstack_tui.catalog.memory import Fit
from llmstack_tui.tui.catalog.rows import CatalogRow, Column, Order
from llmstack_tui.tui.draw.text import fit
from llmstack_tui.tui.widgets.heading_line import HeadingLine
from llmstack_tui.tui.widgets.line_list import LineList

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmstack_tui.tui.draw.glyphs import Marks
    from llmstack_tui.tui.models.strips import Pen

FIT_TONES = {Fit.LONG: "done", Fit.SHORT: "changing", Fit.NO: "failed", Fit.UNKNOWN: "muted"}
_BEFORE = 3
_NAME, _WIDEST_NAME = 22, 34


class _Cell(Struct, frozen=True):
    """A column. ``text`` makes what stands in it; ``sorts`` is what a click on its name sorts by."""

    title: str
    width: int
    text: Callable[[CatalogRow], str]
    sorts: Column | None = None
    right: bool = True


_ALWAYS = (
    _Cell("Size", 7, lambda row: row.parameters, Column.PARAMETERS),
    _Cell("Download", 10, lambda row: row.download, Column.DOWNLOAD),
    _Cell("At 4k", 9, lambda row: row.memory[0], Column.MEMORY),
    _Cell("At 32k", 9, lambda row: row.memory[1]),
    _Cell("  Here", 8, lambda row: f"  {row.fits}", right=False),
)
# As many of them as there is room for, the first ones first; the last takes what is left.
_MORE = (
    _Cell("Context", 9, lambda row: row.context, Column.CONTEXT),
    _Cell("  Licence", 22, lambda row: f"  {row.license}", right=False),
    _Cell("  tok/s on", 24, lambda row: f"  {row.speed}", Column.SPEED, right=False),
)
_GOOD_FOR = _Cell("  Good for", 0, lambda row: f"  {row.good_for}", right=False)
_LEAST_GOOD_FOR = 30


def columns(width: int) -> tuple[tuple[_Cell, int], ...]:
    """The name's column and the others, with their widths."""
    left = width - _BEFORE - _NAME - sum(cell.width for cell in _ALWAYS)
    more: list[tuple[_Cell, int]] = []
    for number, cell in enumerate(_MORE):
        # The purpose says more than the licence.
        if left - cell.width < (_LEAST_GOOD_FOR if number else 0):
            break
        more.append((cell, cell.width))
        left -= cell.width
    name = _NAME
    if left >= _LEAST_GOOD_FOR + _WIDEST_NAME - _NAME:
        name, left = _WIDEST_NAME, left - (_WIDEST_NAME - _NAME)
    if left >= _LEAST_GOOD_FOR:
        more.append((_GOOD_FOR, left))
    else:
        name += min(left, _WIDEST_NAME - name)
    named = _Cell("Name", name, lambda row: row.key, Column.NAME, right=False)
    return ((named, name), *((cell, cell.width) for cell in _ALWAYS), *more)


class CatalogList(LineList[CatalogRow]):
    """What is installed has a tick; what has no room here is dim."""

    def strip(self, item: CatalogRow, part: int, width: int, pen: Pen) -> Strip:
        plain = "muted" if item.fit is Fit.NO else "plain"
        tones = {"Name": "name" if item.fit is not Fit.NO else "plain", "  Here": FIT_TONES[item.fit]}
        return Strip(
            [
                pen.pointer(),
                pen.cell(pen.marks.tick if item.installed else "", _BEFORE - 1, "done"),
                *(
                    pen.cell(cell.text(item), cells, tones.get(cell.title, plain), right=cell.right)
                    for cell, cells in columns(width)
                ),
            ]
        )


class CatalogHeadings(HeadingLine):
    """Of the catalogue."""

    def __init__(self, marks: Marks) -> None:
        super().__init__(marks)
        self._order = Order()

    def show(self, order: Order) -> None:
        if order != self._order:
            self._order = order
            self.refresh()

    @property
    def sortable(self) -> tuple[Column, ...]:
        """What there is room for."""
        return tuple(cell.sorts for cell, _ in columns(self.size.width) if cell.sorts)

    def column_at(self, x: int) -> Column | None:
        right = _BEFORE
        for cell, cells in columns(self.size.width):
            right += cells
            if x < right:
                return cell.sorts
        return None

    def text(self) -> str:
        text = " " * _BEFORE
        for cell, cells in columns(self.size.width):
            arrow = ""
            if cell.sorts is self._order.column:
                arrow = self._marks.down if self._order.reverse else self._marks.up
            title = f"{arrow}{cell.title}" if cell.right else f"{cell.title} {arrow}"
            text += fit(title, cells, right=cell.right, ellipsis=self._marks.ellipsis)
        return text
