"""From a pull to the lines that show it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.text import clean
from llmstack_tui.base.units import bytes_text
from llmstack_tui.core.wording import text
from llmstack_tui.downloads.types import DownloadState, Why
from llmstack_tui.tui.draw.figures import clock_text, used_text, when_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from llmstack_tui.downloads.types import Download
    from llmstack_tui.tui.draw.glyphs import Marks

_LONGEST = 86_400 * 9


class DownloadRow(Struct, frozen=True, kw_only=True):
    """One pull, as text.

    Attributes:
        key: its id.
        host: empty where there is only one.
        share: what part of it is there, from 0 to 1; None is not known.
        amount: bytes of bytes.
        when: how long it will take, or when it ended.
        note: what the server is at, what it waits for, or why it failed; alone on the second line, or after
            the bar.
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
    """What stands over a part of a list."""

    text: str
    height: int = 1

    @property
    def key(self) -> str:
        return self.text


Row = DownloadRow | Heading


def download_rows(
    downloads: Sequence[Download], now: datetime, marks: Marks, names: Mapping[str, str]
) -> tuple[Row, ...]:
    """The queue, and then what is over under a heading.

    Args:
        names: what the hosts are called, by their URLs; empty where there is only one.
    """
    return tuple(_rows(downloads, now, marks, names))


def downloads_title(downloads: Sequence[Download]) -> str:
    """How many there are of each state that is not over."""
    counts = (
        (DownloadState.RUNNING, "running"),
        (DownloadState.WAITING, "waiting"),
        (DownloadState.PAUSED, "paused"),
    )
    said = [
        f"{count} {word}"
        for state, word in counts
        if (count := sum(download.state is state for download in downloads))
    ]
    return f"Downloads  {', '.join(said)}" if said else "Downloads"


def word_of(download: Download) -> str:
    if download.state is DownloadState.RUNNING:
        return "updating" if download.why is Why.UPDATE else "pulling"
    return str(download.state)


def layer_text(download: Download) -> str:
    """``layer 2 of 5``: the first that is not whole; "" where there is nothing to tell."""
    for number, layer in enumerate(download.layers, 1):
        if layer.total is None or layer.completed < layer.total:
            return f"layer {number} of {len(download.layers)}"
    return ""


def speed_text(download: Download) -> str:
    """``12 MB/s``; where bytes should come and none do, because the server tries again, it says so."""
    if download.speed:
        return f"{bytes_text(round(download.speed))}/s"
    is_pulling = download.step.startswith("pulling") and layer_text(download)
    return "nothing comes at present" if download.speed == 0 and is_pulling else ""


def share_of(download: Download) -> float | None:
    total = download.total
    return min(download.completed / total, 1.0) if total else None


def _rows(
    downloads: Sequence[Download], now: datetime, marks: Marks, names: Mapping[str, str]
) -> Iterator[Row]:
    over = [download for download in downloads if download.state.is_over]
    for download in downloads:
        if not download.state.is_over:
            yield _row(download, now, marks, names)
    if over:
        yield Heading("History")
    for download in over:
        yield _row(download, now, marks, names)


def _row(download: Download, now: datetime, marks: Marks, names: Mapping[str, str]) -> DownloadRow:
    state, is_running = download.state, download.state is DownloadState.RUNNING
    return DownloadRow(
        key=download.id,
        state=state,
        mark=_mark(state, marks),
        name=clean(download.model, limit=300),
        host=clean(names.get(download.host, ""), limit=60),
        word=word_of(download),
        share=None if state.is_over or not download.completed else share_of(download),
        amount=_amount(download),
        speed=speed_text(download) if is_running and download.speed else "",
        when=_when(download, now),
        note=_note(download, marks),
    )


def _mark(state: DownloadState, marks: Marks) -> str:
    return {
        DownloadState.WAITING: marks.inactive,
        DownloadState.RUNNING: marks.coming,
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


def _when(download: Download, now: datetime) -> str:
    if download.state.is_over:
        return when_text(download.ended_at, now) if download.ended_at else ""
    left_s = download.left_s if download.state is DownloadState.RUNNING else None
    return f"{clock_text(left_s)} left" if left_s is not None and left_s < _LONGEST else ""


def _note(download: Download, marks: Marks) -> str:
    reason = clean(text(*download.reason), limit=500)
    match download.state:
        case DownloadState.RUNNING:
            stuck = "" if download.speed else speed_text(download)
            parts = (layer_text(download), reason or clean(download.step, limit=100), stuck)
            return f" {marks.dot} ".join(part for part in parts if part) or "beginning"
        case DownloadState.WAITING:
            return reason or "waits for its turn"
        case DownloadState.PAUSED:
            return reason or "paused by you"
        case DownloadState.DONE:
            return ""
    return reason
