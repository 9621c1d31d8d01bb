"""The last line of a dialog: what its keys do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

if TYPE_CHECKING:
    from textual.app import App
    from textual.screen import Screen


Part = tuple[str, str]


class Hint(Static):
    """Follows the keys when the settings give a binding another one.

    Args:
        parts: pairs of a key and what it does. In the place of a key stands the id of its binding, if it has
            one; what belongs to a text field has none.
    """

    def __init__(self, *parts: Part, id: str = "hint") -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id, markup=False)
        self._parts = parts

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)
        self._changed(self.screen)

    def say(self, *parts: Part) -> None:
        self._parts = parts
        self._changed(self.screen)

    def _changed(self, screen: Screen[object]) -> None:
        keys = shown_keys(screen)
        said = "    ".join(f"{keys.get(key, key)}  {what}" for key, what in self._parts)
        self.update(Content(said))


def shown_keys(screen: Screen[object]) -> dict[str, str]:
    """The first key of each binding that counts on a screen now, by the binding's id."""
    app: App[object] = screen.app
    found: dict[str, str] = {}
    for active in screen.active_bindings.values():
        if active.binding.id:
            found.setdefault(active.binding.id, app.get_key_display(active.binding))
    return found
