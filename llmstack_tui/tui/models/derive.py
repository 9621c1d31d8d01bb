"""Asks what a model that is made from another one is to be called and to be, and shows how it is made."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field
from textual import on
from textual.widgets import Input

from llmstack_tui.base.text import clean
from llmstack_tui.tui.dialogs.form import FormScreen, check_name, label, said_below
from llmstack_tui.tui.models.parameters import parameters

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterator, Mapping

    from textual.widget import Widget


class Derivation(Struct, frozen=True):
    """What was asked for. An empty system prompt, or no parameters, leave those of the base."""

    name: str
    system: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)


class Start(Protocol):
    """Begins to make it, and tells in words how it goes."""

    def __call__(self, wanted: Derivation) -> AsyncIterator[str]: ...


class DeriveScreen(FormScreen):
    """Returns the name of the model that was made, or None.

    Args:
        verb: what Enter does, in one word.
        suggested: a name to begin with.
        names: those that are taken; none of them is ever replaced.
        is_new: whether a system prompt and parameters are asked for.
    """

    AUTO_FOCUS = "#name"

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
        super().__init__(title, (("enter", verb), ("tab", "next field")), names)
        self._start = start
        self._suggested = suggested
        self._is_new = is_new

    def compose_fields(self) -> Iterator[Widget]:
        yield label("Name")
        yield Input(self._suggested, placeholder="name:tag", id="name")
        yield said_below("name")
        if self._is_new:
            yield label("System prompt (empty: that of the base)")
            yield Input(placeholder="You answer in one sentence.", id="system")
            yield said_below("system")
            yield label("Parameters (empty: those of the base)")
            yield Input(placeholder="temperature 0.2, num_ctx 8192", id="parameters")
            yield said_below("parameters")

    @on(Input.Changed, "#name")
    def _name_changed(self, event: Input.Changed) -> None:
        untouched = event.value in ("", self._suggested)
        self.say("name", "" if untouched else self._wrong_name(event.value), "-wrong")

    @on(Input.Changed, "#parameters")
    def _parameters_changed(self) -> None:
        # Half a word is not wrong yet; it is said when it is entered.
        self.say("parameters", "")

    def on_input_submitted(self) -> None:
        if self.is_under_way:
            return
        name = self._text("name")
        if problem := self._wrong_name(name):
            self._refuse("name", problem)
            return
        try:
            wanted = Derivation(name, self._text("system"), parameters(self._text("parameters")))
        except ValueError as error:
            self._refuse("parameters", str(error))
            return
        if self._is_new and not (wanted.system or wanted.parameters):
            self._refuse("system", "Give it a system prompt or parameters: without, it would be a mere copy.")
            return
        self.begin(name, partial(self._make, wanted))

    async def _make(self, wanted: Derivation) -> None:
        async for status in self._start(wanted):
            self.say("name", clean(status, limit=100))

    def _wrong_name(self, name: str) -> str:
        name = name.strip()
        if not name:
            return "Give it a name, such as my-model:latest."
        if problem := check_name(name):
            return problem
        if self.is_taken(name):
            return f"There is a model called {clean(name, limit=80)} already. Choose another name."
        return ""

    def _text(self, field: str) -> str:
        entries = self.query(f"#{field}").results(Input)
        return next((each.value.strip() for each in entries), "")

    def _refuse(self, field: str, problem: str) -> None:
        self.say(field, problem, "-wrong")
        self.query_one(f"#{field}", Input).focus()
