"""A screen that follows the state of the stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from msgspec import Struct, field
from textual.screen import Screen

from llmstack_tui.tui import keymap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from llmstack_tui.core import HostState, StackState
    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.tui.activity.log import Activity
    from llmstack_tui.tui.app import Dashboard
    from llmstack_tui.tui.models.rows import Key, Moment

# Below the first step of each there is no room for anything but to say so.
_WIDTHS = [(0, "-tiny"), (60, "-narrow"), (110, "-wide"), (160, "-very-wide")]
# Those of few lines have no line of their own for the names of the screens.
_HEIGHTS = [(0, "-short"), (16, "-low"), (20, "-high")]


class View(Struct, frozen=True):
    """What there is to draw: the state, None before a server was found, and the moment of drawing.

    ``keys`` has the key of each binding by its id, one of them where there are several.
    """

    state: StackState | None
    moment: Moment
    keys: Mapping[str, str] = field(default_factory=keymap.usual)

    def models(self) -> Iterator[ModelStatus]:
        for host in self.state.hosts if self.state else ():
            yield from host.models

    def host(self, url: str) -> HostState | None:
        hosts = self.state.hosts if self.state else ()
        return next((host for host in hosts if host.snapshot.url == url), None)

    def model(self, key: Key) -> ModelStatus | None:
        return next((model for model in self.models() if (model.host, model.name) == key), None)


class LiveScreen(Screen[None]):
    """Drawn again for every new state, and once a second for what grows older by itself.

    Attributes:
        is_behind: it lay under another one when something was to be drawn.
    """

    HORIZONTAL_BREAKPOINTS = _WIDTHS
    VERTICAL_BREAKPOINTS = _HEIGHTS
    is_behind = False

    @property
    def dashboard(self) -> Dashboard:
        return cast("Dashboard", self.app)

    def on_mount(self) -> None:
        self.show(self.dashboard.view)
        self.show_activity(self.dashboard.activity)

    def on_screen_resume(self) -> None:
        if self.is_behind and self.is_mounted:
            self.is_behind = False
            self.show(self.dashboard.view)
            self.show_activity(self.dashboard.activity)

    def show(self, view: View) -> None:
        """Draw what is so now."""

    def show_activity(self, activity: Activity) -> None:
        """Draw what happened; called after each event."""
