"""The dialog to make a model from another one: asks for its name and values, and shows the progress."""

from __future__ import annotations

from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct, field
from textual import on
from textual.widgets import Input, TextArea

from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.text import brief, clean, clean_lines
from llmstack_tui.tui.dialogs import FormScreen, check_name, labelled
from llmstack_tui.tui.options import parameters

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping

    from textual.widget import Widget

    from llmstack_tui.tui.stack import DashboardStack
    from llmstack_tui.tui.view import Key


class Derivation(Struct, frozen=True):
    """The user's wishes. An empty system prompt, or no parameters, keep those of the base."""

    name: str
    system: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)


class DeriveScreen(FormScreen):
    """Returns the name of the new model, or None.

    Args:
        key: the base model.
        names: the names that are taken; none of these models is ever replaced.
        system: the system prompt of the base, to begin with.
    """

    AUTO_FOCUS = "#name"

    def __init__(
        self, way: Way, stack: DashboardStack, key: Key, names: Collection[str], system: str = ""
    ) -> None:
        hint = (("enter", way.verb), ("tab", later("next field")))
        super().__init__(title(way, brief(key[1], 60)), hint, names)
        self._system = clean_lines(system, limit=None)
        self._way = way
        self._stack = stack
        self._key = key
        # What the field shows is what it holds.
        self._suggested = clean(way.suggestion.format(name=key[1], stem=_stem(key[1])))

    def compose_body(self) -> Iterator[Widget]:
        yield from labelled(tr("Name"), Input(self._suggested, placeholder=tr("name:tag"), id="name"))
        if self._way.is_new:
            system = TextArea(self._system, placeholder=tr("You answer in one sentence."), id="system")
            yield from labelled(tr("System prompt (unchanged or empty: that of the base)"), system)
            values = Input(placeholder="temperature 0.2, num_ctx 8192", id="parameters")
            yield from labelled(tr("Parameters (empty: those of the base)"), values)

    @on(Input.Changed, "#name")
    def _name_changed(self, event: Input.Changed) -> None:
        untouched = event.value in ("", self._suggested)
        self.say("name", "" if untouched else self._wrong_name(event.value), "-wrong")

    @on(Input.Changed, "#parameters")
    def _parameters_changed(self) -> None:
        # An unfinished entry is not reported until Enter is pressed.
        self.say("parameters", "")

    def on_input_submitted(self) -> None:
        if self.is_under_way:
            return
        name = self._text("name")
        if problem := self._wrong_name(name):
            self._refuse("name", problem)
            return
        try:
            wanted = Derivation(name, self._new_system(), parameters(self._text("parameters")))
        except ValueError as error:
            self._refuse("parameters", str(error))
            return
        if self._way.is_new and not (wanted.system or wanted.parameters):
            why = tr("Give it a system prompt or parameters: without them, it would be a copy.")
            self._refuse("system", why)
            return
        self.begin(name, partial(self._make, wanted))

    async def _make(self, wanted: Derivation) -> None:
        async for status in self._way.make(self._stack, self._key, wanted):
            self.say("name", brief(status, 100))

    def _wrong_name(self, name: str) -> str:
        name = name.strip()
        if not name:
            return tr("Give it a name, such as my-model:latest.")
        if problem := check_name(name):
            return problem
        if self.is_taken(name):
            return tr("There is a model called {name} already. Choose another name.", name=brief(name, 80))
        return ""

    def _text(self, field: str) -> str:
        entries = self.query(f"#{field}").results(Input)
        return next((each.value.strip() for each in entries), "")

    def _new_system(self) -> str:
        """The system prompt; "" if it is that of the base."""
        written = next((each.text for each in self.query(TextArea)), "")
        return "" if written == self._system else written.strip()

    def _refuse(self, field: str, problem: str) -> None:
        self.say(field, problem, "-wrong")
        self.query_one(f"#{field}").focus()


class Way(Struct, frozen=True):
    """A way to make a model from another one.

    Attributes:
        title: the dialog's title, with ``{model}`` for the name of the base.
        verb: the effect of Enter, in one word.
        suggestion: the proposed name, with ``{name}``, and ``{stem}`` for the name without its tag.
        make: makes the model, and yields its progress as texts.
        is_new: the dialog asks for a system prompt and parameters.
    """

    title: str
    verb: str
    suggestion: str
    make: Callable[[DashboardStack, Key, Derivation], AsyncIterator[str]]
    is_new: bool = False


def title(way: Way, base: str) -> str:
    return tr(way.title, model=base)


def _stem(name: str) -> str:
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


async def _copied(stack: DashboardStack, key: Key, wanted: Derivation) -> AsyncIterator[str]:
    yield tr("Copying")
    await stack.actions.copy(*key, wanted.name)


async def _renamed(stack: DashboardStack, key: Key, wanted: Derivation) -> AsyncIterator[str]:
    yield tr("Renaming")
    await stack.actions.rename(*key, wanted.name)


async def _created(stack: DashboardStack, key: Key, wanted: Derivation) -> AsyncIterator[str]:
    steps = stack.actions.create(
        key[0],
        wanted.name,
        base=key[1],
        system=wanted.system or None,
        parameters=wanted.parameters or None,
    )
    async with aclosing(steps):
        async for step in steps:
            yield step.status


WAYS = {
    "copy": Way(later("Copy {model}"), later("copy"), "{stem}-copy:latest", _copied),
    "rename": Way(later("Rename {model}"), later("rename"), "{name}", _renamed),
    "create": Way(
        later("New model from {model}"), later("create"), "{stem}-mine:latest", _created, is_new=True
    ),
}
