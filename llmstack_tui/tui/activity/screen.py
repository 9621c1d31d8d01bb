"""The activity: its list, beside the models or on a screen of its own, and one event in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from textual import on
from textual.containers import VerticalScroll
from textual.widgets import Static

from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.languages import current, later, tr
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.units import seconds_text
from llmstack_tui.core.wording import text
from llmstack_tui.lifecycle.wording import ACTORS
from llmstack_tui.tui.activity import KEYS, LINE_KEYS, LIST_KEYS
from llmstack_tui.tui.activity.feed import ActivityFeed, Choice, Tone, said, tone, word, word_cells
from llmstack_tui.tui.dialogs import Dialog
from llmstack_tui.tui.draw.figures import day_text
from llmstack_tui.tui.draw.text import content_of, plain_spaces, wrap
from llmstack_tui.tui.screen import FramedScreen, SidePane
from llmstack_tui.tui.shell import close, shell_of
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.section import rows_content

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from rich.segment import Segment
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.base.languages import Language
    from llmstack_tui.core.types import Event
    from llmstack_tui.tui.activity.feed import ActivityLines
    from llmstack_tui.tui.draw.marks import Marks
    from llmstack_tui.tui.draw.text import Pen
    from llmstack_tui.tui.view import Key, View


# Cells before the text: mark, time and day; on a wide list the word comes to them.
_NARROW, _WIDE = 10, 17
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
        day: empty for today.
    """

    key: tuple[int, datetime, Sentence]
    time: str
    day: str
    tone: Tone
    word: str
    text: str


def activity_row(event: Event, now: datetime) -> ActivityRow:
    """The row of an event; ``now`` is in the viewer's time zone."""
    at = event.at.astimezone(now.tzinfo)
    return ActivityRow(
        key=(event.id, event.at, event.sentence),
        time=f"{at:%H:%M}",
        day="" if at.date() == now.date() else day_text(at),
        tone=tone(event),
        word=word(event),
        text=said(event),
    )


class ActivityList(RowList[ActivityRow]):
    """Shows its cursor while it has the focus. The cursor stays on the newest event until it is moved."""

    DEFAULT_CSS = """
    ActivityList .row-list--cursor { background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*LIST_KEYS]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id)
        self._drawn: tuple[ActivityLines, date, Language] | None = None

    def show_events(self, lines: ActivityLines, now: datetime) -> None:
        """Draw these events; ``now`` is in the viewer's time zone."""
        drawn = lines, now.date(), current()
        if self._drawn == drawn:
            return
        self._drawn = drawn
        self.show_message(
            (tr("Nothing yet.") if lines.choice is Choice.ALL else tr("Nothing of this kind."),)
        )
        self.show([activity_row(event, now) for event in lines.events])

    @property
    def keeps_row(self) -> bool:
        return self.has_focus or self.cursor > 0

    def height_of(self, row: ActivityRow, width: int) -> int:
        return len(self._lines(row, width))

    def _lines(self, row: ActivityRow, width: int) -> tuple[str, ...]:
        return wrap(row.text, width - _indent(width) - 1, shell_of(self).marks.ellipsis)

    def draw(self, row: ActivityRow, line: int, width: int, pen: Pen) -> list[Segment]:
        indent, is_wide = _indent(width), width >= _WIDE_FROM
        text = plain_spaces(self._lines(row, width)[line])
        body = pen.cell(text, width - indent, "muted" if row.tone is Tone.PLAIN else "plain")
        if line:
            return [pen.cell("", indent, "muted"), body]
        time = row.day or row.time
        if is_wide and row.day:
            time = f"{row.day:>6} {row.time}"
        sign = f"{_mark(row.tone, pen.marks)} " + (row.word.ljust(word_cells()) if is_wide else "")
        before = pen.cell(f" {time:>6}" if row.day else f" {time}", indent - len(sign), "muted")
        return [before, pen.cell(sign, len(sign), _STYLES[row.tone]), body]

    def on_focus(self) -> None:
        self.scroll_to_cursor()

    @on(RowList.Opened)
    def action_open_line(self, message: RowList.Opened | None = None) -> None:
        if message is not None:
            message.stop()
        if self._drawn and self.row is not None:
            self.app.push_screen(LineScreen(self._drawn[0].events[self.cursor]))

    def action_leave(self) -> None:
        self.post_message(SidePane.Left())


