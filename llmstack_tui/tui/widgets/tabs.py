"""The line that names the screens, with the digits that lead to them, and the top of a screen around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult

    from llmstack_tui.tui.widgets.header import Header


class Tab(Struct, frozen=True):
    """A screen that a key leads to: the name of its feature, what it is called, and how many wait there."""

    name: str
    label: str
    key: str
    badge: str = ""

    @property
    def text(self) -> str:
        return f"{self.label} {self.badge}".rstrip()


class Tabs(Widget):
    """All screens, the one that is shown marked; a click leads to another."""

    DEFAULT_CSS = """
    Tabs { height: 1; background: $panel; color: $foreground; }
    """
    ALLOW_SELECT = False

    class Chosen(Message):
        """One of them was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, current: str) -> None:
        super().__init__()
        self._current = current
        self._shown: tuple[Tab, ...] = ()

    def show(self, tabs: Sequence[Tab]) -> None:
        """Draw these."""
        if (tabs := tuple(tabs)) != self._shown:
            before, self._shown = self.get_content(), tabs
            self.refresh(layout=before.cell_length != self.get_content().cell_length)

    def render(self) -> Content:
        return self.get_content()

    def get_content(self) -> Content:
        """All of them in one line."""
        parts: list[tuple[str, str]] = []
        for tab in self._shown:
            is_current = tab.name == self._current
            parts += [
                (f" {tab.key} ", "bold $primary underline" if is_current else "bold $primary"),
                (tab.text, "bold underline" if is_current else "$foreground 75%"),
                (" ", ""),
            ]
        return Content.assemble(*parts)

    def on_click(self, event: events.Click) -> None:
        right = 0
        for tab in self._shown:
            right += len(tab.key) + len(tab.text) + 3
            if event.x < right:
                if tab.name != self._current:
                    self.post_message(self.Chosen(tab.name))
                return


class Top(Vertical):
    """The header over the line of the screens; beside it where there are few lines."""

    DEFAULT_CSS = """
    Top { dock: top; height: 2; background: $panel; }
    """

    def __init__(self, header: Header, tabs: Tabs) -> None:
        super().__init__()
        self.header = header
        self.tabs = tabs

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.tabs
