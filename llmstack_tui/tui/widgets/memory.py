"""The memory of this machine as a gauge, beside what the servers say their models take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from llmstack_tui.tui.figures import bytes_text
from llmstack_tui.tui.widgets.bar import bar

if TYPE_CHECKING:
    from llmstack_tui.tui.marks import Marks

_BAR_CELLS = (12, 40)
_HIGH, _FULL = 75, 90


@dataclass(frozen=True, slots=True)
class Reading:
    """Bytes. ``models`` is the sum of the servers' own figures, None where one does not say."""

    used: int
    total: int
    models: int | None
    active: int


class MemoryGauge(Widget):
    """One line. Painted again when a figure is another one *as shown*, not at every byte."""

    DEFAULT_CSS = """
    MemoryGauge { height: 1; background: $surface; color: $foreground; }
    """

    def __init__(self, marks: Marks, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id)
        self._marks = marks
        self._reading: Reading | None = None
        self._shown = Content()

    def show(self, reading: Reading | None) -> None:
        self._reading = reading
        if self.is_mounted and not self._content().is_same(self._shown):
            self.refresh()

    def render(self) -> Content:
        self._shown = self._content()
        return self._shown

    def _content(self) -> Content:
        if self._reading is None:
            return Content.styled(" RAM  not known", "$foreground 60%")
        now, width = self._reading, self.size.width
        percent = 100 * now.used / now.total if now.total else 0
        tone = "$text-error" if percent >= _FULL else "$text-warning" if percent >= _HIGH else "$text-primary"
        figures = f" {bytes_text(now.used)} of {bytes_text(now.total)}"
        share = f"  {percent:.0f} %"
        room = width - len(" RAM  ") - len(figures) - len(share) - _BAR_CELLS[0]
        models = next((text for text in _models_texts(now) if len(text) <= room), "")
        cells = min(_BAR_CELLS[1], _BAR_CELLS[0] + room - len(models))
        return Content.assemble(
            (" RAM ", "bold"),
            bar(percent / 100, cells, self._marks, tone=tone),
            figures,
            (share, tone if percent >= _HIGH else "$foreground 60%"),
            (models, "$foreground 60%"),
        )


def _models_texts(now: Reading) -> tuple[str, ...]:
    """What the models take, from the longest way to say it to the shortest."""
    if not now.active:
        return ("   no model loaded", "")
    plural = "model" if now.active == 1 else "models"
    figure = bytes_text(now.models)
    return (
        f"   {now.active} {plural}: {figure}, says the server",
        f"   {now.active} {plural}: {figure}",
        f"  {plural} {figure}",
    )
