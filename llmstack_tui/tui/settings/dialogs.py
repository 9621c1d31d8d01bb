"""A dialog in which a value is chosen from a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from textual import on
from textual.widgets import Static

from llmstack_tui.base.languages import later
from llmstack_tui.tui import keys
from llmstack_tui.tui.dialogs import Dialog
from llmstack_tui.tui.draw.text import content_of
from llmstack_tui.tui.keys import bind
from llmstack_tui.tui.shell import close
from llmstack_tui.tui.widgets.list import RowList

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.segment import Segment
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.tui.draw.text import Pen


class ChoiceRow(Struct, frozen=True):
    """A value that may be chosen."""

    key: str
    is_present: bool


class ChoiceList(RowList[ChoiceRow]):
    """Lists values; the present one has a tick."""

    def draw(self, row: ChoiceRow, line: int, width: int, pen: Pen) -> Sequence[Segment]:
        tick = pen.marks.tick if row.is_present else ""
        return [pen.pointer(), pen.cell(f" {tick:1} {row.key}", width - 1, "plain")]


class ChosenValue(Dialog[str]):
    """Returns the chosen value; ``on_move`` hears of each that the cursor is on."""

    DEFAULT_CSS = """
    ChosenValue ChoiceList { height: auto; max-height: 12; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *keys.MODAL,
        bind("choice.take", "enter,space", "take", "Choose", "Choose the value under the cursor"),
    ]
    AUTO_FOCUS = "ChoiceList"

    def __init__(
        self,
        title: str,
        about: str,
        choices: Sequence[str],
        present: str,
        on_move: Callable[[str], object] = lambda _: None,
    ) -> None:
        super().__init__(title, ("Enter", later("choose")), ("dialog.cancel", later("back")))
        self._about = about
        self._rows = [ChoiceRow(each, each == present) for each in choices]
        self._present = present
        self._on_move = on_move
        self.list = ChoiceList()

    def compose_body(self) -> ComposeResult:
        yield Static(content_of(self._about), markup=False)
        yield self.list

    def on_mount(self) -> None:
        self.list.styles.height = min(len(self._rows), 12)
        self.list.show(self._rows)
        self.list.move_to(self._present)

    @on(RowList.Moved)
    def _moved(self) -> None:
        if self.list.row is not None:
            self._on_move(self.list.row.key)

    @on(RowList.Opened)
    def action_take(self) -> None:
        close(self, self.list.row.key if self.list.row is not None else None)

    def action_cancel(self) -> None:
        close(self)
