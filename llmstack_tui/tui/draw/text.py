"""Text measured in terminal cells, and the pen that draws it in the rows of a list."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.content import Content
from textual.filter import LineFilter

from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.base.text import brief, clean, clean_lines, is_harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rich.style import Style
    from textual.color import Color

    from llmstack_tui.tui.draw.marks import Marks

T = TypeVar("T")

_MOST_NAMED = 8
_LONGEST_NAME = 400

# A text in a style or in none, or one that is drawn already.
Part = str | tuple[str, str] | Content


def content_of(*parts: Part) -> Content:
    """What a widget shows, made of texts from anywhere: harmless ones, and nothing in them is markup.

    All texts of the dashboard become content here, or segments of a line; a test looks for others.
    """
    return Content.assemble(*map(_harmless, parts))


def segment(text: str, style: Style) -> Segment:
    """A part of a line, made harmless."""
    return Segment(clean(text, None), style)


def _harmless(part: Part) -> Part:
    if isinstance(part, Content):
        return part
    return clean_lines(part, None) if isinstance(part, str) else (clean_lines(part[0], None), part[1])


class Net(LineFilter):
    """Makes harmless what is about to be drawn on the terminal, wherever it comes from.

    It is the last place before the terminal, for the texts that Textual makes content of itself, such as
    what is typed into a field. A line keeps its width, so a replaced character may push the last one out.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # Textual's
        if all(each.control or is_harmless(each.text) for each in segments):
            return segments
        return [
            each
            if each.control
            else Segment(set_cell_size(clean(each.text, None), each.cell_length), each.style)
            for each in segments
        ]


def thing_at(x: int, things: Iterable[tuple[T, int]]) -> T | None:
    """Which of the things side by side, each with its width in cells, covers the cell ``x``."""
    right = 0
    for thing, cells in things:
        right += cells
        if x < right:
            return thing
    return None


def cells_for(least: int, words: Iterable[str]) -> int:
    """The width of a column: ``least``, or two more than the longest of its words in the present language."""
    return max(least, *(cell_len(tr(each)) + 2 for each in words))


def plain_spaces(text: str) -> str:
    """``text`` with plain spaces for no-break ones, which are not ASCII; for lines that are not wrapped."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


def fit(text: str, width: int, *, right: bool = False, ellipsis: str = "…") -> str:
    """``text`` in exactly ``width`` cells: cut with an ellipsis, or padded (on the left if ``right``)."""
    if width <= 0:
        return ""
    length = cell_len(text)
    if length > width:
        # `set_cell_size` puts a blank where a wide character would be cut in half.
        return set_cell_size(text, width - 1) + ellipsis
    padding = " " * (width - length)
    return padding + text if right else text + padding


def fit_name(name: str, width: int, *, ellipsis: str = "…") -> str:
    """As `fit`, for the name of a model: its registry and namespace, which others share, are cut first."""
    of_model = name.rpartition("/")[2]
    if of_model == name or width <= 0 or cell_len(name) <= width:
        return fit(name, width, ellipsis=ellipsis)
    while len(name) > len(of_model) and cell_len(name) > width - 1:
        name = name[1:]
    return ellipsis + fit(name, width - 1, ellipsis=ellipsis)


class Pen(Struct, frozen=True):
    """Draws the parts of a row; ``style`` returns the theme's style of a name such as "muted"."""

    marks: Marks
    style: Callable[[str], Style]
    at_cursor: bool
    is_marked: bool

    def cell(self, text: str, cells: int, style: str, *, right: bool = False) -> Segment:
        text = fit(clean(text), cells, right=right, ellipsis=self.marks.ellipsis)
        return Segment(text, self.style(style))

    def name(self, name: str, cells: int, style: str) -> Segment:
        """The name of a model."""
        name = fit_name(clean(name, _LONGEST_NAME), cells, ellipsis=self.marks.ellipsis)
        return Segment(name, self.style(style))

    def pointer(self) -> Segment:
        return self.cell(self.marks.cursor if self.at_cursor else "", 1, "pointer")

    def tick(self) -> Segment:
        return self.cell(self.marks.tick if self.is_marked else "", 1, "pointer")


def models_text(names: Sequence[str]) -> str:
    """How a sentence refers to these models: a single one by its name, several by their number."""
    return brief(names[0], 50) if len(names) == 1 else tr_n("1 model", "{count} models", len(names))


def names_text(names: Sequence[str]) -> str:
    """A line for each of the first few names, and the number of the rest."""
    return lines_text([brief(name, 60) for name in names])


def lines_text(lines: Sequence[str], most: int = _MOST_NAMED) -> str:
    """The first few lines, and the number of the rest."""
    more = len(lines) - most
    return "\n".join([*lines[:most], *([tr("and {count} more", count=more)] if more > 0 else [])])


@lru_cache(4096)
def wrap(text: str, width: int, ellipsis: str = "…", most: int = 4) -> tuple[str, ...]:
    """``text`` in lines of at most ``width`` cells, broken at spaces, and cut after ``most`` lines.

    A word that is too long is cut as by `fit_name`, since it is most likely the name of a model. Lines are
    not broken at no-break spaces, so a figure stays with its unit.
    """
    lines: list[str] = []
    for whole in clean(text, None).split(" "):
        piece = fit_name(whole, width, ellipsis=ellipsis) if cell_len(whole) > width else whole
        if lines and cell_len(lines[-1]) + 1 + cell_len(piece) <= width:
            lines[-1] += f" {piece}"
        else:
            lines.append(piece)
    if len(lines) > most:
        lines[most - 1 :] = [" ".join(lines[most - 1 :])]
    return tuple(
        fit(line, width, ellipsis=ellipsis).rstrip(" ") if cell_len(line) > width else line for line in lines
    )


def bar(share: float, cells: int, marks: Marks, *, tone: str) -> Content:
    """A bar of ``cells`` with ``share`` (0 to 1) filled; empty only at 0, and full only at 1."""
    full = max(1 if share > 0 else 0, min(cells, int(share * cells)))
    return content_of((marks.full * full, tone), (marks.empty * (cells - full), "$pane-border"))
