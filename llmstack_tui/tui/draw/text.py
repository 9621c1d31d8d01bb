"""Text measured in the cells of a terminal, and the pen that writes it into the rows of a list."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.content import Content

from llmstack_tui.base.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.style import Style

    from llmstack_tui.tui.draw.marks import Marks

_MOST_NAMED = 8


def plain_spaces(text: str) -> str:
    """``text`` without no-break spaces, which are not ASCII: for what does not break lines by itself."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


def fit(text: str, width: int, *, right: bool = False, ellipsis: str = "…") -> str:
    """``text`` in exactly ``width`` cells: cut with an ellipsis, or filled up (left if ``right``)."""
    if width <= 0:
        return ""
    length = cell_len(text)
    if length > width:
        # Half of a wide character cannot be shown: `set_cell_size` puts a blank there.
        return set_cell_size(text, width - 1) + ellipsis
    padding = " " * (width - length)
    return padding + text if right else text + padding


def fit_name(name: str, width: int, *, ellipsis: str = "…") -> str:
    """As `fit`, for the name of a model: where it is from, which others are too, is cut first."""
    of_model = name.rpartition("/")[2]
    if of_model == name or width <= 0 or cell_len(name) <= width:
        return fit(name, width, ellipsis=ellipsis)
    while len(name) > len(of_model) and cell_len(name) > width - 1:
        name = name[1:]
    return ellipsis + fit(name, width - 1, ellipsis=ellipsis)


class Pen(Struct, frozen=True):
    """What a row of a list is drawn with; ``style`` has the style of a name, as the theme has it."""

    marks: Marks
    style: Callable[[str], Style]
    at_cursor: bool
    is_marked: bool

    def cell(self, text: str, cells: int, style: str, *, right: bool = False) -> Segment:
        return Segment(fit(text, cells, right=right, ellipsis=self.marks.ellipsis), self.style(style))

    def name(self, name: str, cells: int, style: str) -> Segment:
        """The name of a model."""
        return Segment(fit_name(name, cells, ellipsis=self.marks.ellipsis), self.style(style))

    def pointer(self) -> Segment:
        return self.cell(self.marks.cursor if self.at_cursor else "", 1, "pointer")

    def tick(self) -> Segment:
        return self.cell(self.marks.tick if self.is_marked else "", 1, "pointer")


def models_text(names: Sequence[str]) -> str:
    """What a sentence calls these: the one by its name, several by how many they are."""
    return clean(names[0], limit=50) if len(names) == 1 else f"{len(names)} models"


def names_text(names: Sequence[str]) -> str:
    """A line for each of the first few."""
    return lines_text([clean(name, limit=60) for name in names])


def lines_text(lines: Sequence[str], most: int = _MOST_NAMED) -> str:
    """The first few of them."""
    more = len(lines) - most
    return "\n".join([*lines[:most], *([f"and {more} more"] if more > 0 else [])])


@lru_cache(4096)
def wrap(text: str, width: int, ellipsis: str = "…", most: int = 4) -> tuple[str, ...]:
    """``text`` in lines of at most ``width`` cells, broken at blanks; what is beyond ``most`` lines is cut.

    A word that is too long, as the name of a model with its registry, is cut as such names are. A no-break
    space is no blank: a figure stays with its unit.
    """
    lines: list[str] = []
    for whole in text.split(" "):
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
    """``share`` of ``cells``, from 0 to 1. It is empty only at nothing, and full only when all is done."""
    full = max(1 if share > 0 else 0, min(cells, int(share * cells)))
    return Content.assemble((marks.full * full, tone), (marks.empty * (cells - full), "$pane-border"))
