"""The line that names the screens, with the digits that lead to them, and the top of a screen around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from textual import events
    from textual.app import ComposeResult

    from llmstack_tui.tui.widgets.header import Header


class Tab(Struct, frozen=True):
    """A screen that a digit leads to. ``binding_id`` is that of its key."""

    name: str
    label: str

    @property
    def binding_id(self) -> str:
        return f"app.{self.name}"


MODELS, DOWNLOADS, CATALOG = "models", "downloads", "catalog"
TABS = (Tab(MODELS, "Models"), Tab(DOWNLOADS, "Downloads"), Tab(CATALOG, "Catalog"))


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
        self._keys: Mapping[str, str] = {}
        self._notes: Mapping[str, str] = {}

    def show(self, keys: Mapping[str, str], notes: Mapping[str, str]) -> None:
        """Draw the keys by the ids of their bindings, and ``notes`` behind the names of screens."""
        if (keys, notes) != (self._keys, self._notes):
            is_wider = [*self._parts()]
            self._keys, self._notes = keys, notes
            self.refresh(layout=is_wider != [*self._parts()])

    def _parts(self) -> Iterator[tuple[Tab, str, str]]:
        for tab in TABS:
            note = self._notes.get(tab.name, "")
            yield tab, self._keys.get(tab.binding_id, ""), f"{tab.label}{f' {note}' if note else ''}"

    def render(self) -> Content:
        parts: list[tuple[str, str]] = []
        for tab, key, text in self._parts():
            is_current = tab.name == self._current
            parts += [
                (f" {key} ", "bold $primary" if not is_current else "bold $primary underline"),
                (text, "bold underline" if is_current else "$foreground 75%"),
                (" ", ""),
            ]
        return Content.assemble(*parts)

    def on_click(self, event: events.Click) -> None:
        right = 0
        for tab, key, text in self._parts():
            right += len(key) + len(text) + 3
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
