"""Fields, a line below each that says what is wrong with it, and the work that they are for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static
from textual.worker import Worker, WorkerState

from llmstack_tui.base.names import InvalidName, ModelName, model_key
from llmstack_tui.base.text import clean
from llmstack_tui.tui import keys
from llmstack_tui.tui.shell import start
from llmstack_tui.tui.widgets.keybar import Hint, HintPart
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widget import Widget

Tone = Literal["", "-right", "-warning", "-wrong"]
_WORK = "work"
_UNDER_WAY: HintPart = ("dialog.cancel", "cancel")


class FormScreen(ModalScreen[str]):
    """Returns the name of the model that was made, or None. There is a field of the id ``name``.

    Args:
        hint: what the keys do while somebody types, as `Hint` takes it; how to close it comes last by itself.
        names: those that are taken.
    """

    CSS_PATH = Path(__file__).with_name("form.tcss")
    BINDINGS: ClassVar[list[BindingType]] = [*keys.MODAL]

    def __init__(self, title: str, hint: Sequence[HintPart], names: Collection[str]) -> None:
        super().__init__()
        self._title_text = title
        self._hint: tuple[HintPart, ...] = (*hint, ("dialog.cancel", "back"))
        self._taken = {model_key(name) for name in names}
        self.is_under_way = False

    def compose(self) -> ComposeResult:
        with Pane(self._title_text, id="dialog"):
            yield from self.compose_fields()
            yield Hint(*self._hint)

    def compose_fields(self) -> Iterator[Widget]:
        raise NotImplementedError

    def is_taken(self, name: str) -> bool:
        return model_key(name.strip()) in self._taken

    def say(self, field: str, text: str | Content, tone: Tone = "") -> None:
        """Below the field of this id."""
        said = self.query_one(f"#{field}-said", Static)
        said.update(Content(text) if isinstance(text, str) else text)
        for each in ("-right", "-warning", "-wrong"):
            said.set_class(each == tone, each)

    def begin(self, name: str, work: Callable[[], Coroutine[object, object, object]]) -> None:
        """Close with ``name`` once the work is done; if it fails, what was typed is given back."""
        self._set_under_way(True)
        self.say("name", "Starting")
        start(self, self._title_text, work, name=name, group=_WORK)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.worker.group != _WORK:
            return
        match event.state, event.worker.error:
            case WorkerState.SUCCESS, _:
                self.dismiss(event.worker.name)
            case WorkerState.ERROR, error:
                self._set_under_way(False)
                self.say("name", clean(str(error), limit=600), "-wrong")
            case WorkerState.CANCELLED, _:
                self._set_under_way(False)
                self.say("name", "Cancelled; nothing was changed.", "-warning")
            case _:
                pass

    def action_cancel(self) -> None:
        """What is under way, else the dialog."""
        if self.is_under_way:
            self.workers.cancel_group(self, _WORK)
        else:
            self.dismiss(None)

    def _set_under_way(self, is_under_way: bool) -> None:
        self.is_under_way = is_under_way
        for each in self.query(Input):
            each.disabled = is_under_way
        self.query_one(Hint).say(*((_UNDER_WAY,) if is_under_way else self._hint))
        if not is_under_way:
            self.query_one("#name").focus()


def label(text: str) -> Static:
    """Stands above a field."""
    return Static(text, classes="label", markup=False)


def said_below(field: str) -> Static:
    """Where `FormScreen.say` says something of the field of this id."""
    return Static("", id=f"{field}-said", classes="said", markup=False)


def check_name(text: str) -> str | None:
    """What is wrong with a model name, or None."""
    try:
        ModelName.parse(text.strip())
    except InvalidName as error:
        return str(error)
    return None
