"""Asks what a model that is made from another one is to be called and to be, and shows how it is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol

from textual import on
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static
from textual.worker import Worker, WorkerState

from llmstack_tui.ollama.names import same_model
from llmstack_tui.tui import keys
from llmstack_tui.tui.importing import check_name
from llmstack_tui.tui.parameters import parameters
from llmstack_tui.tui.text import clean
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping

    from textual.app import ComposeResult
    from textual.binding import BindingType

_TYPING = "enter  {verb}    tab  next field    esc  back"
_UNDER_WAY = "esc  cancel"


@dataclass(frozen=True, slots=True)
class Derivation:
    """What was asked for. An empty system prompt, or no parameters, leave those of the base."""

    name: str
    system: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)


class Start(Protocol):
    """Begins to make it, and tells in words how it goes."""

    def __call__(self, wanted: Derivation) -> AsyncIterator[str]: ...


class DeriveScreen(ModalScreen[str]):
    """Returns the name of the model that was made, or None.

    Args:
        verb: what Enter does, in one word.
        suggested: a name to begin with.
        names: those that are taken; none of them is ever replaced.
        is_new: whether a system prompt and parameters are asked for.
    """

    CSS_PATH = "screen.tcss"
    AUTO_FOCUS = "#name"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.MODAL]

    def __init__(
        self,
        title: str,
        verb: str,
        start: Start,
        *,
        suggested: str,
        names: Collection[str],
        is_new: bool = False,
    ) -> None:
        super().__init__()
        self._title_text = title
        self._typing = _TYPING.format(verb=verb)
        self._start = start
        self._suggested = suggested
        self._names = names
        self._is_new = is_new
        self._is_under_way = False

    def compose(self) -> ComposeResult:
        with Pane(self._title_text, id="dialog"):
            yield Static("Name", classes="label", markup=False)
            yield Input(self._suggested, placeholder="name:tag", id="name")
            yield Static("", id="name-said", classes="said", markup=False)
            if self._is_new:
                yield Static("System prompt (empty: that of the base)", classes="label", markup=False)
                yield Input(placeholder="You answer in one sentence.", id="system")
                yield Static("Parameters (empty: those of the base)", classes="label", markup=False)
                yield Input(placeholder="temperature 0.2, num_ctx 8192", id="parameters")
                yield Static("", id="parameters-said", classes="said", markup=False)
            yield Static(self._typing, id="hint", markup=False)

    @on(Input.Changed, "#name")
    def _name_changed(self, event: Input.Changed) -> None:
        self._say("#name-said", self._wrong_name(event.value) if event.value.strip() else "")

    @on(Input.Changed, "#parameters")
    def _parameters_changed(self) -> None:
        # Half a word is not wrong yet; it is said when it is entered.
        self._say("#parameters-said", "")

    def on_input_submitted(self) -> None:
        if self._is_under_way:
            return
        name = self._text("#name")
        if problem := self._wrong_name(name):
            self._refuse("#name", problem)
            return
        try:
            wanted = Derivation(name, self._text("#system"), parameters(self._text("#parameters")))
        except ValueError as error:
            self._refuse("#parameters", str(error))
            return
        self._set_under_way(True)
        self._say("#name-said", "Starting", "-muted")
        self.run_worker(
            self._make(wanted), name=name, group="make", description="Make a model", exit_on_error=False
        )

    async def _make(self, wanted: Derivation) -> None:
        async for status in self._start(wanted):
            self._say("#name-said", clean(status, limit=100), "-muted")

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.worker.group != "make":
            return
        match event.state, event.worker.error:
            case WorkerState.SUCCESS, _:
                self.dismiss(event.worker.name)
            case WorkerState.ERROR, error:
                self._set_under_way(False)
                self._say("#name-said", clean(str(error), limit=600))
            case WorkerState.CANCELLED, _:
                self._set_under_way(False)
                self._say("#name-said", "Cancelled; nothing was made.")
            case _:
                pass

    def action_cancel(self) -> None:
        """What is under way, else the dialog."""
        if self._is_under_way:
            self.workers.cancel_group(self, "make")
        else:
            self.dismiss(None)

    def _wrong_name(self, name: str) -> str:
        name = name.strip()
        if not name:
            return "Give it a name, such as my-model:latest."
        if problem := check_name(name):
            return problem
        if any(same_model(name, taken) for taken in self._names):
            return f"There is a model called {clean(name, limit=80)} already. Choose another name."
        return ""

    def _text(self, selector: str) -> str:
        fields = self.query(selector).results(Input)
        return next((each.value.strip() for each in fields), "")

    def _refuse(self, selector: str, problem: str) -> None:
        self._say(f"{selector}-said", problem)
        self.query_one(selector, Input).focus()

    def _set_under_way(self, running: bool) -> None:
        self._is_under_way = running
        for each in self.query(Input):
            each.disabled = running
        self.query_one("#hint", Static).update(_UNDER_WAY if running else self._typing)
        if not running:
            self.query_one("#name").focus()

    def _say(self, selector: str, text: str, tone: str = "-wrong") -> None:
        said = self.query_one(selector, Static)
        said.update(Content(text))
        said.set_class(tone == "-wrong", "-wrong")
