"""Draws the state on the screens that can be seen: when it has changed, and once a second."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from llmstack_tui.tui.draw.servers import ConnectionProgress, message, no_match
from llmstack_tui.tui.screen import LiveScreen
from llmstack_tui.tui.shell import shell_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import App

    from llmstack_tui.core.state import StackState
    from llmstack_tui.tui.models.screen import ModelsScreen

_TICK_S = 1.0


class Canvas:
    """The screens of the dashboard.

    Attributes:
        state: what is drawn; None while there is no server.
    """

    def __init__(self, app: App[None], first: ModelsScreen) -> None:
        self._app = app
        self._first = first
        self._progress = ConnectionProgress("Starting")
        self._drawn_s = float("-inf")
        self.state: StackState | None = None

    def begin(self) -> None:
        self._app.set_interval(_TICK_S, self._tick)

    def say(self, text: str, *, waiting: bool = False) -> None:
        """What stands in the place of the list while there is no server."""
        self._progress = ConnectionProgress(text, time.monotonic() if waiting else None)
        self.draw()

    def draw(self) -> None:
        self._drawn_s = time.monotonic()
        if not self._first.is_mounted:
            return
        view = shell_of(self._app).view
        self._first.pane.show_message(message(view, self._progress), no_match(view))
        for screen in self._seen():
            screen.show(view)

    def draw_activity(self) -> None:
        for screen in self._seen():
            screen.show_activity()

    def _tick(self) -> None:
        """Let what is counted in seconds go on; a state that came meanwhile has drawn it already.

        The machine is read as often as this ticks: where one of both has drawn, the other need not.
        """
        if time.monotonic() - self._drawn_s > _TICK_S * 0.9:
            self.draw()

    def _seen(self) -> Iterator[LiveScreen]:
        """The screens that can be seen: what lies under more than a dialog is drawn when it comes up again.

        Textual paints all of the uppermost one when something below it has changed.
        """
        is_seen = True
        for screen in reversed(self._app.screen_stack):
            if isinstance(screen, LiveScreen) and screen.is_mounted:
                if is_seen:
                    yield screen
                screen.is_behind = not is_seen
            is_seen = is_seen and screen.is_modal
