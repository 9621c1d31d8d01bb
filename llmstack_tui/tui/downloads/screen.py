"""The queue of pulls, and what came of those that are over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.containers import Vertical

from llmstack_tui.tui.downloads import KEYS
from llmstack_tui.tui.downloads.list import DownloadList
from llmstack_tui.tui.downloads.one import DownloadScreen
from llmstack_tui.tui.downloads.rows import DownloadRow, download_rows, downloads_title
from llmstack_tui.tui.draw.servers import address
from llmstack_tui.tui.tab import TabScreen
from llmstack_tui.tui.widgets.keybar import KeyBar
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.timer import Timer

    from llmstack_tui.core.state import StackState
    from llmstack_tui.tui.draw.glyphs import Marks
    from llmstack_tui.tui.shell import View

_LEAST_S = 0.25
"""Between two drawings: what changes faster cannot be read."""


class DownloadsScreen(TabScreen):
    """Draws what the state says of pulls; every key is an intent."""

    DEFAULT_CSS = """
    DownloadsScreen { background: $background; }
    DownloadsScreen #body { height: 1fr; }
    DownloadsScreen #downloads-pane { height: 1fr; }
    """
    AUTO_FOCUS = "DownloadList"
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def __init__(self, marks: Marks) -> None:
        super().__init__("downloads", marks)
        self.list = DownloadList(marks)
        self._downloads_pane = Pane("Downloads", id="downloads-pane")
        self._drawn_s = float("-inf")
        self._late: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self.top
        yield self.banner
        with Vertical(id="body"), self._downloads_pane:
            yield self.list
        yield self.too_small
        yield KeyBar()

    def focus_list(self) -> None:
        self.list.focus()

    def use_marks(self, marks: Marks) -> None:
        super().use_marks(marks)
        self._drawn_s = float("-inf")

    @property
    def selected(self) -> int | None:
        """The id of the pull that a key acts on."""
        row = self.list.row
        return row.key if isinstance(row, DownloadRow) else None

    @property
    def targets(self) -> tuple[int, ...]:
        return () if self.selected is None else (self.selected,)

    def show(self, view: View) -> None:
        super().show(view)
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
        now = view.moment.now.astimezone()
        names = host_names(view.state, self.shell.host_names)
        catalog, add = view.keys["app.catalog"], view.keys["downloads.add"]
        what = f"Press {catalog} for models worth having, {add} to pull one by its name."
        self.list.show_message(("Nothing is being downloaded.", what))
        self.list.show(download_rows(downloads, now, self.marks, names))
        self._downloads_pane.show_title(downloads_title(downloads))

    @on(RowList.Opened)
    def action_open(self) -> None:
        if (selected := self.selected) is not None:
            self.app.push_screen(DownloadScreen(selected, self.marks))


def host_names(state: StackState | None, names: Mapping[str, str]) -> dict[str, str]:
    """What the hosts are called, by their URLs; nothing where there is only one."""
    hosts = state.hosts if state else ()
    urls = {host.snapshot.url for host in hosts} | {each.host for each in (state.downloads if state else ())}
    return {url: names.get(url) or address(url) for url in urls} if len(urls) > 1 else {}
