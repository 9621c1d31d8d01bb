"""The list of pulls: its rows, and how they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.text import brief
from llmstack_tui.base.units import bytes_text
from llmstack_tui.core.types import MAX_OVER
from llmstack_tui.core.wording import text
from llmstack_tui.downloads.types import DownloadState, Why
from llmstack_tui.tui.draw.figures import used_text, when_text
from llmstack_tui.tui.draw.text import cells_for
from llmstack_tui.tui.draw.updates import speed_and_left
from llmstack_tui.tui.widgets.list import RowList

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from rich.segment import Segment

    from llmstack_tui.downloads.types import Download
    from llmstack_tui.tui.draw.marks import Marks
    from llmstack_tui.tui.draw.text import Pen


NOT_LIMITED = later("Ollama's own pulls cannot be limited ([updates] limit).")


_RUNNING = {Why.PULL: later("pulling"), Why.UPDATE: later("updating")}


class DownloadRow(Struct, frozen=True, kw_only=True):
    """One pull, as text.

    Attributes:
        key: its id.
        host: empty if there is only one host.
        share: the part that is there, from 0 to 1; None means not known.
        amount: bytes fetched, and of how many.
        when: the time left, or when it ended.
        note: the server's current step, what it waits for, or why it failed; on the second line, after the
            bar if there is one.
    """

    key: int
    state: DownloadState
    mark: str
    name: str
    host: str
    word: str
    share: float | None
    amount: str
    speed: str
    when: str
    note: str

    @property
    def height(self) -> int:
        return 2 if self.note or self.share is not None else 1


class Heading(Struct, frozen=True):
    """The heading of a part of the list, or a line about it, which is no ``title``."""

    text: str
    title: bool = True

    @property
    def key(self) -> str:
        return self.text


Row = DownloadRow | Heading


def download_rows(
    downloads: Sequence[Download],
    now: datetime,
    marks: Marks,
    names: Mapping[str, str],
    unlimited: Collection[str] = (),
) -> tuple[Row, ...]:
    """The queue, then the pulls that are over, under a heading.

    Args:
        names: the names of the hosts by URL; empty if there is only one.
        unlimited: the hosts that download by themselves, where a limit is set that they cannot keep.
    """
    rows: list[tuple[bool, Row]] = [
        (download.state.is_over, _row(download, now, marks, names)) for download in downloads
    ]
    over = [row for is_over, row in rows if is_over]
    under_way = [row for is_over, row in rows if not is_over]
    if any(each.host in unlimited and not each.state.is_over for each in downloads):
        under_way.append(Heading(tr(NOT_LIMITED), title=False))
    is_full = len(over) >= MAX_OVER
    heading = tr("History: the newest {count} are kept", count=len(over)) if is_full else tr("History")
    return (*under_way, Heading(heading), *over) if over else tuple(under_way)


def downloads_title(downloads: Sequence[Download]) -> str:
    """The title, with the number of pulls in each state that is not over."""
    said = [
        f"{count} {tr(state)}"
        for state in (DownloadState.RUNNING, DownloadState.WAITING, DownloadState.PAUSED)
        if (count := sum(download.state is state for download in downloads))
    ]
    return f"{tr('Downloads')}  {', '.join(said)}" if said else tr("Downloads")


def word_of(download: Download) -> str:
    if download.state is DownloadState.RUNNING:
        return tr(_RUNNING[download.why])
    return tr(download.state)


def layer_text(download: Download) -> str:
    """``layer 2 of 5``: the first unfinished layer; "" if there is none."""
    for number, layer in enumerate(download.layers, 1):
        if layer.total is None or layer.completed < layer.total:
            return tr("layer {number} of {count}", number=number, count=len(download.layers))
    return ""


def speed_text(download: Download) -> str:
    """``12 MB/s``; or that no data arrives, because the server is retrying."""
    if download.speed:
        return f"{bytes_text(round(download.speed))}/s"
    is_pulling = download.step.startswith("pulling") and layer_text(download)
    return tr("no data at present") if download.speed == 0 and is_pulling else ""


def share_of(download: Download) -> float | None:
    total = download.total
    return min(download.completed / total, 1.0) if total else None


def _row(download: Download, now: datetime, marks: Marks, names: Mapping[str, str]) -> DownloadRow:
    state, (speed, left) = download.state, speed_and_left(download)
    return DownloadRow(
        key=download.id,
        state=state,
        mark=_mark(state, marks),
        name=download.model,
        host=names.get(download.host, ""),
        word=word_of(download),
        share=None if state.is_over or not download.completed else share_of(download),
        amount=_amount(download),
        speed=speed,
        when=(when_text(download.ended_at, now) if download.ended_at else "") if state.is_over else left,
        note=_note(download, marks),
    )


def _mark(state: DownloadState, marks: Marks) -> str:
    return {
        DownloadState.WAITING: marks.inactive,
        DownloadState.RUNNING: marks.pulling,
        DownloadState.PAUSED: marks.paused,
        DownloadState.DONE: marks.tick,
        DownloadState.FAILED: marks.failed,
        DownloadState.CANCELLED: marks.dot,
    }[state]


def _amount(download: Download) -> str:
    if not download.layers:
        return ""
    if download.state is DownloadState.DONE:
        return bytes_text(download.total)
    return used_text(download.completed, download.total)


def _note(download: Download, marks: Marks) -> str:
    reason = text(*download.reason)
    match download.state:
        case DownloadState.RUNNING:
            stuck = "" if download.speed else speed_text(download)
            parts = (layer_text(download), reason or brief(download.step, 100), stuck)
            return f" {marks.dot} ".join(part for part in parts if part) or tr("beginning")
        case DownloadState.WAITING:
            return reason or tr("waits for its turn")
        case DownloadState.PAUSED:
            return reason or tr("paused by you")
        case DownloadState.DONE:
            return ""
    return reason


_TONES = {
    DownloadState.WAITING: "muted",
    DownloadState.RUNNING: "warning",
    DownloadState.PAUSED: "warning",
    DownloadState.DONE: "good",
    DownloadState.FAILED: "bad",
    DownloadState.CANCELLED: "muted",
}
_LEAST_WORD, _AMOUNT, _SPEED, _WHEN = 11, 17, 10, 13
_LEAST_NAME = 16
_HOST, _HOST_FROM = 24, 110
_BAR, _WIDE_BAR, _WIDE_FROM, _LEAST_BAR = 22, 40, 100, 4
_PERCENT, _LEAST_NOTE = 6, 12


class DownloadList(RowList[Row]):
    """Shows on a second line the progress of a pull, or why it failed."""

    def height_of(self, row: Row, width: int) -> int:
        return row.height if isinstance(row, DownloadRow) else 1

    def is_heading(self, row: Row) -> bool:
        return isinstance(row, Heading)

    def draw(self, row: Row, line: int, width: int, pen: Pen) -> list[Segment]:
        if isinstance(row, Heading):
            return [pen.cell(f"  {row.text}", width, "heading" if row.title else "muted")]
        return _second(row, width, pen) if line else _first(row, width, pen)


def _word_cells() -> int:
    return cells_for(_LEAST_WORD, (*DownloadState, *_RUNNING.values()))


def _is_narrow(row: DownloadRow, width: int) -> bool:
    """Whether the speed and the time left stand on the second line, as the first has no room for them."""
    return not row.state.is_over and width < 3 + _LEAST_NAME + _word_cells() + _AMOUNT + _SPEED + _WHEN


def _speed_and_left(row: DownloadRow, pen: Pen) -> list[Segment]:
    return [
        pen.cell(row.speed, _SPEED, "plain", right=True),
        pen.cell(f" {row.when}", _WHEN, "plain", right=True),
    ]


def _first(row: DownloadRow, width: int, pen: Pen) -> list[Segment]:
    tone, is_over = _TONES[row.state], row.state.is_over
    host = _HOST if row.host and width >= _HOST_FROM else 0
    word, amount, rest = _word_cells(), _AMOUNT, 0 if _is_narrow(row, width) else _SPEED + _WHEN
    name = width - (3 + host + word + amount + rest)
    if name < _LEAST_NAME:
        name, amount = name + amount, 0
    present = "muted" if is_over else "plain"
    # The time of its end needs more cells than the time left.
    when = [pen.cell(f"  {row.when}", rest, "muted", right=True)] if is_over else _speed_and_left(row, pen)
    end = when if rest else []
    return [
        pen.pointer(),
        pen.cell(row.mark, 2, tone),
        pen.name(row.name, name, "plain" if is_over else "name"),
        pen.cell(f"  {row.host}", host, "muted"),
        pen.cell(f"  {row.word}", word, tone),
        pen.cell(row.amount, amount, present, right=True),
        *end,
    ]


def _second(row: DownloadRow, width: int, pen: Pen) -> list[Segment]:
    segments = [pen.pointer(), pen.cell("", 2, "plain")]
    room = width - 3
    figures = _speed_and_left(row, pen) if row.speed and _is_narrow(row, width) else []
    taken = _SPEED + _WHEN if figures else 0
    if row.share is not None:
        # The bar takes what the figures leave it.
        most = _WIDE_BAR if width >= _WIDE_FROM else _BAR
        cells = max(min(most, room - _PERCENT - taken), _LEAST_BAR)
        full = min(cells, max(1 if row.share > 0 else 0, int(row.share * cells)))
        segments += [
            pen.cell(pen.marks.full * full, full, "pointer"),
            pen.cell(pen.marks.empty * (cells - full), cells - full, "muted"),
            pen.cell(f"{int(row.share * 100)} %", _PERCENT, "plain", right=True),
        ]
        room -= cells + _PERCENT
    gap = "  " if row.share is not None or figures else ""
    note = f"{gap}{row.note}" if room - taken >= _LEAST_NOTE else ""
    tone = "bad" if row.state is DownloadState.FAILED else "muted"
    return [*segments, *figures, pen.cell(note, room - taken, tone)]
