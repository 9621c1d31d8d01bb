"""The keys: in the bottom line of a screen, and in the last line of a dialog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.binding import Binding
from textual.widget import Widget
from textual.widgets import Static

from llmstack_tui.base.languages import tr
from llmstack_tui.tui import keys
from llmstack_tui.tui.draw.text import content_of, thing_at
from llmstack_tui.tui.shell import shell_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual import events
    from textual.content import Content
    from textual.screen import Screen

HintPart = tuple[str, str]

_KEPT = (keys.HELP, keys.QUIT)


class KeyBar(Widget):
    """Keys and names of the active bindings, as many as fit; a click runs the binding.

    One widget; Textual's own footer has a widget per key.

    Attributes:
        reasons: by the ids of their bindings, why the keys that are drawn grey can do nothing here.
    """

    DEFAULT_CSS = """
    KeyBar { height: 1; dock: bottom; background: $panel; color: $foreground; }
    """
    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._drawn: tuple[Binding, ...] = ()
        self.reasons: Mapping[str, str] = {}

    def grey(self, reasons: Mapping[str, str]) -> None:
        """Draw these keys grey, and no others."""
        if reasons != self.reasons:
            self.reasons = reasons
            self.refresh()

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)
        self._changed(self.screen)

    def _changed(self, screen: Screen[object]) -> None:
        by_action: dict[str, Binding] = {}
        for active in screen.active_bindings.values():
            if active.binding.show:
                by_action.setdefault(active.binding.action, active.binding)
        # In the order of the table; Textual puts a binding with a changed key last, where it may not fit.
        order = {each.id: at for at, each in enumerate(screen.BINDINGS) if isinstance(each, Binding)}
        bindings = tuple(sorted(by_action.values(), key=lambda each: order.get(each.id, len(order))))
        if bindings != self._drawn:
            self._drawn = bindings
            self.refresh()

    def _fitting(self, width: int) -> list[tuple[str, Binding]]:
        """The key and name of each binding that fits; help and quit always do."""
        labels = [(self.app.get_key_display(binding), binding) for binding in self._drawn]
        for label in labels[::-1]:
            if sum(map(_width, labels)) > width and label[1].id not in _KEPT:
                labels.remove(label)
        return labels

    def render(self) -> Content:
        parts: list[tuple[str, str]] = []
        for key, binding in self._fitting(self.size.width):
            is_grey = binding.id in self.reasons
            styles = ("$foreground 45%", "$foreground 45%") if is_grey else ("bold $primary", "")
            parts += [(f" {key} ", styles[0]), (f"{tr(binding.description)} ", styles[1])]
        return content_of(*parts)

    def on_click(self, event: events.Click) -> None:
        if (binding := self._at(event.x)) is not None:
            self.app.simulate_key(binding.key)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        binding = self._at(event.x)
        tooltip = content_of(self.reasons.get(binding.id or "", tr(binding.tooltip))) if binding else None
        if tooltip != self.tooltip:
            self.tooltip = tooltip

    def _at(self, x: int) -> Binding | None:
        """The binding at this column."""
        return thing_at(x, ((label[1], _width(label)) for label in self._fitting(self.size.width)))


def _width(label: tuple[str, Binding]) -> int:
    key, binding = label
    return len(key) + cell_len(tr(binding.description)) + 3


class Hint(Static):
    """A line that says what keys do; it follows changes of the keys in the settings.

    Args:
        parts: pairs of a key and its effect. The key is given by the id of its binding; a key of a text
            field, which has none, by its name. Both are translated here.
    """

    def __init__(self, *parts: HintPart, id: str = "hint") -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id, markup=False)
        self._parts = parts

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)
        self._changed()

    def say(self, *parts: HintPart) -> None:
        self._parts = parts
        self._changed()

    def _changed(self, _screen: object = None) -> None:
        keys = shell_of(self).view.keys
        said = "    ".join(f"{tr(keys.get(key, key))}  {tr(what)}" for key, what in self._parts)
        self.update(content_of(said))
