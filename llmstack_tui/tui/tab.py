"""A screen that a digit leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on

from llmstack_tui.tui import keys
from llmstack_tui.tui.draw import servers
from llmstack_tui.tui.draw.updates import newer_programs, wanted
from llmstack_tui.tui.screen import LiveScreen
from llmstack_tui.tui.widgets.header import HeaderBar, Tabs, Top
from llmstack_tui.tui.widgets.pane import Banner, TooSmall

if TYPE_CHECKING:
    from llmstack_tui.tui.draw.glyphs import Marks
    from llmstack_tui.tui.shell import View


class TabScreen(LiveScreen):
    """Has the header, the line of the screens, and the banner. Kept when another one is shown.

    Attributes:
        marks: what it is drawn with.
    """

    def __init__(self, name: str, marks: Marks, *, notes: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.marks = marks
        # Kept, not queried: a state may still arrive while the screen is being taken down.
        self.header = HeaderBar(marks, notes=notes)
        self.banner = Banner()
        self.too_small = TooSmall()
        self.top = Top(self.header, Tabs(name))

    @property
    def is_too_small(self) -> bool:
        """Whether the terminal shows nothing of what a key would act on."""
        return self.has_class("-tiny") or self.has_class("-short")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not self.is_too_small

    def focus_list(self) -> None:
        """Give the keys back to what they lost when it was not shown."""

    def on_resize(self) -> None:
        if self.focused is None:
            self.call_after_refresh(self.focus_list)

    def use_marks(self, marks: Marks) -> None:
        self.marks = marks

    def on_screen_resume(self) -> None:
        """It is not drawn while it is put away."""
        if self.is_mounted:
            self.show(self.shell.view)

    @on(HeaderBar.Asked)
    async def _updates_asked(self) -> None:
        await self.shell.open("updates")

    @on(Tabs.TabChosen)
    async def _tab_chosen(self, message: Tabs.TabChosen) -> None:
        await self.shell.open(message.name)

    def show(self, view: View) -> None:
        state, shell = view.state, self.shell
        self.header.show_servers(servers.servers(state))
        self.header.show_time(view.moment.now.astimezone())
        self.header.show_profile(state.profile if state else None, servers.limit(state, shell.settings))
        self.header.show_notes(servers.notes(state, read_only=shell.read_only))
        newer = tuple(f"{each.program} {each.version}" for each in newer_programs(state)) if state else ()
        count = len(wanted(state)) if state else 0
        self.header.show_updates(count, checking=state is not None and state.checking, newer=newer)
        self.top.tabs.show(shell.tabs())
        self.banner.show(shell.trouble())
        self.too_small.show(view.keys[keys.QUIT])
