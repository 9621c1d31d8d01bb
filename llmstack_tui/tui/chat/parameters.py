"""The system prompt and the parameters of a talk."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from textual import on
from textual.widgets import Input, Static, TextArea

from llmstack_tui.base.languages import later, tr
from llmstack_tui.core.providers import parameters_of
from llmstack_tui.core.wording import words
from llmstack_tui.providers.types import Parameters  # noqa: TC001  # msgspec reads the annotations
from llmstack_tui.tui import keys
from llmstack_tui.tui.chat import MANNER_KEYS
from llmstack_tui.tui.dialogs import Dialog
from llmstack_tui.tui.draw.text import content_of
from llmstack_tui.tui.options import parameters
from llmstack_tui.tui.shell import close

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

_LONGEST = 100_000
_NAMES = {"max_tokens": "num_predict", "context_length": "num_ctx"}
_SHOWN = ("temperature", "max_tokens", "top_p", "top_k", "seed", "stop", "context_length")


class Manner(Struct, frozen=True):
    """How a model is to answer in a talk."""

    system: str
    parameters: Parameters


class MannerScreen(Dialog[Manner]):
    """Returns how the model is to answer. What is wrong is said while it is typed, and not returned."""

    DEFAULT_CSS = """
    MannerScreen TextArea { height: 8; border: none; padding: 0 1; background: $panel; }
    MannerScreen Input { height: 1; border: none; padding: 0 1; background: $panel; }
    MannerScreen TextArea:focus, MannerScreen Input:focus { border: none; background: $primary 18%; }
    MannerScreen .label { color: $text-muted; }
    MannerScreen #said { height: auto; min-height: 2; color: $text-error; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*keys.MODAL, *MANNER_KEYS]
    AUTO_FOCUS = "TextArea"

    def __init__(self, present: Manner) -> None:
        super().__init__(
            tr("How the model answers"),
            ("manner.apply", later("apply")),
            ("tab", later("next field")),
            ("dialog.cancel", later("back")),
        )
        self._present = present

    def compose_body(self) -> ComposeResult:
        yield Static(tr("System prompt"), classes="label", markup=False)
        yield TextArea(
            self._present.system, tab_behavior="focus", placeholder=tr("You answer in one sentence.")
        )
        yield Static(tr("Parameters (empty: the model's own)"), classes="label", markup=False)
        yield Input(parameters_text(self._present.parameters), placeholder="temperature 0.2, num_ctx 8192")
        yield Static("", id="said", markup=False)

    @on(Input.Changed)
    def _typed(self) -> None:
        self._checked()

    @on(Input.Submitted)
    def action_apply(self) -> None:
        found = self._checked()
        if found is not None:
            close(self, Manner(self.query_one(TextArea).text.strip()[:_LONGEST], found))

    def _checked(self) -> Parameters | None:
        try:
            found, fault = parameters_of(parameters(self.query_one(Input).value)), ""
        except ValueError as error:
            found, fault = None, words(error)
        self.query_one("#said", Static).update(content_of(fault))
        return found

    def action_cancel(self) -> None:
        close(self)


def parameters_text(given: Parameters) -> str:
    """Parameters as they are typed."""
    found: list[tuple[str, object]] = []
    for name in _SHOWN:
        value = getattr(given, name)
        if name == "stop":
            found += [(name, f'"{each}"') for each in value]
        elif value is not None:
            found.append((_NAMES.get(name, name), value))
    found += given.more.items()
    return ", ".join(f"{name} {value}" for name, value in found)
