"""Which screen is shown, and when the screens draw the state."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import current, tr
from llmstack_tui.tui.draw.servers import ConnectionProgress, message
from llmstack_tui.tui.features import BY_NAME
from llmstack_tui.tui.screen import LiveScreen
from llmstack_tui.tui.shell import shell_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from textual.app import App
    from textual.screen import Screen

    from llmstack_tui.tui.models.screen import ModelsScreen

_TICK_S = 1.0
_LATE_S = 0.2


class Screens:
    """The stack of screens; the first one, with the models, always lies at the bottom.

    Args:
        name: the feature of the first screen.
        follow: called with each new state after its first part is painted, before the rest is drawn.
    """

    def __init__(self, app: App[None], name: str, first: ModelsScreen, follow: Callable[[], None]) -> None:
        self._app = app
        self._follow = follow
        self._rest_due_s: float | None = None
        self._first = first
        self._tabs: dict[str, LiveScreen] = {name: first}
        self._progress = ConnectionProgress(tr("Starting"))
        self._drawn_s = float("-inf")
        self._language = current()

    def begin(self) -> None:
        self._app.set_interval(_TICK_S, self._tick)

    # What is drawn

    def say(self, text: str, *, waiting: bool = False) -> None:
        """Show a text in place of the list while there is no server."""
        self._progress = ConnectionProgress(text, time.monotonic() if waiting else None)
        self.draw()

    def draw(self) -> None:
        """Draw what each screen is about at once, and the rest when that is painted."""
        self._drawn_s = time.monotonic()
        if not self._first.is_mounted:
            return
        view = shell_of(self._app).view
        if next(view.models(), None) is None:
            self._first.pane.show_message(message(view, self._progress))
        for screen in self._visible():
            screen.show(view)
        if self._rest_due_s is None:
            self._rest_due_s = self._drawn_s
            self._app.call_after_refresh(self._draw_rest)
        elif self._drawn_s - self._rest_due_s > _LATE_S:
            self._draw_rest()  # The screen that would have called back was closed meanwhile.

    def _draw_rest(self) -> None:
        self._rest_due_s = None
        self._follow()
        view = shell_of(self._app).view
        for screen in self._visible():
            screen.show_rest(view)

    def redraw(self) -> None:
        """Draw all screens again, also those not shown: the marks, or the language, have changed."""
        for screen in self._all():
            screen.update_node_styles(animate=False)
            for node in screen.walk_children(with_self=True):
                node.refresh()
        self.draw()

    def follow_language(self) -> None:
        """Show everything in the language of now.

        A dialog keeps its language, and what is below it, too, until it is closed.
        """
        if self._language is current() or any(screen.is_modal for screen in self._app.screen_stack):
            return
        self._language = current()
        for screen in self._all():
            if isinstance(screen, LiveScreen):
                screen.follow_language()
        self.redraw()

    def _all(self) -> Iterable[Screen[object]]:
        """All that are kept, shown or not."""
        return dict.fromkeys((*self._tabs.values(), *self._app.screen_stack))

    def _tick(self) -> None:
        """Draw once a second, so that times and ages go on, unless a new state has just been drawn.

        Readings of the machine bring a state about as often as this ticks.
        """
        self.follow_language()
        if time.monotonic() - self._drawn_s > _TICK_S * 0.9:
            self.draw()

    def _visible(self) -> Iterator[LiveScreen]:
        """The top screen and, through dialogs, those below it; a covered one is drawn when it comes up again.

        Drawing a screen below makes Textual repaint all of the top one.
        """
        for screen in reversed(self._app.screen_stack):
            if isinstance(screen, LiveScreen) and screen.is_mounted:
                yield screen
            if not screen.is_modal:
                return

    # Which one is shown

    async def open(self, name: str, *about: object) -> None:
        """Show the screen of a feature. A tab replaces all screens over the first; others open on top."""
        feature, app = BY_NAME[name], self._app
        kind: Callable[..., LiveScreen] = LiveScreen
        if name not in self._tabs:
            # In a thread: on the event loop the import would block the keys.
            kind = await asyncio.to_thread(feature.find_class, feature.screen, LiveScreen)
        if any(screen.is_modal for screen in app.screen_stack):
            return  # Meanwhile a dialog was opened, which waits for an answer.
        if feature.is_tab:
            if name not in self._tabs:
                self._tabs[name] = kind()
                # Textual keeps an installed screen when another one replaces it.
                app.install_screen(self._tabs[name], name)
            self._show_tab(self._tabs[name])
        elif type(app.screen) is not kind:
            app.push_screen(kind(*about))

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
