"""A screen that follows the state of the stack, and a pane of one."""

from __future__ import annotations

from textual.message import Message
from textual.screen import Screen

from llmstack_tui.tui.shell import Key, Shell, View, shell_of
from llmstack_tui.tui.widgets.pane import Pane

# Below the first step of each there is no room for anything but to say so.
_WIDTHS = [(0, "-tiny"), (60, "-narrow"), (110, "-wide"), (160, "-very-wide")]
# Those of few lines have no line of their own for the names of the screens.
_HEIGHTS = [(0, "-short"), (16, "-low"), (20, "-high")]


class LiveScreen(Screen[None]):
    """Drawn again for every new state, and once a second for what grows older by itself.

    Attributes:
        is_behind: it lay under another one when something was to be drawn.
    """

    HORIZONTAL_BREAKPOINTS = _WIDTHS
    VERTICAL_BREAKPOINTS = _HEIGHTS
    is_behind = False

    @property
    def shell(self) -> Shell:
        return shell_of(self)

    @property
    def targets(self) -> tuple[object, ...]:
        """What a key acts on, as the controllers take it."""
        return ()

    def on_mount(self) -> None:
        self.show(self.shell.view)
        self.show_activity()

    def on_screen_resume(self) -> None:
        if self.is_behind and self.is_mounted:
            self.is_behind = False
            self.show(self.shell.view)
            self.show_activity()

    def show(self, view: View) -> None:
        """Draw the state."""

    def show_activity(self) -> None:
        """Draw what happened; called after each event."""

    # Keys

    def action_act(self, name: str) -> None:
        """Have a feature do something."""
        self.shell.act(name)

    def action_act_on(self, name: str) -> None:
        """Have a feature do something to what the keys act on."""
        self.shell.act(name, *self.targets)

    async def action_go(self, name: str) -> None:
        """Show the screen of another feature."""
        await self.shell.open(name)


class SidePane(Pane):
    """What a feature shows beside the list of models."""

    class Left(Message):
        """The way back to the list was taken."""

    @property
    def shell(self) -> Shell:
        return shell_of(self)

    def show(self, view: View, selected: Key | None) -> None:
        """Draw the state; ``selected`` is the model under the cursor."""

    def select(self, view: View, selected: Key | None) -> None:
        """Draw what depends on the model under the cursor, which has moved."""

    def show_activity(self) -> None:
        """Draw what happened; called after each event."""
