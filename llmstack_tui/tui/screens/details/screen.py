"""The details of one model and the activity, over the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from llmstack_tui.tui import keys
from llmstack_tui.tui.screens.live import LiveScreen, View
from llmstack_tui.tui.text import clean
from llmstack_tui.tui.widgets.activity import ActivityLog
from llmstack_tui.tui.widgets.details import Details, details_content
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.tui.activity import Activity
    from llmstack_tui.tui.rows import Key

SHOWN_EVENTS = 200


class DetailsScreen(LiveScreen, ModalScreen[None]):
    """Follows the state as the list does."""

    CSS_PATH = "screen.tcss"
    AUTO_FOCUS = "VerticalScroll"
    BINDINGS: ClassVar[list[BindingType]] = [
        *keys.DETAILS,
        *(binding for binding in keys.MODELS if binding.action in {"copy_url", "copy_native_url"}),
    ]

    def __init__(self, key: Key | None) -> None:
        super().__init__()
        self._key = key
        self._model = Details(id="details")
        self._log_lines = ActivityLog(id="activity")

    def compose(self) -> ComposeResult:
        with Pane(clean(self._key[1], limit=200) if self._key else "Activity", id="dialog"):
            with VerticalScroll():
                yield self._model
                yield Static("Activity", classes="heading", markup=False)
                yield self._log_lines
            yield Static("arrows  scroll    y  copy URL    esc  back", id="hint", markup=False)

    def show(self, view: View) -> None:
        self._model.show(details_content(self.dashboard.looking.about(view, self._key)))

    def show_activity(self, activity: Activity) -> None:
        self._log_lines.show(activity.newest(SHOWN_EVENTS))

    def action_copy_url(self) -> None:
        self.dashboard.copy_url(native=False)

    def action_copy_native_url(self) -> None:
        self.dashboard.copy_url(native=True)
