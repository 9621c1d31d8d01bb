"""The screens: which of them is shown, and when the state is drawn on them."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from llmstack_tui.tui.draw.marks import UsesMarks
from llmstack_tui.tui.draw.servers import ConnectionProgress, message, no_match
from llmstack_tui.tui.features import BY_NAME
from llmstack_tui.tui.screen import LiveScreen
from llmstack_tui.tui.shell import shell_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.app import App
    from textual.screen import Screen

    from llmstack_tui.tui.models.screen import ModelsScreen

_TICK_S = 1.0


class Screens:
    """The screens of the dashboard; the first one, which most of what is shown is about, is below all.

    Args:
        name: of the feature whose screen is the first one.
    """

    def __init__(self, app: App[None], name: str, first: ModelsScreen) -> None:
        self._app = app
        self._first = first
        self._tabs: dict[str, LiveScreen] = {name: first}
        self._progress = ConnectionProgress("Starting")
        self._drawn_s = float("-inf")

    def begin(self) -> None:
        self._app.set_interval(_TICK_S, self._tick)

    # What is drawn

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

    def use_marks(self) -> None:
        """Have all screens draw with other marks, also those that are put away; a dialog keeps its own."""
        marks = shell_of(self._app).marks
        for screen in dict.fromkeys((*self._tabs.values(), *self._app.screen_stack)):
            for node in (screen, *screen.walk_children()):
                if isinstance(node, UsesMarks):
                    node.use_marks(marks)
                node.refresh()

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
        for screen in reversed(self._app.screen_stack):
            if isinstance(screen, LiveScreen) and screen.is_mounted:
                yield screen
            if not screen.is_modal:
                return

    # Which one is shown

    async def open(self, name: str, *about: object) -> None:
        """Show the screen of this feature: one of the line of the screens instead of whatever lies over the
        first one, another one over all.
        """
        feature, app = BY_NAME[name], self._app
        kind: Callable[..., LiveScreen] = LiveScreen
        if name not in self._tabs:
            # In a thread: on the event loop the import would hold up the keys.
            kind = await asyncio.to_thread(feature.find_class, feature.screen, LiveScreen)
        if any(screen.is_modal for screen in app.screen_stack):
            return  # A question was asked meanwhile, and waits for its answer.
        if feature.is_tab:
            if name not in self._tabs:
                self._tabs[name] = kind(shell_of(app).marks)
                # Textual keeps what is installed when another screen takes its place.
                app.install_screen(self._tabs[name], name)
            self._show_tab(self._tabs[name])
        elif type(app.screen) is not kind:
            app.push_screen(kind(*about, shell_of(app).marks))

    def _show_tab(self, wanted: Screen[None]) -> None:
        app = self._app
        if app.screen is wanted:
            return
        while len(app.screen_stack) > 2:
            app.pop_screen()
        if wanted is self._first:
            app.pop_screen()
        elif len(app.screen_stack) == 2:
            app.switch_screen(wanted)
        else:
            app.push_screen(wanted)
