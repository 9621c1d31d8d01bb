"""The list of pulls, drawn line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.downloads.types import DownloadState
from llmstack_tui.tui.downloads.rows import DownloadRow, Heading, Row
from llmstack_tui.tui.widgets.list import RowList

if TYPE_CHECKING:
    from rich.segment import Segment

    from llmstack_tui.tui.widgets.list import Pen

_TONES = {
    DownloadState.WAITING: "muted",
    DownloadState.RUNNING: "warning",
    DownloadState.PAUSED: "warning",
    DownloadState.DONE: "good",
    DownloadState.FAILED: "bad",
    DownloadState.CANCELLED: "muted",
}
_WORD, _AMOUNT, _SPEED, _WHEN = 11, 17, 10, 13
_LEAST_NAME = 16
_HOST, _HOST_FROM = 24, 110
_BAR, _WIDE_BAR, _WIDE_FROM = 22, 40, 100


class DownloadList(RowList[Row]):
    """What is not over has its bar on a second line; what failed, its reason."""

    def height_of(self, row: Row, width: int) -> int:
        return row.height

    def is_heading(self, row: Row) -> bool:
        return isinstance(row, Heading)

    def draw(self, row: Row, line: int, width: int, pen: Pen) -> list[Segment]:
        if isinstance(row, Heading):
            return [pen.cell(f"  {row.text}", width, "heading")]
        return _second(row, width, pen) if line else _first(row, width, pen)


def _first(row: DownloadRow, width: int, pen: Pen) -> list[Segment]:
    tone = _TONES[row.state]
    host = _HOST if row.host and width >= _HOST_FROM else 0
    amount, speed = _AMOUNT, _SPEED
    name = width - (3 + host + _WORD + amount + speed + _WHEN)
    if name < _LEAST_NAME and not row.state.is_over:
        name, speed = name + speed, 0
    if name < _LEAST_NAME:
        name, amount = name + amount, 0
    is_over = row.state.is_over
    present = "muted" if is_over else "plain"
    # When it ended takes more room than how long it takes.
    end = (
        [pen.cell(f"  {row.when}", _SPEED + _WHEN, "muted", right=True)]
        if is_over
        else [
            pen.cell(row.speed, speed, "plain", right=True),
            pen.cell(f"  {row.when}", _WHEN, "plain", right=True),
        ]
    )
    return [
        pen.pointer(),
        pen.cell(row.mark, 2, tone),
        pen.name(row.name, name, "plain" if is_over else "name"),
        pen.cell(f"  {row.host}", host, "muted"),
        pen.cell(f"  {row.word}", _WORD, tone),
        pen.cell(row.amount, amount, present, right=True),
        *end,
    ]


def _second(row: DownloadRow, width: int, pen: Pen) -> list[Segment]:
    segments = [pen.pointer(), pen.cell("", 2, "plain")]
    room = width - 3
    if row.share is not None:
        cells = _WIDE_BAR if width >= _WIDE_FROM else _BAR
        full = min(cells, max(1 if row.share > 0 else 0, int(row.share * cells)))
        segments += [
            pen.cell(pen.marks.full * full, full, "pointer"),
            pen.cell(pen.marks.empty * (cells - full), cells - full, "muted"),
            pen.cell(f"{int(row.share * 100)} %", 6, "plain", right=True),
            pen.cell("", 2, "plain"),
        ]
        room -= cells + 8
    tone = "bad" if row.state is DownloadState.FAILED else "muted"
    return [*segments, pen.cell(row.note, room, tone)]
