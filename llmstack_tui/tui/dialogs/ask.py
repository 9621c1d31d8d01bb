"""A question over the other screens."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from llmstack_tui.base.text import clean_lines
from llmstack_tui.tui import keys
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.tui.shell import Answer


class AskScreen(ModalScreen[str]):
    """Returns the value of the answer. The first one has the focus; Esc gives ``escape``."""

    CSS_PATH = "ask.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.MODAL, *keys.ASK]
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

    def action_answer(self, value: str) -> None:
        self.dismiss(value)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key for an answer works only where the question has that answer."""
        return action != "answer" or parameters[0] in {answer.value for answer in self._answers}
