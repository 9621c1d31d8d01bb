"""The base classes of screens that follow the state, and of the panes beside the list."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from textual import on
from textual.containers import Vertical
from textual.message import Message
from textual.screen import Screen

from llmstack_tui.base.languages import tr
from llmstack_tui.base.text import brief
from llmstack_tui.tui import keys
from llmstack_tui.tui.draw import servers
from llmstack_tui.tui.shell import close, shell_of, start
from llmstack_tui.tui.widgets.header import HeaderBar, Tabs, Top
from llmstack_tui.tui.widgets.keybar import KeyBar
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.pane import Banner, Pane, TooSmall
from llmstack_tui.tui.widgets.table import FilterField, TablePane

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from llmstack_tui.tui.shell import Shell
    from llmstack_tui.tui.stack import DashboardStack
    from llmstack_tui.tui.view import Key, View

# On a terminal of the first step, of either, only a message that it is too small has room.
_WIDTHS = [(0, "-tiny"), (60, "-narrow"), (110, "-wide"), (160, "-very-wide")]
# On a low screen the tabs share the line of the header.
_HEIGHTS = [(0, "-short"), (16, "-low"), (20, "-high")]

_READ_EVERY_S = 0.5


class LiveScreen(Screen[None]):
    """A screen that is drawn again for every new state, and once a second because ages change."""

    HORIZONTAL_BREAKPOINTS = _WIDTHS
    VERTICAL_BREAKPOINTS = _HEIGHTS

    def __init__(self) -> None:
        super().__init__()
        # An attribute, not a query: a state may still arrive while the screen is being removed.
        self.banner = Banner()

    def compose_body(self) -> ComposeResult:
        """The content between the top and the key bar."""
        yield from ()

    @property
    def shell(self) -> Shell:
        return shell_of(self)

    @property
    def targets(self) -> tuple[object, ...]:
        """What the keys act on, as arguments for a controller's method."""
        return ()

    @property
    def one_model(self) -> Key | None:
        """The model of the keys that act on one alone."""
        return None

    def on_screen_resume(self) -> None:
        """Catch up: while it was covered or put away, the screen was not drawn."""
        if self.is_mounted:
            self.show(self.shell.view)
            self.show_rest(self.shell.view)

    def show(self, view: View) -> None:
        """Draw what the screen is about."""

    def show_rest(self, view: View) -> None:
        """Draw what is around it; that is painted a moment later, and delays nothing."""
        self.banner.show(self.shell.trouble())

    def follow_language(self) -> None:
        """Take note of another language, for what `show` and `show_rest` would leave as it is."""

    # Keys

    def action_act(self, name: str) -> None:
        """Have a feature do something."""
        self.shell.act(name)

    def action_act_on(self, name: str) -> None:
        """Have a feature do something to `targets`."""
        self.shell.act(name, *self.targets)

    async def action_go_on(self, name: str) -> None:
        """Show the screen of another feature about `one_model`."""
        if (key := self.one_model) is None:
            self.shell.tell(tr("There is no model under the cursor."))
        else:
            await self.shell.open(name, key)

    async def action_go(self, name: str) -> None:
        """Show the screen of another feature."""
        await self.shell.open(name)


class SidePane(Pane):
    """A feature's pane beside the list of models."""

    class Left(Message):
        """The user went back to the list."""

    @property
    def shell(self) -> Shell:
        return shell_of(self)

    def show(self, view: View, selected: Key | None) -> None:
        """Draw the state; ``selected`` is the model under the cursor."""

    def select(self, view: View, selected: Key | None) -> None:
        """The cursor has moved: draw what depends on the model under it."""


class FramedScreen(LiveScreen):
    """A screen with one frame, opened over the tabs and dismissed when it is closed."""

    def __init__(self, frame: Pane) -> None:
        super().__init__()
        self.frame = frame

    def compose(self) -> ComposeResult:
        yield self.banner
        with self.frame:
            yield from self.compose_body()
        yield KeyBar()

    def action_close(self) -> None:
        close(self)


class RecordScreen(FramedScreen):
    """A framed screen that also reads the record: when it opens, and after every new event."""

    def __init__(self, frame: Pane) -> None:
        super().__init__(frame)
        self._heard = -1
        self._needs_read = asyncio.Event()

    def on_mount(self) -> None:
        start(self, tr("History"), self._read_on)

    def show(self, view: View) -> None:
        if view.state is not None and view.state.last_event_id != self._heard:
            self._heard = view.state.last_event_id
            self.read_again()

    async def read(self, stack: DashboardStack) -> None:
        """Read the record, and show it."""

    def read_again(self) -> None:
        self._needs_read.set()

    def follow_language(self) -> None:
        self.read_again()

    def show_unreadable(self, reason: str) -> None:
        """Say, in a sentence, why the record cannot be read."""

    async def _read_on(self) -> None:
        from llmstack_tui.core.types import StoreError
        from llmstack_tui.core.wording import words

        while True:
            await self._needs_read.wait()
            self._needs_read.clear()
            try:
                if (stack := self.shell.stack) is not None:
                    await self.read(stack)
            except StoreError as error:
                self.show_unreadable(brief(tr("Cannot read the record: {why}", why=words(error)), 300))
            await asyncio.sleep(_READ_EVERY_S)


class TabScreen(LiveScreen):
    """A screen with a header and tabs. It is kept while another one is shown."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.header = HeaderBar()
        self.tabs = Tabs(name)
        self.too_small = TooSmall()
        self.keys = KeyBar()

    def compose(self) -> ComposeResult:
        yield Top(self.header, self.tabs)
        yield self.banner
        with Vertical(id="body"):
            yield from self.compose_body()
        yield self.too_small
        yield self.keys

    @property
    def is_too_small(self) -> bool:
        """The terminal is too small for the body, so keys would act on something unseen."""
        return self.has_class("-tiny") or self.has_class("-short")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not self.is_too_small

    def focus_list(self) -> None:
        """Focus the list again; it loses the focus when a small terminal hides it."""
        self.query(RowList).first().focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self.refresh_bindings)
        if self.focused is None:
            self.call_after_refresh(self.focus_list)

    @on(HeaderBar.Asked)
    async def _updates_asked(self) -> None:
        await self.shell.open("updates")

    @on(Tabs.TabChosen)
    async def _tab_chosen(self, message: Tabs.TabChosen) -> None:
        await self.shell.open(message.name)

    def show_rest(self, view: View) -> None:
        super().show_rest(view)
        shell = self.shell
        line = servers.header_line(view, shell.settings, read_only=shell.read_only, notes=shell.notes())
        self.header.show(line)
        self.tabs.show(shell.tabs())
        self.too_small.show_key(view.keys[keys.QUIT])


class TableScreen(TabScreen):
    """A tab with a list that is sorted and filtered."""

    def __init__(self, name: str, pane: TablePane[Any]) -> None:
        super().__init__(name)
        self.pane = pane

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # In the field this key is an ordinary letter.
        shown = super().check_action(action, parameters)
        return shown and (action != "filter" or not isinstance(self.focused, FilterField))

    def action_filter(self) -> None:
        self.pane.open_filter()

    def action_sort(self) -> None:
        self.pane.sort_next()

    def action_reverse(self) -> None:
        self.pane.sort(self.pane.order.reversed())
