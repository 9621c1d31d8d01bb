"""The memory of this machine as gauges, beside what the servers say their models take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from llmstack_tui.base.text import clean
from llmstack_tui.tui.draw.sparkline import History
from llmstack_tui.tui.memory.gauges import DIM, about, cut, each_line, gauge_lines, gauges
from llmstack_tui.tui.memory.loaded import loaded_line
from llmstack_tui.tui.memory.parts import Owner, legend, parts_of, together
from llmstack_tui.tui.screen import SidePane

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from llmstack_tui.core import StackState
    from llmstack_tui.tui.draw.glyphs import Marks
    from llmstack_tui.tui.shell import Key, View

_SHARE_OF_SCREEN = 6


class MemoryGauges(Widget):
    """As high as what there is to say, but a small part of the screen. Painted again when that changes.

    It keeps the last minutes of each device itself, for nobody else asks for them.
    """

    DEFAULT_CSS = """
    MemoryGauges { height: auto; background: $surface; color: $foreground; text-wrap: nowrap; }
    """

    def __init__(self, marks: Marks, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id)
        self._marks = marks
        self._history = History()
        self._state: StackState | None = None
        self._now = 0.0
        self._shown: tuple[Content, ...] = ()
        self._about = ""

    def use_marks(self, marks: Marks) -> None:
        self._marks = marks
        self._renew()

    def show(self, state: StackState | None, now: float) -> None:
        """``now`` in monotonic seconds, as readings are timed."""
        machine = state.machine if state else None
        if machine is not None and (self._state is None or machine is not self._state.machine):
            self._history.add(machine)
        self._state, self._now = state, now
        if not self.is_mounted:
            return
        said = about(machine) if machine else ""
        if said != self._about:
            self._about = said
            self.tooltip = Content(said) if said else None
        self._renew()

    def on_resize(self) -> None:
        self._renew()

    def _renew(self) -> None:
        lines = self._lines(self.size.width)
        if len(lines) != len(self._shown):
            self.refresh(layout=True)
        elif not all(new.is_same(old) for new, old in zip(lines, self._shown, strict=True)):
            self.refresh()
        self._shown = lines

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def render(self) -> Content:
        return Content("\n").join(self._shown)

    def _lines(self, width: int) -> tuple[Content, ...]:
        most = max(2, self.app.size.height // _SHARE_OF_SCREEN)
        return memory_lines(self._state, self._history, self._now, Size(width, most), self._marks)


class MemoryPane(SidePane):
    """The gauges in their frame."""

    def __init__(self, marks: Marks) -> None:
        super().__init__("Memory", id="memory-pane")
        self._gauges = MemoryGauges(marks, id="memory")

    def compose(self) -> ComposeResult:
        yield self._gauges

    def show(self, view: View, selected: Key | None) -> None:
        self._gauges.show(view.state, view.moment.monotonic_s)


def memory_lines(
    state: StackState | None, history: History, now: float, room: Size, marks: Marks
) -> tuple[Content, ...]:
    """As many lines as ``room`` has, which are at least two."""
    width, most = room
    if state is None or state.machine is None:
        return (Content.styled(" not read yet", DIM),)
    machine, parts = state.machine, parts_of(state)
    shown = gauges(machine, history, now, max(most - 1, 2), parts)
    lines = [*gauge_lines(shown, width, marks)]
    if len(shown) <= len(machine.devices) and len(lines) + 1 < most:
        lines.insert(-1, each_line(machine, width, marks))
    whole = together([*parts.values()])
    if any(part.owner is Owner.MODEL for part in whole) and len(lines) + 1 < most:
        lines.insert(
            len(lines) if machine.ram.id in parts else -1, cut(legend(whole, width, marks), width, marks)
        )
    if len(lines) < most and (loaded := loaded_line(state, width, marks)).plain.strip():
        lines.append(loaded)
    if len(lines) < most and machine.errors:
        lines.append(
            cut(Content.styled(f" {clean(machine.errors[0], limit=300)}", "$text-warning"), width, marks)
        )
    return tuple(lines)
