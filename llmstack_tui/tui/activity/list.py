"""The activity as a list, drawn line by line: what is not on the screen costs nothing."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from llmstack_tui.base.text import clean
from llmstack_tui.tui import keys
from llmstack_tui.tui.activity.log import Choice, Lines, Tone, said, tone, word
from llmstack_tui.tui.draw.figures import day_text
from llmstack_tui.tui.draw.text import fit, fit_name, plain_spaces

if TYPE_CHECKING:
    from datetime import datetime

    from rich.style import Style
    from textual import events
    from textual.binding import BindingType

    from llmstack_tui.store.tables.events import Event
    from llmstack_tui.tui.draw.glyphs import Marks

_TEXT_LIMIT = 500
_MOST_LINES = 4
# A mark, the time and the day; with room, the word, too.
_NARROW, _WIDE = 10, 25
_WIDE_FROM = 76


class ActivityList(ScrollView, can_focus=True):
    """Events with a cursor, which is shown while the list has the focus and stays on its event."""

    DEFAULT_CSS = """
    ActivityList {
        background: $surface;
        color: $foreground;
        overflow-x: hidden;
        height: 1fr;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        & .activity--plain { color: $foreground; }
        & .activity--muted { color: $foreground 62%; }
        & .activity--cursor { background: $primary 26%; }
        & .activity--done { color: $text-success; }
        & .activity--client { color: $text-primary; }
        & .activity--warning { color: $text-warning; }
        & .activity--failed { color: $text-error; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "activity--plain",
        "activity--muted",
        "activity--cursor",
        "activity--done",
        "activity--client",
        "activity--warning",
        "activity--failed",
    }
    BINDINGS: ClassVar[list[BindingType]] = [*keys.LIST, *keys.ACTIVITY]
    ALLOW_SELECT = False

    cursor: reactive[int] = reactive(0, repaint=False)

    class Opened(Message):
        """A line is to be shown with all that is known of it."""

        def __init__(self, event: Event) -> None:
            super().__init__()
            self.event = event

    class Left(Message):
        """The way back."""

    def __init__(self, marks: Marks, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id)
        self._marks = marks
        self._shown = Lines((), Choice.ALL)
        self._today: datetime | None = None
        # For each line of the list, the event and the part of its text that stand there.
        self._lines: list[tuple[int, int, str]] = []
        self._starts: list[int] = []
        self._styles: dict[tuple[str, bool], Style] = {}

    def use_marks(self, marks: Marks) -> None:
        self._marks = marks
        self._lay_out()
        self.refresh()

    def show(self, lines: Lines, now: datetime) -> None:
        """Draw these events."""
        if lines is self._shown and self._today is not None and now.date() == self._today.date():
            return
        old, self._shown, self._today = self._shown, lines, now
        if self.cursor < len(old.events) and (self.has_focus or self.cursor):
            at = old.events[self.cursor]
            index = next((i for i, event in enumerate(lines.events) if event is at), 0)
            self.set_reactive(ActivityList.cursor, index)
        self._lay_out()
        self.refresh()

    def validate_cursor(self, cursor: int) -> int:
        return max(0, min(cursor, len(self._shown.events) - 1))

    def watch_cursor(self) -> None:
        self._scroll_to_cursor()
        self.refresh()

    def on_focus(self) -> None:
        self._scroll_to_cursor()

    def on_resize(self, _event: events.Resize) -> None:
        self._lay_out()
        self._scroll_to_cursor()

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        self._lines, self._starts = [], []
        for index, event in enumerate(self._shown.events):
            self._starts.append(len(self._lines))
            parts = wrap(said(event), width - _indent(width) - 1, self._marks.ellipsis)
            self._lines += [(index, part, text) for part, text in enumerate(parts)]
        self.virtual_size = Size(width, len(self._lines))

    def _scroll_to_cursor(self) -> None:
        if self.cursor < len(self._starts):
            start = self._starts[self.cursor]
            after = self._starts[self.cursor + 1] if self.cursor + 1 < len(self._starts) else len(self._lines)
            region = Region(0, start, 1, after - start)
            self.scroll_to_region(region, animate=False, force=True, immediate=True)

    def action_cursor_up(self) -> None:
        self.cursor -= 1

    def action_cursor_down(self) -> None:
        self.cursor += 1

    def action_page_up(self) -> None:
        self.cursor -= max(1, self.size.height // 2)

    def action_page_down(self) -> None:
        self.cursor += max(1, self.size.height // 2)

    def action_first(self) -> None:
        self.cursor = 0

    def action_last(self) -> None:
        self.cursor = len(self._shown.events) - 1

    def action_open_line(self) -> None:
        if self.cursor < len(self._shown.events):
            self.post_message(self.Opened(self._shown.events[self.cursor]))

    def action_leave(self) -> None:
        self.post_message(self.Left())

    def on_click(self, event: events.Click) -> None:
        line = event.y + self.scroll_offset.y
        if line < len(self._lines):
            self.cursor = self._lines[line][0]
            if event.chain == 2:
                self.action_open_line()

    def render_line(self, y: int) -> Strip:
        width, line = self.scrollable_content_region.width, y + self.scroll_offset.y
        if not self._lines and y == 0:
            text = "Nothing yet." if self._shown.choice is Choice.ALL else "Nothing of this kind."
            return Strip([Segment(fit(f" {text}", width), self._style("muted"))], width)
        if line >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        index, part, text = self._lines[line]
        event, under = self._shown.events[index], self.has_focus and index == self.cursor
        head = [Segment(" " * _indent(width), self._style("muted", under=under))]
        if part == 0:
            head = self._head(event, width, under=under)
        text = plain_spaces(text)
        muted = tone(event) is Tone.PLAIN
        body = Segment(text, self._style("muted" if muted else "plain", under=under))
        return Strip([*head, body]).adjust_cell_length(width, self._style("plain", under=under))

    def _head(self, event: Event, width: int, *, under: bool) -> list[Segment]:
        at, is_wide = event.at.astimezone(self._today.tzinfo if self._today else None), width >= _WIDE_FROM
        is_today = self._today is not None and at.date() == self._today.date()
        time = f"{at:%H:%M}"
        if not is_today:
            day = f"{day_text(at):>6}"
            time = f"{day} {time}" if is_wide else day
        kind = tone(event)
        sign = f"{_mark(kind, self._marks)} " + (f"{word(event):<8}" if is_wide else "")
        style = self._style("muted" if kind is Tone.PLAIN else kind.value, under=under)
        pad = _indent(width) - len(sign) - 1
        return [Segment(f" {fit(time, pad)}", self._style("muted", under=under)), Segment(sign, style)]

    def _style(self, name: str, *, under: bool = False) -> Style:
        # To work one out takes longer than to draw the rest of the line.
        style = self._styles.get((name, under))
        if style is None:
            names = (*(("activity--cursor",) if under else ()), f"activity--{name}")
            self._styles[(name, under)] = style = self.get_visual_style(*names).rich_style
        return style

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()


def _indent(width: int) -> int:
    return _WIDE if width >= _WIDE_FROM else _NARROW


def _mark(of: Tone, marks: Marks) -> str:
    return {
        Tone.DONE: marks.tick,
        Tone.PLAIN: marks.dot,
        Tone.CLIENT: marks.client,
        Tone.WARNING: marks.warning,
        Tone.FAILED: marks.failed,
    }[of]


@lru_cache(4096)
def wrap(text: str, width: int, ellipsis: str = "…") -> tuple[str, ...]:
    """``text`` in lines of at most ``width`` cells, broken at blanks; what is too long for a few is cut.

    A word that is too long, as the name of a model with its registry, is cut as such names are. A no-break
    space is no blank: a figure stays with its unit.
    """
    lines: list[str] = []
    for whole in clean(text, limit=_TEXT_LIMIT).split(" "):
        piece = fit_name(whole, width, ellipsis=ellipsis) if cell_len(whole) > width else whole
        if lines and cell_len(lines[-1]) + 1 + cell_len(piece) <= width:
            lines[-1] += f" {piece}"
        else:
            lines.append(piece)
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES - 1 :] = [" ".join(lines[_MOST_LINES - 1 :])]
    return tuple(
        fit(line, width, ellipsis=ellipsis).rstrip(" ") if cell_len(line) > width else line for line in lines
    )
