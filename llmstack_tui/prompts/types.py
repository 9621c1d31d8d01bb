"""A prompt: a text with variables, and what goes with it; and what is said where one cannot be used."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # msgspec reads the annotations
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.sentences import Failure

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.base.sentences import Sentence

PromptValue = str | int | float | bool | tuple[str, ...]
"""The value of a variable or of a parameter."""


class VariableType(StrEnum):
    """What a value may be, in the words of a file."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    LIST = "list"


class PromptOrigin(StrEnum):
    """Where a prompt is kept. Of several with one name, the first of these counts."""

    PROJECT = "project"
    USER = "user"
    SHIPPED = "shipped"


class PromptVariable(Struct, frozen=True, kw_only=True):
    """A variable of a prompt.

    Attributes:
        default: its value where none is given; None if there is none.
        is_required: whether it must be given. One that need not be, and has no default, is an empty text,
            an empty list, zero or false.
        choices: the values that it may have; any, if there are none.
    """

    name: str
    type: VariableType = VariableType.TEXT
    purpose: str = ""
    default: PromptValue | None = None
    is_required: bool = True
    choices: tuple[PromptValue, ...] = ()


class Example(Struct, frozen=True):
    """One question and its answer, which the model sees before the real question."""

    user: str
    assistant: str


class Prompt(Struct, frozen=True, kw_only=True):
    """A prompt as its file has it.

    Attributes:
        template, system: for minijinja; ``system`` is "" if there is none.
        parameters: of the request, in Ollama's names, such as ``temperature``.
        language: ISO 639-1 code of the language that it is written in; "" if its file does not say.
    """

    name: str
    title: str
    purpose: str
    template: str
    variables: tuple[PromptVariable, ...] = ()
    system: str = ""
    examples: tuple[Example, ...] = ()
    parameters: Mapping[str, PromptValue] = {}
    language: str = ""
    origin: PromptOrigin = PromptOrigin.USER
    file: Path | None = None


class Faulty(Struct, frozen=True):
    """A file that is no prompt, and why: a sentence that names the line or the field."""

    name: str
    origin: PromptOrigin
    file: Path
    why: Sentence


class RenderedPrompt(Struct, frozen=True, kw_only=True):
    """What is sent to a model.

    Attributes:
        text: the question.
        parameters: as those of `Prompt`.
    """

    text: str
    system: str = ""
    examples: tuple[Example, ...] = ()
    parameters: Mapping[str, PromptValue] = {}

    @property
    def messages(self) -> tuple[tuple[str, str], ...]:
        """The roles and texts of the messages of a chat, in their order."""
        system = (("system", self.system),) if self.system else ()
        examples = ((("user", each.user), ("assistant", each.assistant)) for each in self.examples)
        return (*system, *(each for pair in examples for each in pair), ("user", self.text))


class PromptError(Failure):
    """A prompt, a value or a limit that cannot be used. Its ``str`` is the English sentence."""

    def __str__(self) -> str:
        from llmstack_tui.base.wording import Wording  # noqa: PLC0415  # for who shows an error
        from llmstack_tui.prompts.wording import SENTENCES  # noqa: PLC0415

        return Wording(SENTENCES.get).words(self)


class InvalidPrompt(PromptError):
    """A file is no prompt, or a text no template."""


class UnknownPrompt(PromptError):
    """There is no prompt of this name."""


class WrongValues(PromptError):
    """A variable has no value, or a wrong one, or does not exist."""


class NotRendered(PromptError):
    """A template ended with an error, would not end or wrote too much."""


class WrongArgument(PromptError):
    """A limit, a pattern, a schema or a language that a function of this room was given makes no sense."""
