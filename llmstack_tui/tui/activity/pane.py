"""The activity in a pane: beside the list of models, or alone on a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on

from llmstack_tui.tui.activity.feed import ActivityFeed
from llmstack_tui.tui.activity.list import ActivityList
from llmstack_tui.tui.screen import SidePane

if TYPE_CHECKING:
    from textual.app import ComposeResult

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
        from llmstack_tui.tui.activity.line import LineScreen

        self.app.push_screen(LineScreen(message.event))
