"""A question over the other screens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from llmstack_tui.tui import keys
from llmstack_tui.tui.text import clean_lines
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult


@dataclass(frozen=True, slots=True)
class Answer:
    """``value`` is what the question returns. A dangerous answer is shown as one."""

    value: str
    label: str
    dangerous: bool = False


class AskScreen(ModalScreen[str]):
    """Returns the value of the answer. The first one has the focus; Esc gives ``escape``."""

    CSS_PATH = "screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        *keys.MODAL,
        Binding(
            "left,up",
            "app.focus_previous",
            "Before",
            show=False,
            id="dialog.before",
            tooltip="The answer before",
        ),
        Binding(
            "right,down", "app.focus_next", "Next", show=False, id="dialog.next", tooltip="The next answer"
        ),
    ]
    AUTO_FOCUS = "Button"

    def __init__(self, title: str, text: str, answers: Sequence[Answer], *, escape: str) -> None:
        super().__init__()
        self._title_text = title
        self._text = text
        self._answers = answers
        self._escape = escape

    def compose(self) -> ComposeResult:
        with Pane(self._title_text, id="dialog"):
            with VerticalScroll(can_focus=False):
                yield Static(clean_lines(self._text), markup=False)
            with Horizontal(id="answers"):
                for answer in self._answers:
                    yield Button(
                        answer.label,
                        variant="error" if answer.dangerous else "default",
                        name=answer.value,
                        compact=True,
                    )

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.name)

    def action_cancel(self) -> None:
        self.dismiss(self._escape)
