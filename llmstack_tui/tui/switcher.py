"""Which of the screens that digits lead to is shown. Each is made, and imported, when it is first wanted."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING

from llmstack_tui.tui.deferred import Later
from llmstack_tui.tui.draw.glyphs import Marked
from llmstack_tui.tui.widgets.tabs import MODELS, TABS

if TYPE_CHECKING:
    from llmstack_tui.tui.app import Dashboard
    from llmstack_tui.tui.tab import TabScreen

SWITCH = "switch"
_LABELS = {tab.name: tab.label for tab in TABS}


class Switching:
    """The first screen lies under all others, for most of what is shown is about it."""

    def __init__(self, app: Dashboard) -> None:
        self._app = app
        self._made: dict[str, TabScreen] = {}

    def go(self, name: str) -> None:
        """Show this screen, instead of whatever lies over the first one."""
        # At once where it is there, so that a key that is pressed right after it is for it.
        if name == MODELS or name in self._made:
            self._show(name)
        else:
            self._app.run_worker(
                Later(self._make, name),
                group=SWITCH,
                exclusive=True,
                description=f"The screen {_LABELS[name]}",
                exit_on_error=False,
            )

    async def _make(self, name: str) -> None:
        # In a thread: on the event loop it would hold up the keys.
        module = await asyncio.to_thread(importlib.import_module, f"llmstack_tui.tui.{name}.screen")
        if name not in self._made:
            self._made[name] = screen = module.SCREEN(self._app.marks)
            # Textual keeps what is installed when another screen takes its place.
            self._app.install_screen(screen, name)
        self._show(name)

    def _show(self, name: str) -> None:
        app = self._app
        if any(screen.is_modal for screen in app.screen_stack):
            return  # A question was asked meanwhile, and waits for its answer.
        wanted = app.models if name == MODELS else self._made[name]
        if app.screen is wanted:
            return
        self._renew_marks(wanted)
        while len(app.screen_stack) > 2:
            app.pop_screen()
        if wanted is app.models:
            app.pop_screen()
        elif len(app.screen_stack) == 2:
            app.switch_screen(wanted)
        else:
            app.push_screen(wanted)

    def _renew_marks(self, screen: TabScreen) -> None:
        """They may have changed while it was put away."""
        if screen.marks is not self._app.marks:
            for node in (screen, *screen.walk_children()):
                if isinstance(node, Marked):
                    node.use_marks(self._app.marks)
