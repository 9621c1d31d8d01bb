"""The dialog for a value of a variable, which is checked while it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.widgets import Input

from llmstack_tui.base.languages import later, tr
from llmstack_tui.core.wording import text
from llmstack_tui.tui import keys
from llmstack_tui.tui.dialogs import FormScreen, labelled
from llmstack_tui.tui.shell import close
from llmstack_tui.tui.variables import VALUE_KEYS
from llmstack_tui.variables.rules.values import check, opens

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.variables.types import VariableRow


class ValueScreen(FormScreen):
    """Returns a value that Ollama takes as it is meant, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.MODAL, *VALUE_KEYS]

    def __init__(self, row: VariableRow, value: str) -> None:
        hint = [("", later("Enter takes it"))]
        super().__init__(row.name, hint, ())
        self._row = row
        self._value = value

    def compose_body(self) -> ComposeResult:
        yield from labelled(tr(self._row.variable.purpose), Input(self._value, id="name"))

    def on_mount(self) -> None:
        self._check(self._value)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._check(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if self._check(event.value):
            close(self, event.value.strip())

    def action_suggest(self) -> None:
        if self._row.suggestion is not None:
            self.query_one("#name", Input).value = self._row.suggestion.value

    def _check(self, value: str) -> bool:
        """Say what is wrong with the value; returns whether it is right."""
        fault = check(self._row.variable, value)
        if fault is not None:
            self.say("name", text(fault), "-wrong" if value.strip() else "")
        elif opens(self._row.variable, value):
            self.say("name", tr("Every machine in your network can then use this server."), "-warning")
        elif self._row.suggestion is not None:
            self.say("name", tr("Suits this machine: {value}", value=self._row.suggestion.value))
        else:
            self.say("name", tr("Ollama takes this."), "-right")
        return fault is None
