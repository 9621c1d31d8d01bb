"""The lines of a log on the screen: a ring of the newest, of which only the visible ones are drawn.

Ten thousand lines may come each second, so nothing is done for a line that nobody sees, but to compare it
with the filter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from rich.cells import cell_len
from textual.cache import LRUCache
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.text import clean
from llmstack_tui.core.wording import text
from llmstack_tui.ollama.log.lines import LogLevel, LogLine
from llmstack_tui.ollama.log.rules import remark
from llmstack_tui.tui.draw.text import fit, segment
from llmstack_tui.tui.log import LINE_KEYS
from llmstack_tui.tui.shell import shell_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.style import Style
    from textual import events
    from textual.binding import BindingType

MOST_LINES = 20_000
# So many more are kept before the oldest are dropped at once.
_SLACK = 2_000
_TIME_CELLS = 9
_STYLES = ("plain", "muted", "warning", "bad", "accent", "cursor")
_TONES = {LogLevel.DEBUG: "muted", LogLevel.INFO: "plain", LogLevel.WARNING: "warning", LogLevel.ERROR: "bad"}
LEVELS = {
    LogLevel.DEBUG: later("all"), LogLevel.INFO: "",
    LogLevel.WARNING: later("warnings and errors"), LogLevel.ERROR: later("errors"),
}  # fmt: skip


class LineFilter(Struct, frozen=True):
    """Which lines are shown. ``words`` is in lower case."""

    level: LogLevel = LogLevel.DEBUG
    words: str = ""

    def has(self, line: LogLine) -> bool:
        return line.level.rank >= self.level.rank and (not self.words or self.words in line.text.casefold())


class LogLines(ScrollView, can_focus=True):
    """Shows the lines, with a cursor. On the newest line it follows what comes."""

    DEFAULT_CSS = """
    LogLines {
        background: $surface;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: scroll;
        height: 1fr;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        & .log-lines--plain { color: $foreground; }
        & .log-lines--muted { color: $text-muted; }
        & .log-lines--warning { color: $text-warning; }
        & .log-lines--bad { color: $text-error; }
        & .log-lines--accent { color: $text-primary; }
        & .log-lines--cursor { background: $primary 10%; }
        &:focus .log-lines--cursor { background: $primary 20%; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"log-lines--{style}" for style in _STYLES}
    BINDINGS: ClassVar[list[BindingType]] = [*LINE_KEYS]
    ALLOW_SELECT = False

    class CursorMoved(Message):
        """The cursor is on another line."""

    def __init__(self) -> None:
        super().__init__()
        self._all: list[LogLine] = []
        self._shown: list[LogLine] = []
        self._dropped = 0  # Of the shown ones, so that a line keeps its number.
        self._filter = LineFilter(LogLevel.INFO)
        self._cursor = 0
        self.follows = True
        self.is_as_written = False
        self._strips: LRUCache[object, Strip] = LRUCache(512)
        self._styles: dict[tuple[str, bool], Style] = {}

    # What is shown

    @property
    def count(self) -> int:
        return len(self._shown)

    @property
    def line(self) -> LogLine | None:
        """The line under the cursor; None as long as none is shown."""
        return self._shown[self._cursor] if self._cursor < self.virtual_size.height else None

    @property
    def filter(self) -> LineFilter:
        return self._filter

    def add(self, lines: Iterable[LogLine]) -> None:
        """Take new lines; `settle` shows them."""
        lines = tuple(lines)
        self._all.extend(lines)
        self._shown.extend(line for line in lines if self._filter.has(line))
        if len(self._all) > MOST_LINES + _SLACK:
            del self._all[:-MOST_LINES]
        if (extra := len(self._shown) - MOST_LINES) > _SLACK:
            del self._shown[:extra]
            self._dropped += extra
            self._cursor = max(0, self._cursor - extra)
            if not self.follows:
                self.scroll_to(y=max(0, self.scroll_offset.y - extra), animate=False, immediate=True)

    def settle(self) -> None:
        """Show what was added."""
        # Without its watchers, for which a new size is a new layout: all of the screen would be painted.
        size = Size(self.scrollable_content_region.width, len(self._shown))
        self.set_reactive(LogLines.virtual_size, size)
        self.vertical_scrollbar.window_virtual_size = size.height
        if self.follows:
            self._move(len(self._shown) - 1, follow=True)
        self.refresh()

    def clear(self) -> None:
        self._all, self._shown, self._cursor, self.follows = [], [], 0, True
        self._strips.clear()
        self.settle()

    def show_only(self, wanted: LineFilter) -> None:
        """Show only these lines, and follow the newest."""
        self._filter = wanted
        self._shown = [line for line in self._all if wanted.has(line)]
        self._strips.clear()
        self.follows = True
        self.settle()

    def redraw(self) -> None:
        self._strips.clear()
        self.refresh()

    # The cursor

    def _move(self, to: int, *, follow: bool) -> None:
        self.follows = follow
        before, self._cursor = self._cursor, max(0, min(to, len(self._shown) - 1))
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if self._cursor < top:
            top = self._cursor
        elif self._cursor >= top + height:
            top = self._cursor - height + 1
        self.scroll_to(y=top, animate=False, immediate=True, force=True)
        if before != self._cursor or follow:
            self.post_message(self.CursorMoved())
        self.refresh()

    def _step(self, by: int) -> None:
        to = self._cursor + by
        self._move(to, follow=to >= len(self._shown) - 1)

    def action_cursor_up(self) -> None:
        self._step(-1)

    def action_cursor_down(self) -> None:
        self._step(1)

    def action_page_up(self) -> None:
        self._step(1 - self.size.height)

    def action_page_down(self) -> None:
        self._step(self.size.height - 1)

    def action_first(self) -> None:
        self._move(0, follow=False)

    def action_last(self) -> None:
        self._move(len(self._shown) - 1, follow=True)

    def on_click(self, event: events.Click) -> None:
        self._move(self.scroll_offset.y + event.y, follow=False)

    def on_mouse_scroll_up(self, _event: events.MouseScrollUp) -> None:
        self.follows = False

    def on_resize(self, _event: events.Resize) -> None:
        self.settle()

    # How it is drawn

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()
        self._styles.clear()

    def _style(self, name: str, *, at_cursor: bool) -> Style:
        found = self._styles.get((name, at_cursor))
        if found is None:
            under = ("log-lines--cursor",) if at_cursor else ()
            found = self.get_visual_style(*under, f"log-lines--{name}").rich_style
            self._styles[(name, at_cursor)] = found
        return found

    def render_line(self, y: int) -> Strip:
        width, at = self.scrollable_content_region.width, y + self.scroll_offset.y
        if at >= len(self._shown):
            return Strip.blank(width, self.rich_style)
        at_cursor = at == self._cursor
        drawn = (at + self._dropped, width, at_cursor, self.has_focus)
        strip = self._strips.get(drawn)
        if strip is None:
            strip = self._strips[drawn] = self._draw(self._shown[at], width, at_cursor=at_cursor)
        return strip

    def _draw(self, line: LogLine, width: int, *, at_cursor: bool) -> Strip:
        marks = shell_of(self).marks
        known = None if self.is_as_written else remark(line)
        said = line.text if self.is_as_written else text(known.says) if known is not None else line.message
        tone = "accent" if known is not None and line.level.rank <= LogLevel.INFO.rank else _TONES[line.level]
        time = "" if line.time is None else f"{line.time.astimezone():%H:%M:%S}"
        before = fit(f"{marks.cursor if at_cursor else ' '}{time}", _TIME_CELLS + 1)
        source = "" if self.is_as_written or known is not None or not line.source else f"{line.source}: "
        room = max(0, width - cell_len(before))
        source = fit(source, min(cell_len(source), room), ellipsis=marks.ellipsis)
        rest = fit(clean(said), room - cell_len(source), ellipsis=marks.ellipsis)
        return Strip(
            [
                segment(before, self._style("muted", at_cursor=at_cursor)),
                segment(source, self._style("muted", at_cursor=at_cursor)),
                segment(rest, self._style(tone, at_cursor=at_cursor)),
            ]
        ).adjust_cell_length(width, self._style("plain", at_cursor=at_cursor))


def about(line: LogLine | None) -> tuple[str, str]:
    """A line in full, and what it means with what to do; "" if it is not known."""
    if line is None:
        return tr("No line."), ""
    known = remark(line)
    return line.text, "" if known is None else text(*known.sentences)
