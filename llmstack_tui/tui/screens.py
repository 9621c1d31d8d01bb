"""The screens: which of them is shown, and when the state is drawn on them."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from textual.screen import Screen

from llmstack_tui.tui.draw.glyphs import Marked
from llmstack_tui.tui.draw.servers import ConnectionProgress, message, no_match
from llmstack_tui.tui.features import BY_NAME
from llmstack_tui.tui.screen import LiveScreen
from llmstack_tui.tui.shell import shell_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.app import App

    from llmstack_tui.core.state import StackState
    from llmstack_tui.tui.draw.glyphs import Marks
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


class ScreenSwitcher:
    """The first screen lies under all others, for most of what is shown is about it."""

    def __init__(self, app: App[None], name: str, first: Screen[None]) -> None:
        self._app = app
        self._first = first
        self._tabs: dict[str, Screen[None]] = {name: first}
        self._imported: dict[str, Callable[..., Screen[None]]] = {}

    async def open(self, name: str, *about: object, marks: Marks) -> None:
        """Show the screen of this feature: one of the line of the screens instead of whatever lies over the
        first one, another one over all.
        """
        if name not in self._tabs and name not in self._imported:
            feature = BY_NAME[name]
            # In a thread: on the event loop it would hold up the keys.
            self._imported[name] = await asyncio.to_thread(feature.find_class, feature.screen, Screen)
        if any(screen.is_modal for screen in self._app.screen_stack):
            return  # A question was asked meanwhile, and waits for its answer.
        if not BY_NAME[name].is_tab:
            if type(self._app.screen) is not self._imported[name]:
                self._app.push_screen(self._imported[name](*about, marks))
            return
        if name not in self._tabs:
            self._tabs[name] = screen = self._imported[name](marks)
            # Textual keeps what is installed when another screen takes its place.
            self._app.install_screen(screen, name)
        self._show(self._tabs[name])

    def use_marks(self, marks: Marks) -> None:
        """Have all screens draw with these, also those that are put away; a dialog keeps its own."""
        for screen in dict.fromkeys((*self._tabs.values(), *self._app.screen_stack)):
            for node in (screen, *screen.walk_children()):
                if isinstance(node, Marked):
                    node.use_marks(marks)
                node.refresh()

    def _show(self, wanted: Screen[None]) -> None:
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
