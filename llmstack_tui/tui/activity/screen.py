"""The activity: beside the models, on a screen of its own without room for that, and a line in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from llmstack_tui.base.text import clean, clean_lines
from llmstack_tui.base.units import seconds_text
from llmstack_tui.core.wording import text
from llmstack_tui.tui.activity import KEYS, LINE_KEYS
from llmstack_tui.tui.activity.feed import ActivityFeed, word
from llmstack_tui.tui.activity.list import ActivityList
from llmstack_tui.tui.dialogs import Dialog
from llmstack_tui.tui.draw.text import plain_spaces
from llmstack_tui.tui.screen import FramedScreen, SidePane
from llmstack_tui.tui.shell import shell_of
from llmstack_tui.tui.widgets.section import rows_content

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.core.types import Event
    from llmstack_tui.tui.draw.glyphs import Marks


class ActivityPane(SidePane):
    """Follows the record; Enter opens a line."""

    def __init__(self, marks: Marks) -> None:
        super().__init__("Activity", id="activity-pane")
        self.list = ActivityList(marks, id="activity")

    def compose(self) -> ComposeResult:
        yield self.list

    def show_activity(self) -> None:
        activity = self.shell.controller(ActivityFeed).activity
        self.show_title(activity.choice.heading)
        self.list.show_events(activity.lines, self.shell.now())

    @on(ActivityList.Left)
    def _left(self, message: ActivityList.Left) -> None:
        message.stop()
        self.post_message(self.Left())

    @on(ActivityList.EventOpened)
    def _opened(self, message: ActivityList.EventOpened) -> None:
        self.app.push_screen(LineScreen(message.event))


class ActivityScreen(FramedScreen):
    """Follows the record."""

    frame: ActivityPane

    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]
    AUTO_FOCUS = "ActivityList"

    def __init__(self, marks: Marks) -> None:
        super().__init__(ActivityPane(marks), marks)

    def show_activity(self) -> None:
        self.frame.show_activity()

    @on(ActivityPane.Left)
    def action_close(self) -> None:
        super().action_close()


_WHO = {
    "user": "you, in a dashboard",
    "cli": "the command line",
    "guard": "the guard",
    "client": "another client",
}
_LABEL_CELLS = 10


class LineScreen(Dialog[None]):
    """The whole text, when, who asked and why, what it cost, and what went wrong."""

    BINDINGS: ClassVar[list[BindingType]] = [*LINE_KEYS]
    AUTO_FOCUS = "VerticalScroll"

    def __init__(self, event: Event) -> None:
        again = (("line.again", "start it again"),) if may_be_undone(event) else ()
        super().__init__("What happened", *again, ("line.close", "back"))
        self._event = event

    def compose_body(self) -> ComposeResult:
        said = Content(plain_spaces(clean_lines(text(self._event.sentence))))
        with VerticalScroll():
            yield Static(Content("\n\n").join([said, rows_content(facts(self._event), _LABEL_CELLS)]))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "again" or may_be_undone(self._event)

    def action_again(self) -> None:
        """Undo what the guard did."""
        self.dismiss()
        if self._event.host and self._event.model:
            shell_of(self).act("guard.undo", (self._event.host, self._event.model))


def may_be_undone(event: Event) -> bool:
    """Whether it is a stop by the guard."""
    details = event.details
    is_stop = (details.get("act"), details.get("asked_by")) == ("deactivate", "guard")
    return is_stop and details.get("end") in {"gone", "leaving"} and bool(event.host and event.model)


def facts(event: Event) -> Iterator[tuple[str, str]]:
    """What there is to know beside the sentence, each with its label."""
    at, details = event.at.astimezone(), event.details
    yield "When", f"{at:%A} {at.day} {at:%B %Y}, {at:%H:%M:%S}"
    yield "Kind", word(event)
    if who := details.get("asked_by"):
        yield "Asked by", _WHO.get(str(who), clean(str(who), limit=60))
    if event.reason:
        yield "Why", clean(text(*event.reason))
    if event.model:
        yield "Model", clean(event.model, limit=300)
    if event.host:
        yield "Server", clean(event.host, limit=300)
    seconds = details.get("seconds")
    if isinstance(seconds, int | float):
        yield "Took", seconds_text(seconds)
    if error := details.get("error"):
        yield "Error", clean(str(error), limit=100)
    if detail := details.get("detail"):
        yield "It said", clean_lines(str(detail))
