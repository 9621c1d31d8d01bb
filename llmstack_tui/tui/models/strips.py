"""How one line of the list of models is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.tui.draw.text import fit, fit_name
from llmstack_tui.tui.models.headings import LONG_VERSION, SHORT_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.style import Style

    from llmstack_tui.tui.draw.glyphs import Marks
    from llmstack_tui.tui.models.groups import HostLine
    from llmstack_tui.tui.models.headings import Columns
    from llmstack_tui.tui.models.rows import ModelRow

_TONES = {
    ModelState.ACTIVE: "active",
    ModelState.LOADING: "changing",
    ModelState.STOPPING: "changing",
    ModelState.INACTIVE: "muted",
    ModelState.CLOUD: "cloud",
}


class Pen(Struct, frozen=True):
    """What a line is drawn with. ``style`` has the one of each name, as the theme has it."""

    marks: Marks
    style: Callable[[str], Style]
    at_cursor: bool

    def cell(self, text: str, cells: int, style: str, *, right: bool = False) -> Segment:
        return Segment(fit(text, cells, right=right, ellipsis=self.marks.ellipsis), self.style(style))

    def name(self, name: str, cells: int, style: str) -> Segment:
        """The name of a model."""
        return Segment(fit_name(name, cells, ellipsis=self.marks.ellipsis), self.style(style))

    def pointer(self) -> Segment:
        return self.cell(self.marks.cursor if self.at_cursor else "", 1, "pointer")


def model_strip(row: ModelRow, columns: Columns, pen: Pen, *, ticked: bool) -> Strip:
    present = row.state is not ModelState.INACTIVE and not row.old
    figures = "plain" if present else "muted"
    tone = "muted" if row.old else _TONES[row.state]
    version = f"  {row.digest}"
    if columns.version == LONG_VERSION:
        version = f"{version:{SHORT_VERSION}} {row.modified}"
    if row.note and columns.quantization:
        kind = [pen.cell(f"  {row.note}", columns.quantization + columns.size, "muted")]
    else:
        kind = [
            pen.cell(f"  {row.quantization}", columns.quantization, "muted"),
            pen.cell(row.size, columns.size, figures, right=True),
        ]
    # Where the column has no room, its mark stands after the name.
    mark = row.update[0] if row.update and not columns.update else ""
    return Strip(
        [
            pen.pointer(),
            pen.cell(pen.marks.tick if ticked else "", 1, "pointer"),
            pen.cell(row.mark, 2, tone),
            pen.name(row.name, columns.name - 2 * (len(mark) + len(row.pin)), "name" if present else "plain"),
            pen.cell(f" {row.pin}", 2 * len(row.pin), "pointer"),
            pen.cell(f" {mark}", 2 * len(mark), "newer"),
            pen.cell(f" {row.update}", columns.update, "newer"),
            pen.cell(version, columns.version, "muted"),
            *kind,
            pen.cell(
                f"{pen.marks.warning}{row.memory}" if row.slow else row.memory,
                columns.memory,
                "away" if row.slow else figures,
                right=True,
            ),
            pen.cell(f"  {row.word}", columns.word, tone),
            pen.cell(row.speed, columns.speed, "plain", right=True),
            pen.cell(row.leaves, columns.leaves, "plain", right=True),
        ]
    )


def host_strip(host: HostLine, width: int, pen: Pen) -> Strip:
    marks = pen.marks
    mark, tone = {
        True: (marks.active, "active"),
        False: (marks.inactive, "away"),
        None: (marks.loading, "muted"),
    }[host.reachable]
    segments = [
        pen.pointer(),
        pen.cell(marks.folded if host.folded else marks.unfolded, 2, "muted"),
        pen.cell(mark, 2, tone),
    ]
    room = width - 5
    for text, style in ((host.name, "name"), (host.trouble, tone), *((each, "muted") for each in host.told)):
        cells = min(cell_len(text), room)
        if cells > 0:
            segments += [pen.cell(text, cells, style), pen.cell("", 2, "plain")]
            room -= cells + 2
    return Strip(segments)
