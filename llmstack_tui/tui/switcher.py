"""Which screen is shown. Each is imported when it is first wanted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from llmstack_tui.tui.draw.glyphs import Marked
from llmstack_tui.tui.features import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App
    from textual.screen import Screen

    from llmstack_tui.tui.draw.glyphs import Marks


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
            if (imported := BY_NAME[name].screen) is None:
                raise ValueError(f"The feature {name!r} has no screen.")
            # In a thread: on the event loop it would hold up the keys.
            self._imported[name] = await asyncio.to_thread(imported)
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
