"""Dialogs that choose from a list which can be searched: the model that answers, and an earlier talk."""

from __future__ import annotations

from collections.abc import Hashable  # noqa: TC003  # msgspec reads the annotations
from typing import TYPE_CHECKING, ClassVar, TypeVar

from msgspec import Struct
from textual import on
from textual.widgets import Input

from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.units import bytes_text
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.tui import keys
from llmstack_tui.tui.chat import PICK_KEYS
from llmstack_tui.tui.dialogs import Dialog
from llmstack_tui.tui.draw.servers import several_hosts
from llmstack_tui.tui.shell import close
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.table import FilterField

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.segment import Segment
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.tui.draw.marks import Marks
    from llmstack_tui.tui.draw.text import Pen
    from llmstack_tui.tui.view import Key, View
    from llmstack_tui.tui.widgets.keybar import HintPart

T = TypeVar("T")

_NOTE_CELLS = 30
_FIRST = {ModelState.ACTIVE: 0, ModelState.LOADING: 1}


class PickRow(Struct, frozen=True):
    """Something that can be chosen: a mark, its name, and a remark on the right."""

    key: Hashable
    name: str
    note: str = ""
    mark: str = ""
    is_heading: bool = False


class PickList(RowList[PickRow]):
    """Lists names with their remarks."""

    def is_heading(self, row: PickRow) -> bool:
        return row.is_heading

    def draw(self, row: PickRow, line: int, width: int, pen: Pen) -> Sequence[Segment]:
        if row.is_heading:
            return [pen.cell(f" {row.name}", width, "heading")]
        note = min(_NOTE_CELLS, width // 2) if row.note else 0
        return [
            pen.pointer(),
            pen.cell(f"{row.mark:1} ", 2, "accent"),
            pen.cell(row.name, width - 3 - note, "name"),
            pen.cell(row.note, note, "muted", right=True),
        ]


class PickScreen(Dialog[T]):
    """Returns what was chosen, or None. A subclass fills the list, and says what a row stands for."""

    DEFAULT_CSS = """
    PickScreen #dialog { width: 96; height: 80%; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*keys.MODAL, *PICK_KEYS]
    AUTO_FOCUS = "PickList"

    def __init__(self, title: str, *hint: HintPart) -> None:
        super().__init__(
            title,
            ("pick.choose", later("choose")),
            ("pick.search", later("search")),
            *hint,
            ("dialog.cancel", later("back")),
        )
        self.list = PickList()
        self.field = FilterField()

    def compose_body(self) -> ComposeResult:
        yield self.list
        yield self.field

    def on_mount(self) -> None:
        self.search("")

    def search(self, words: str) -> None:
        """Show what has these words; all without any."""
        raise NotImplementedError

    def chosen(self, key: Hashable) -> T | None:
        """What the row with this key stands for."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # In the field these keys are ordinary letters.
        return not isinstance(self.focused, Input) or action in {"cancel", "choose"}

    @on(RowList.Opened)
    def action_choose(self) -> None:
        if (row := self.list.row) is not None:
            close(self, self.chosen(row.key))

    def action_search(self) -> None:
        self.field.placeholder = tr("Search")
        self.field.display = True
        self.field.focus()

    def action_cancel(self) -> None:
        close(self)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.search(event.value)

    @on(FilterField.Kept)
    def _kept(self) -> None:
        self.field.display = bool(self.field.value)
        self.list.focus()

    @on(FilterField.Cleared)
    def _cleared(self) -> None:
        self.field.value = ""
        self._kept()


class ModelScreen(PickScreen["Key"]):
    """Returns the model that is to answer. Those in memory come first."""

    def __init__(self, view: View, present: Key | None, marks: Marks, names: Mapping[str, str]) -> None:
        super().__init__(tr("Which model answers?"))
        self._view, self._present, self._marks = view, present, marks
        self._hosts = several_hosts(view.state, names)

    def on_mount(self) -> None:
        super().on_mount()
        self.list.show_message((tr("There is no such model."), ""))
        if self._present is not None:
            self.list.move_to(self._present)

    def search(self, words: str) -> None:
        wanted = words.casefold().split()
        models = [each for each in self._view.models() if each.model is None or each.model.unusable is None]
        models.sort(key=lambda each: _FIRST.get(each.state, 2))
        self.list.show(
            [self._row(each) for each in models if all(word in each.name.casefold() for word in wanted)]
        )

    def _row(self, status: ModelStatus) -> PickRow:
        key = status.host, status.name
        size = bytes_text(status.model.size) if status.model is not None and status.model.size else ""
        word = tr(status.state) if status.state is not ModelState.INACTIVE else ""
        host = self._hosts.get(status.host, "")
        note = "  ".join(filter(None, [host, word, size]))
        return PickRow(key, status.name, note, self._marks.tick if key == self._present else "")

    def chosen(self, key: Hashable) -> Key | None:
        return (str(key[0]), str(key[1])) if isinstance(key, tuple) else None
