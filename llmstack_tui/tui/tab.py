"""A screen that a digit leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on

from llmstack_tui.tui import keys
from llmstack_tui.tui.draw import servers as status
from llmstack_tui.tui.screen import LiveScreen, View
from llmstack_tui.tui.widgets.banner import Banner
from llmstack_tui.tui.widgets.header import Header
from llmstack_tui.tui.widgets.tabs import DOWNLOADS, Tabs, Top
from llmstack_tui.tui.widgets.too_small import TooSmall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.core import StackState
    from llmstack_tui.tui.draw.glyphs import Marks


class TabScreen(LiveScreen):
    """Has the header, the line of the screens, and the banner. Kept when another one is shown.

    Attributes:
        marks: what it is drawn with.
    """

    def __init__(self, name: str, marks: Marks, *, notes: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.marks = marks
        self.tab = name
        # Kept, not queried: a state may still arrive while the screen is being taken down.
        self.header = Header(marks, notes=notes)
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
            self.show(self.dashboard.view)

    @on(Header.Asked)
    def _updates_asked(self) -> None:
        self.dashboard.open_updates()

    def show(self, view: View) -> None:
        self.header.show_servers(status.servers(view.state))
        self.header.show_time(view.moment.now.astimezone())
        profile = view.state.profile if view.state else None
        self.header.show_profile(profile, status.limit(view.state, self.dashboard.settings))
        read_only = self.dashboard.preferences.read_only
        self.header.show_notes(status.notes(view.state, read_only=read_only))
        checking = view.state is not None and view.state.checking
        news = self.dashboard.news
        self.header.show_updates(news.count, checking=checking, newer=news.programs)
        self.top.tabs.show(view.keys, tab_notes(view.state))
        self.banner.show(self.dashboard.trouble(view))
        self.too_small.show(view.keys[keys.QUIT])


def tab_notes(state: StackState | None) -> Mapping[str, str]:
    """How many pulls are not over yet."""
    count = sum(not download.state.is_over for download in state.downloads) if state else 0
    return {DOWNLOADS: f"({count})"} if count else {}
