"""Texts under headings that may be folded, and those texts that several features share."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from rich.cells import cell_len
from textual.containers import VerticalScroll
from textual.widgets import Static

from llmstack_tui.base.languages import tr
from llmstack_tui.base.text import brief
from llmstack_tui.core.wording import text
from llmstack_tui.tui import keys
from llmstack_tui.tui.draw.figures import when_text
from llmstack_tui.tui.draw.text import content_of, plain_spaces, wrap
from llmstack_tui.tui.shell import shell_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from textual import events
    from textual.binding import BindingType
    from textual.content import Content

    from llmstack_tui.core.types import Event


_CELLS, _LONGEST_VALUE = 22, 1000
# Of what is recorded about one model, as many lines are shown; a reader asks for one more.
MOST_RECORDED = 50


class SectionText(Struct, frozen=True):
    """The text of a section.

    Attributes:
        summary: shown beside the heading of a section that folds; if empty, it does not fold.
        is_open: whether it is unfolded until the user folds or unfolds it.
    """

    body: Content
    summary: str = ""
    is_open: bool = True


class ScrollingText(VerticalScroll):
    """A scrolling text, also by the movement keys of the list."""

    DEFAULT_CSS = """
    ScrollingText { scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*keys.TEXT]


class Section(Static):
    """A heading with a text; hidden without text. If it folds, it can be clicked or focused with Tab."""

    DEFAULT_CSS = """
    Section { height: auto; padding: 0 1; margin-bottom: 1; display: none; }
    Section.-said { display: block; }
    Section:focus { background: $primary 20%; }
    """

    def __init__(self, title: str) -> None:
        super().__init__(markup=False)
        self.title = title
        self._part: SectionText | None = None
        self._chosen: bool | None = None
        self._drawn = content_of()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._redraw()

    @property
    def folds(self) -> bool:
        return self._part is not None and bool(self._part.summary)

    @property
    def is_open(self) -> bool:
        """As the user chose, else the default of the text."""
        if self._part is None or not self._part.summary:
            return True
        return self._part.is_open if self._chosen is None else self._chosen

    def say(self, part: SectionText | None) -> None:
        """Set the text; None, or an empty text, hides the section."""
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

    def _redraw(self) -> None:
        if self._part is None:
            return
        heading: list[tuple[str, str]] = [(tr(self.title), "bold $text-primary")]
        if self.folds:
            marks = shell_of(self).marks
            mark = marks.unfolded if self.is_open else marks.folded
            does = tr("folds") if self.is_open else tr("unfolds")
            hint = f"   {shell_of(self).view.keys['details.fold']} {does}" if self.has_focus else ""
            heading = [(f"{mark} ", ""), *heading, (f"  {self._part.summary}{hint}", "$text-muted")]
        lines = [content_of(*heading)]
        if self.is_open:
            lines.append(self._part.body)
        drawn = content_of("\n").join(lines)
        if not drawn.is_same(self._drawn):
            self._drawn = drawn
            self.update(drawn)


def rows_content(rows: Iterable[tuple[str, str]], cells: int, width: int = 0) -> Content:
    """Labels and values in two columns; rows without a value are left out.

    Args:
        cells: the width of the labels, unless the longest needs more.
        width: values of several words are wrapped to this width in all; 0 leaves them as they are.
    """
    said = [(label, value) for label, value in rows if value]
    cells = max([cells, *(cell_len(label) + 1 for label, _ in said)])
    return content_of("\n").join(
        content_of((first + " " * (cells - cell_len(first)), "$text-muted"), content_of(line))
        for label, value in said
        for first, line in zip_longest((label,), _wrapped(value, width - cells), fillvalue="")
    )


def _wrapped(value: str, width: int) -> Sequence[str]:
    value = brief(value, _LONGEST_VALUE)
    return wrap(value, width, most=8) if width > 0 and " " in value else (value,)


def rows_part(rows: Iterable[tuple[str, str]]) -> SectionText:
    """Labels and values; rows without a value are left out."""
    return SectionText(rows_content(rows, _CELLS))


def lines_part(lines: Iterable[Content | str]) -> SectionText:
    return SectionText(content_of("\n").join(map(content_of, lines)))


def newest_part(lines: Iterable[Content | str]) -> SectionText:
    """As `lines_part`, of the newest `MOST_RECORDED` lines; if there are more, it says so."""
    shown = [*lines]
    if len(shown) > MOST_RECORDED:
        said = tr("(The newest {count} are shown; there are older ones.)", count=MOST_RECORDED)
        shown[MOST_RECORDED:] = [content_of((said, "$text-muted"))]
    return lines_part(shown)


def events_part(events: Sequence[Event], now: datetime) -> SectionText:
    return newest_part(
        content_of(
            (f"{when_text(event.at, now):14}", "$text-muted"),
            plain_spaces(text(event.sentence)),
            (f"  {text(*event.reason)}" if event.reason else "", "$text-muted"),
        )
        for event in events
    )
