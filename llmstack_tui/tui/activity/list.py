"""The list of what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from textual import on
from textual.message import Message

from llmstack_tui.base.text import clean
from llmstack_tui.tui.activity import LIST_KEYS
from llmstack_tui.tui.activity.feed import Choice, Tone, said, tone, word
from llmstack_tui.tui.draw.figures import day_text
from llmstack_tui.tui.draw.text import plain_spaces, wrap
from llmstack_tui.tui.widgets.list import RowList

if TYPE_CHECKING:
    from datetime import datetime

    from rich.segment import Segment
    from textual.binding import BindingType

    from llmstack_tui.base.sentences import Sentence
    from llmstack_tui.core.types import Event
    from llmstack_tui.tui.activity.feed import ActivityLines
    from llmstack_tui.tui.draw.glyphs import Marks
    from llmstack_tui.tui.widgets.list import Pen


_TEXT_LIMIT = 500
# A mark, the time and the day; with room, the word, too.
_NARROW, _WIDE = 10, 25
_WIDE_FROM = 76
_STYLES = {
    Tone.DONE: "good",
    Tone.PLAIN: "muted",
    Tone.CLIENT: "accent",
    Tone.WARNING: "warning",
    Tone.FAILED: "bad",
}


class ActivityRow(Struct, frozen=True):
    """One event, as text.

    Attributes:
        day: empty for one of today.
    """

    key: tuple[int, datetime, Sentence]
    time: str
    day: str
    tone: Tone
    word: str
    text: str


def activity_row(event: Event, now: datetime) -> ActivityRow:
    """``now`` on the viewer's clock."""
    at = event.at.astimezone(now.tzinfo)
    return ActivityRow(
        key=(event.id, event.at, event.sentence),
        time=f"{at:%H:%M}",
        day="" if at.date() == now.date() else day_text(at),
        tone=tone(event),
        word=word(event),
        text=clean(said(event), limit=_TEXT_LIMIT),
    )


class ActivityList(RowList[ActivityRow]):
    """Its cursor is seen while it has the focus; before it was moved, it stays on the newest event."""

    DEFAULT_CSS = """
    ActivityList .row-list--cursor { background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*LIST_KEYS]

    class EventOpened(Message):
        """An event is to be shown with all that is known of it."""

        def __init__(self, event: Event) -> None:
            super().__init__()
            self.event = event

    class Left(Message):
        """The way back."""

    def __init__(self, marks: Marks, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(marks, id=id)
        self._drawn: tuple[ActivityLines, datetime] | None = None

    def show_events(self, lines: ActivityLines, now: datetime) -> None:
        """Draw these events; ``now`` on the viewer's clock."""
        if self._drawn and self._drawn[0] is lines and self._drawn[1].date() == now.date():
            return
        self._drawn = lines, now
        self.show_message(("Nothing yet." if lines.choice is Choice.ALL else "Nothing of this kind.",))
        self.show([activity_row(event, now) for event in lines.events])

    @property
    def keeps_row(self) -> bool:
        return self.has_focus or self.cursor > 0

    def height_of(self, row: ActivityRow, width: int) -> int:
        return len(self._lines(row, width))

    def _lines(self, row: ActivityRow, width: int) -> tuple[str, ...]:
        return wrap(row.text, width - _indent(width) - 1, self.marks.ellipsis)

    def draw(self, row: ActivityRow, line: int, width: int, pen: Pen) -> list[Segment]:
        indent, is_wide = _indent(width), width >= _WIDE_FROM
        text = plain_spaces(self._lines(row, width)[line])
        body = pen.cell(text, width - indent, "muted" if row.tone is Tone.PLAIN else "plain")
        if line:
            return [pen.cell("", indent, "muted"), body]
        time = row.day or row.time
        if is_wide and row.day:
            time = f"{row.day:>6} {row.time}"
        sign = f"{_mark(row.tone, pen.marks)} " + (f"{row.word:<8}" if is_wide else "")
        before = pen.cell(f" {time:>6}" if row.day else f" {time}", indent - len(sign), "muted")
        return [before, pen.cell(sign, len(sign), _STYLES[row.tone]), body]

    def on_focus(self) -> None:
        self.scroll_to_cursor()

    @on(RowList.Opened)
    def action_open_line(self, message: RowList.Opened | None = None) -> None:
        if message is not None:
            message.stop()
        if self._drawn and self.row is not None:
            self.post_message(self.EventOpened(self._drawn[0].events[self.cursor]))

    def action_leave(self) -> None:
        self.post_message(self.Left())


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
