"""A question over the other screens."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static
from textual.worker import Worker, WorkerState

from llmstack_tui.base.text import clean_lines
from llmstack_tui.tui import keys
from llmstack_tui.tui.draw.bar import bar
from llmstack_tui.tui.shell import start
from llmstack_tui.tui.widgets.keybar import Hint
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.tui.dialogs import Answer
    from llmstack_tui.tui.draw.glyphs import Marks


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


_BAR_CELLS = 40


class WaitScreen(ModalScreen[bool | Exception]):
    """Returns True when the work is done, what it raised when it failed, and False when the user gave up."""

    CSS_PATH = "wait.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.MODAL]

    def __init__(
        self,
        title: str,
        text: str,
        work: Callable[[], Coroutine[object, object, None]],
        marks: Marks,
        *,
        limit_s: float,
    ) -> None:
        super().__init__()
        self._title_text = title
        self._text = text
        self._work = work
        self._marks = marks
        self._limit_s = limit_s
        self._began_s = time.monotonic()

    def compose(self) -> ComposeResult:
        with Pane(self._title_text, id="dialog"):
            yield Static(clean_lines(self._text), markup=False)
            yield Static(self._progress(), id="progress")
            yield Hint(("dialog.cancel", "give up"))

    def on_mount(self) -> None:
        self.set_interval(0.5, self._tick)
        start(self, self._title_text, self._work, group="wait")

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        match event.state, event.worker.error:
            case WorkerState.SUCCESS, _:
                self.dismiss(True)
            case WorkerState.ERROR, Exception() as error:
                self.dismiss(error)
            case _:
                pass

    def action_cancel(self) -> None:
        self.workers.cancel_node(self)
        self.dismiss(False)

    def _tick(self) -> None:
        self.query_one("#progress", Static).update(self._progress(), layout=False)

    def _progress(self) -> Content:
        elapsed = time.monotonic() - self._began_s
        return Content.assemble(
            bar(elapsed / self._limit_s, _BAR_CELLS, self._marks, tone="$text-primary"),
            (f"  {elapsed:.0f} of {self._limit_s:.0f} s", "$foreground 60%"),
        )
