"""A heading over a text, which may be folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from llmstack_tui.tui.widgets.hint import shown_keys

if TYPE_CHECKING:
    from textual import events

    from llmstack_tui.tui.details.content import Part
    from llmstack_tui.tui.draw.glyphs import Marks


class Section(Static):
    """Hidden while it has nothing to say; one that folds can be reached with Tab, or clicked."""

    DEFAULT_CSS = """
    Section { height: auto; padding: 0 1; margin-bottom: 1; display: none; }
    Section.-said { display: block; }
    Section:focus { background: $primary 20%; }
    """

    def __init__(self, title: str, marks: Marks, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id, markup=False)
        self.title = title
        self._marks = marks
        self._part: Part | None = None
        self._chosen: bool | None = None
        self._drawn = Content()

    def use_marks(self, marks: Marks) -> None:
        self._marks = marks
        self._redraw()

    @property
    def folds(self) -> bool:
        return self._part is not None and bool(self._part.summary)

    @property
    def is_open(self) -> bool:
        """As somebody chose, else as the part is by itself."""
        if self._part is None or not self._part.summary:
            return True
        return self._part.is_open if self._chosen is None else self._chosen

    def say(self, part: Part | None) -> None:
        """None, and a part without text, hides the section."""
        self._part = part if part is not None and part.body.plain else None
        self.can_focus = self.folds
        self.set_class(self._part is not None, "-said")
        self._redraw()

    def fold(self, *, is_open: bool) -> None:
        if self.folds:
            self._chosen = is_open
            self._redraw()

    def on_focus(self) -> None:
        self._redraw()

    def on_blur(self) -> None:
        self._redraw()

    def on_click(self, event: events.Click) -> None:
        if event.y == 0:
            self.fold(is_open=not self.is_open)

    @property
    def _key(self) -> str:
        return shown_keys(self.screen).get("details.fold", self._marks.enter)

    def _redraw(self) -> None:
        if self._part is None:
            return
        heading: list[tuple[str, str]] = [(self.title, "bold $text-primary")]
        if self.folds:
            mark = self._marks.unfolded if self.is_open else self._marks.folded
            hint = f"   {self._key} {'folds' if self.is_open else 'unfolds'}" if self.has_focus else ""
            heading = [(f"{mark} ", ""), *heading, (f"  {self._part.summary}{hint}", "$foreground 60%")]
        lines = [Content.assemble(*heading)]
        if self.is_open:
            lines.append(self._part.body)
        drawn = Content("\n").join(lines)
        if not drawn.is_same(self._drawn):
            self._drawn = drawn
            self.update(drawn)
