"""The activity, where the first screen has no room for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on

from llmstack_tui.tui.activity import KEYS
from llmstack_tui.tui.activity.pane import ActivityPane
from llmstack_tui.tui.screen import LiveScreen
from llmstack_tui.tui.widgets.keybar import KeyBar

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.tui.draw.glyphs import Marks


class ActivityScreen(LiveScreen):
    """Follows the record."""

    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]
    AUTO_FOCUS = "ActivityList"

    def __init__(self, marks: Marks) -> None:
        super().__init__()
        self._pane = ActivityPane(marks)

    def compose(self) -> ComposeResult:
        yield self._pane
        yield KeyBar()

    def show_activity(self) -> None:
        self._pane.show_activity()

    @on(ActivityPane.Left)
    def action_close(self) -> None:
        self.dismiss()
