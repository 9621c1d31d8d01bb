"""A screen that follows the state of the stack, and a pane of one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Vertical
from textual.message import Message
from textual.screen import Screen

from llmstack_tui.base.text import clean
from llmstack_tui.tui import keys
from llmstack_tui.tui.draw import servers
from llmstack_tui.tui.shell import shell_of, start
from llmstack_tui.tui.widgets.header import HeaderBar, Tabs, Top
from llmstack_tui.tui.widgets.keybar import KeyBar
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.pane import Banner, Pane, TooSmall

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from llmstack_tui.tui.draw.marks import Marks
    from llmstack_tui.tui.shell import Key, Shell, View
    from llmstack_tui.tui.stack import DashboardStack

# Below the first step of each there is no room for anything but to say so.
_WIDTHS = [(0, "-tiny"), (60, "-narrow"), (110, "-wide"), (160, "-very-wide")]
# Those of few lines have no line of their own for the names of the screens.
_HEIGHTS = [(0, "-short"), (16, "-low"), (20, "-high")]

_READ_EVERY_S = 0.5


class LiveScreen(Screen[None]):
    """Drawn again for every new state, and once a second for what grows older by itself.

    Attributes:
        marks: what it is drawn with.
    """

    HORIZONTAL_BREAKPOINTS = _WIDTHS
    VERTICAL_BREAKPOINTS = _HEIGHTS

    def __init__(self, marks: Marks) -> None:
        super().__init__()
        self.marks = marks
        # Kept, not queried: a state may still arrive while the screen is being taken down.
        self.banner = Banner()

    def use_marks(self, marks: Marks) -> None:
        self.marks = marks

    def compose_body(self) -> ComposeResult:
        """What is in the middle of the screen."""
        yield from ()

    @property
    def shell(self) -> Shell:
        return shell_of(self)

    @property
    def targets(self) -> tuple[object, ...]:
        """What a key acts on, as the controllers take it."""
        return ()

    def on_screen_resume(self) -> None:
        """It is not drawn while it lies under another one, or is put away."""
        if self.is_mounted:
            self.show(self.shell.view)
            self.show_activity()

    def show(self, view: View) -> None:
        """Draw the state."""
        self.banner.show(self.shell.trouble())

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


class FramedScreen(LiveScreen):
    """One frame, over the screens that are kept."""

    def __init__(self, frame: Pane, marks: Marks) -> None:
        super().__init__(marks)
        self.frame = frame

    def compose(self) -> ComposeResult:
        yield self.banner
        with self.frame:
            yield from self.compose_body()
        yield KeyBar()

    def action_close(self) -> None:
        self.dismiss()


class RecordScreen(FramedScreen):
    """Reads the record, too: when it opens, and whenever something has happened since."""

    def __init__(self, frame: Pane, marks: Marks) -> None:
        super().__init__(frame, marks)
        self._heard = -1
        self._stirred = asyncio.Event()

    def on_mount(self) -> None:
        start(self, "History", self._read_on)

    def show(self, view: View) -> None:
        super().show(view)
        if view.state is not None and view.state.last_event_id != self._heard:
            self._heard = view.state.last_event_id
            self.read_again()

    async def read(self, stack: DashboardStack) -> None:
        """Read what is shown of the record."""

    def read_again(self) -> None:
        self._stirred.set()

    def show_unreadable(self, reason: str) -> None:
        """Say, in a sentence, why the record cannot be read."""

    async def _read_on(self) -> None:
        from llmstack_tui.core.types import StoreError
        from llmstack_tui.core.wording import words

        while True:
            await self._stirred.wait()
            self._stirred.clear()
            try:
                if (stack := self.shell.stack) is not None:
                    await self.read(stack)
            except StoreError as error:
                self.show_unreadable(clean(f"Cannot read the record: {words(error)}", limit=300))
            await asyncio.sleep(_READ_EVERY_S)


class TabScreen(LiveScreen):
    """Has the header and the line of the screens. Kept when another one is shown."""

    def __init__(self, name: str, marks: Marks) -> None:
        super().__init__(marks)
        self.header = HeaderBar()
        self.tabs = Tabs(name)
        self.too_small = TooSmall()

    def compose(self) -> ComposeResult:
        yield Top(self.header, self.tabs)
        yield self.banner
        with Vertical(id="body"):
            yield from self.compose_body()
        yield self.too_small
        yield KeyBar()

    @property
    def is_too_small(self) -> bool:
        """Whether the terminal shows nothing of what a key would act on."""
        return self.has_class("-tiny") or self.has_class("-short")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not self.is_too_small

    def focus_list(self) -> None:
        """Give the keys back to what they lost when it was not shown."""
        self.query(RowList).first().focus()

    def on_resize(self) -> None:
        if self.focused is None:
            self.call_after_refresh(self.focus_list)

    @on(HeaderBar.Asked)
    async def _updates_asked(self) -> None:
        await self.shell.open("updates")

    @on(Tabs.TabChosen)
    async def _tab_chosen(self, message: Tabs.TabChosen) -> None:
        await self.shell.open(message.name)

    def show(self, view: View) -> None:
        super().show(view)
        shell = self.shell
        self.header.show(servers.header_line(view, shell.settings, read_only=shell.read_only))
        self.tabs.show(shell.tabs())
        self.too_small.show_key(view.keys[keys.QUIT])