def _indent(width: int) -> int:
    return _WIDE + word_cells() if width >= _WIDE_FROM else _NARROW


def _mark(of: Tone, marks: Marks) -> str:
    return {
        Tone.DONE: marks.tick,
        Tone.PLAIN: marks.dot,
        Tone.CLIENT: marks.client,
        Tone.WARNING: marks.warning,
        Tone.FAILED: marks.failed,
    }[of]


class ActivityPane(SidePane):
    """Follows the record; Enter opens a line."""

    def __init__(self) -> None:
        super().__init__(tr("Activity"), id="activity-pane")
        self.list = ActivityList(id="activity")

    def compose(self) -> ComposeResult:
        yield self.list

    def show(self, view: View, selected: Key | None) -> None:
        activity = self.shell.controller(ActivityFeed).activity
        self.show_title(activity.lines.heading)
        self.list.show_events(activity.lines, view.moment.now)


class ActivityScreen(FramedScreen):
    """Follows the record."""

    frame: ActivityPane

    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]
    AUTO_FOCUS = "ActivityList"

    def __init__(self) -> None:
        super().__init__(ActivityPane())

    def show(self, view: View) -> None:
        self.frame.show(view, None)

    @on(SidePane.Left)
    def action_close(self) -> None:
        super().action_close()


_LABEL_CELLS = 10
_WEEKDAYS = (
    later("Monday"), later("Tuesday"), later("Wednesday"), later("Thursday"), later("Friday"),
    later("Saturday"), later("Sunday"),
)  # fmt: skip
_DATES = (
    later("{day} January {year}"), later("{day} February {year}"), later("{day} March {year}"),
    later("{day} April {year}"), later("{day} May {year}"), later("{day} June {year}"),
    later("{day} July {year}"), later("{day} August {year}"), later("{day} September {year}"),
    later("{day} October {year}"), later("{day} November {year}"), later("{day} December {year}"),
)  # fmt: skip


class LineScreen(Dialog[None]):
    """One event: its whole text, when, who asked and why, what it cost, and what went wrong."""

    BINDINGS: ClassVar[list[BindingType]] = [*LINE_KEYS]
    AUTO_FOCUS = "VerticalScroll"

    def __init__(self, event: Event) -> None:
        again = (("line.again", tr("load it again")),) if may_be_undone(event) else ()
        super().__init__(tr("What happened"), *again, ("line.close", tr("back")))
        self._event = event

    def compose_body(self) -> ComposeResult:
        said = content_of(plain_spaces(text(self._event.sentence)))
        with VerticalScroll():
            yield Static(content_of("\n\n").join([said, rows_content(facts(self._event), _LABEL_CELLS)]))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "again" or may_be_undone(self._event)

    def action_again(self) -> None:
        """Undo the guard's act."""
        close(self)
        if self._event.host and self._event.model:
            shell_of(self).act("guard.undo", (self._event.host, self._event.model))


def may_be_undone(event: Event) -> bool:
    """Whether the event is an unload by the guard."""
    details = event.details
    is_stop = (details.get("act"), details.get("asked_by")) == ("deactivate", "guard")
    return is_stop and details.get("end") in {"gone", "leaving"} and bool(event.host and event.model)


def _long_text(at: datetime) -> str:
    """``Monday 20 November 2025, 11:02:31``."""
    date = tr(_DATES[at.month - 1], day=at.day, year=f"{at.year}")
    return f"{tr(_WEEKDAYS[at.weekday()])} {date}, {at:%H:%M:%S}"


def facts(event: Event) -> Iterator[tuple[str, str]]:
    """The facts beside the sentence, each with its label."""
    at, details = event.at.astimezone(), event.details
    yield tr("When"), _long_text(at)
    yield tr("Kind"), word(event)
    if who := details.get("asked_by"):
        yield tr("Asked by"), tr(ACTORS[Actor(str(who))])
    if event.reason:
        yield tr("Why"), text(*event.reason)
    if event.model:
        yield tr("Model"), event.model
    if event.host:
        yield tr("Server"), event.host
    seconds = details.get("seconds")
    if isinstance(seconds, int | float):
        yield tr("Took"), seconds_text(seconds)
    if error := details.get("error"):
        # Older records have the words themselves.
        yield tr("Error"), text(Sentence(str(error)))
    if detail := details.get("detail"):
        yield tr("Detail"), str(detail)
