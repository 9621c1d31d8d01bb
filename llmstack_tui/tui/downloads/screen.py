"""The screen of the queue of pulls and their results, and that of a single pull."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.widgets import Static

from llmstack_tui.base.kinds import HostKind
from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.text import brief
from llmstack_tui.base.units import seconds_text
from llmstack_tui.core.wording import text
from llmstack_tui.downloads.types import Why
from llmstack_tui.tui.downloads import KEYS, ONE_KEYS
from llmstack_tui.tui.downloads.actions import DownloadController
from llmstack_tui.tui.downloads.list import (
    NOT_LIMITED,
    DownloadList,
    DownloadRow,
    download_rows,
    downloads_title,
    share_of,
    speed_text,
    word_of,
)
from llmstack_tui.tui.draw.figures import clock_text, used_text, when_text
from llmstack_tui.tui.draw.servers import address, several_hosts
from llmstack_tui.tui.draw.text import bar, content_of
from llmstack_tui.tui.screen import RecordScreen, TabScreen
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.pane import Pane
from llmstack_tui.tui.widgets.section import (
    MOST_RECORDED,
    ScrollingText,
    Section,
    SectionText,
    events_part,
    lines_part,
    rows_part,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.content import Content
    from textual.timer import Timer

    from llmstack_tui.config.settings import Settings
    from llmstack_tui.core.state import StackState
    from llmstack_tui.downloads.types import Download, LayerProgress
    from llmstack_tui.tui.draw.marks import Marks
    from llmstack_tui.tui.stack import DashboardStack
    from llmstack_tui.tui.view import View

_LEAST_S = 0.25
"""Seconds between two drawings; faster changes could not be read."""


def unlimited_hosts(state: StackState | None, settings: Settings) -> frozenset[str]:
    """The hosts that download by themselves, so that the limit of the settings is not theirs."""
    if state is None or not settings.updates.limit:
        return frozenset()
    servers = ((host.snapshot.url, host.snapshot.server) for host in state.hosts)
    return frozenset(url for url, server in servers if server and server.kind is HostKind.OLLAMA)


class DownloadsScreen(TabScreen):
    """Draws the pulls of the state; the keys go to the controller."""

    AUTO_FOCUS = "DownloadList"
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def __init__(self) -> None:
        super().__init__("downloads")
        self.list = DownloadList()
        self._downloads_pane = Pane(tr("Downloads"), id="downloads-pane")
        self._drawn_s = float("-inf")
        self._late: Timer | None = None
        self._is_opened = False

    def on_screen_resume(self) -> None:
        self._is_opened = True

    def compose_body(self) -> ComposeResult:
        with self._downloads_pane:
            yield self.list

    @property
    def selected(self) -> int | None:
        """The id of the pull under the cursor, which the keys act on."""
        row = self.list.row
        return row.key if isinstance(row, DownloadRow) else None

    @property
    def targets(self) -> tuple[int, ...]:
        return () if self.selected is None else (self.selected,)

    def show(self, view: View) -> None:
        left_s = self._drawn_s + _LEAST_S - time.monotonic()
        if left_s <= 0:
            self._draw(view)
        elif self._late is None:
            self._late = self.set_timer(left_s, self._draw_late)

    def _draw_late(self) -> None:
        self._late = None
        self._draw(self.shell.view)

    def _draw(self, view: View) -> None:
        self._drawn_s = time.monotonic()
        downloads = view.state.downloads if view.state else ()
        now = view.moment.now
        names = several_hosts(view.state, self.shell.host_names)
        catalog, add = view.keys["app.catalog"], view.keys["downloads.add"]
        what = tr(
            "Press {catalog} for models worth having, {add} to pull one by its name.",
            catalog=catalog,
            add=add,
        )
        self.list.show_message((tr("Nothing is being downloaded."), what))
        before = self.selected
        unlimited = unlimited_hosts(view.state, self.shell.settings)
        self.list.show(download_rows(downloads, now, self.shell.marks, names, unlimited))
        self._follow_asked(before)
        if self._is_opened:
            self._is_opened = False
            self._go_to_running()
        self._downloads_pane.show_title(downloads_title(downloads))

    def _go_to_running(self) -> None:
        """Move the cursor from a pull that is over to the first one that is under way."""
        rows = [row for row in self.list.rows if isinstance(row, DownloadRow)]
        first = next((row for row in rows if not row.state.is_over), None)
        row = self.list.row
        if first is not None and (not isinstance(row, DownloadRow) or row.state.is_over):
            self.list.move_to(first.key)

    def _follow_asked(self, before: int | None) -> None:
        """Move the cursor to the pull asked for, unless the user has gone on to another one meanwhile."""
        controller = self.shell.controller(DownloadController)
        asked = controller.asked
        if asked is None or all(row.key != asked for row in self.list.rows):
            return
        if controller.replaced in {None, before}:
            self.list.move_to(asked)
        controller.asked = None

    @on(RowList.Opened)
    def action_open(self) -> None:
        if (selected := self.selected) is not None:
            self.app.push_screen(DownloadScreen(selected))


_MOST_LAYERS = 100
_BAR_CELLS = 20


class DownloadScreen(RecordScreen):
    """One pull: follows its progress, and shows the recorded events of its model."""

    DEFAULT_CSS = """
    DownloadScreen #gone { display: none; padding: 0 1; color: $text-muted; }
    """
    AUTO_FOCUS = "ScrollingText"
    BINDINGS: ClassVar[list[BindingType]] = [*ONE_KEYS]

    def __init__(self, download_id: int) -> None:
        super().__init__(Pane(tr("Download"), id="frame"))
        self._number = download_id
        self._about = Section(later("Download"))
        self._layers = Section(later("Layers"))
        self._events = Section(later("Events"))
        self._gone = Static(id="gone", markup=False)

    def compose_body(self) -> ComposeResult:
        with ScrollingText():
            yield self._gone
            yield self._about
            yield self._layers
            yield self._events

    @property
    def targets(self) -> tuple[int, ...]:
        return (self._number,)

    def show(self, view: View) -> None:
        super().show(view)
        download = self._found(view)
        self._gone.display = download is None
        if download is None:
            self._gone.update(tr("It is no longer on the list."))
            return
        now = view.moment.now
        self.frame.show_title(brief(download.model, 200))
        is_limited = download.host not in unlimited_hosts(view.state, self.shell.settings)
        self._about.say(rows_part(facts(download, now, is_limited=is_limited)))
        self._layers.say(layers_part(download, self.shell.marks))

    def _found(self, view: View) -> Download | None:
        downloads = view.state.downloads if view.state else ()
        return next((each for each in downloads if each.id == self._number), None)

    async def read(self, stack: DashboardStack) -> None:
        view = self.shell.view
        if (download := self._found(view)) is not None:
            events = await stack.records.events(MOST_RECORDED + 1, host=download.host, model=download.model)
            self._events.say(events_part(events, view.moment.now))

    def show_unreadable(self, reason: str) -> None:
        self._events.say(SectionText(content_of(reason)))


def facts(download: Download, now: datetime, *, is_limited: bool = True) -> Iterator[tuple[str, str]]:
    """The facts on a pull, each with its label."""
    yield tr("State"), word_of(download)
    yield tr("Reason"), text(*download.reason)
    yield tr("For"), tr("an update") if download.why is Why.UPDATE else tr("a new model, or a version of it")
    yield tr("Server"), address(download.host)
    if download.layers:
        share = share_of(download)
        percent = f"   {int(share * 100)} %" if share is not None else ""
        yield tr("There"), used_text(download.completed, download.total) + percent
    if not download.state.is_over:
        yield tr("Step"), download.step
        yield tr("Speed"), speed_text(download)
        yield tr("Limit"), "" if is_limited else tr(NOT_LIMITED)
        yield tr("Left"), clock_text(download.left_s) if download.left_s is not None else ""
    yield tr("Asked for"), when_text(download.asked_at, now)
    if download.ended_at is not None:
        yield tr("Ended"), when_text(download.ended_at, now)
        took_s = (download.ended_at - download.asked_at).total_seconds()
        # Negative if the clock was set back meanwhile.
        yield tr("Took"), tr("{time}, waiting included", time=seconds_text(took_s)) if took_s >= 0 else ""


def layers_part(download: Download, marks: Marks) -> SectionText | None:
    """A line for each layer, with how much of it is there."""
    if not download.layers:
        return None
    lines = [_layer(each, marks) for each in download.layers[:_MOST_LAYERS]]
    if (more := len(download.layers) - _MOST_LAYERS) > 0:
        lines.append(content_of(tr("and {count} more", count=more)))
    return lines_part(lines)


def _layer(layer: LayerProgress, marks: Marks) -> Content:
    digest = brief(layer.digest.removeprefix("sha256:")[:12], 200)
    share = min(layer.completed / layer.total, 1.0) if layer.total else 0.0
    there = f"  {used_text(layer.completed, layer.total)}"
    filled = bar(share, _BAR_CELLS, marks, tone="$primary")
    return content_of((f"{digest:<14}", "$text-muted"), filled, there)
