"""The activity, where the first screen has no room for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on

from llmstack_tui.tui import keys
from llmstack_tui.tui.activity.list import ActivityList
from llmstack_tui.tui.screen import LiveScreen
from llmstack_tui.tui.widgets.keybar import KeyBar
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.tui.activity.log import Activity
    from llmstack_tui.tui.draw.glyphs import Marks


class ActivityScreen(LiveScreen):
    """Follows the record."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.ACTIVITY_SCREEN]
    AUTO_FOCUS = "ActivityList"

    def __init__(self, marks: Marks) -> None:
        super().__init__()
        self._list = ActivityList(marks)
        self._pane = Pane("Activity")

    def compose(self) -> ComposeResult:
        with self._pane:
            yield self._list
        yield KeyBar()

    def show_activity(self, activity: Activity) -> None:
        self._pane.show_title(activity.choice.heading)
        self._list.show_events(activity.lines, self.dashboard.now())

    def action_choose_activity(self) -> None:
        self.dashboard.telling.choose_next()

    @on(ActivityList.Left)
    def action_close(self) -> None:
        self.dismiss()
