"""Which values a prompt's variables have: those that were given, checked, and the defaults."""

from __future__ import annotations

import math
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.prompts.types import VariableType, WrongValues

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from llmstack_tui.prompts.types import Prompt, PromptValue, PromptVariable

_EMPTY: Mapping[VariableType, PromptValue] = {
    VariableType.TEXT: "",
    VariableType.INTEGER: 0,
    VariableType.NUMBER: 0.0,
    VariableType.BOOLEAN: False,
    VariableType.LIST: (),
}
_FLAGS = {"true": True, "yes": True, "sí": True, "si": True, "on": True, "1": True}
_FLAGS |= {"false": False, "no": False, "off": False, "0": False}
_LONGEST_NUMBER = 40
# What standard input, or the question of a command, fills.
_MAIN = ("input", "text")


def checked(prompt: Prompt, given: Mapping[str, object]) -> dict[str, PromptValue]:
    """The value of each variable. What is given as a text, as on a command line, is read by its type.

    Raises:
        WrongValues: see there.
    """
    known = {each.name: each for each in prompt.variables}
    for name in given:
        if name not in known:
            if not known:
                raise WrongValues("prompts.no_variables", name=name, prompt=prompt.name)
            raise WrongValues(
                "prompts.unknown_variable", name=name, prompt=prompt.name, known=_near(name, tuple(known))
            )
    unset = [each for each in prompt.variables if each.name not in given]
    if missing := tuple(each.name for each in unset if each.is_required):
        raise WrongValues("prompts.missing", count=len(missing), names=missing, prompt=prompt.name)
    usual = {each.name: _usual(each) for each in unset}
    return usual | {name: _value(known[name], value) for name, value in given.items()}


def _near(name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(get_close_matches(name, known, n=3)) or known


def _usual(variable: PromptVariable) -> PromptValue:
    return _EMPTY[variable.type] if variable.default is None else variable.default


def _value(variable: PromptVariable, given: object) -> PromptValue:
    value = read_value(given, variable.type)
    if value is None:
        raise WrongValues("prompts.wrong_type", name=variable.name, allowed=allowed(variable.type))
    if variable.choices and value not in variable.choices:
        choices = tuple(map(str, variable.choices))
        raise WrongValues("prompts.wrong_choice", name=variable.name, choices=choices)
    return value


def read_value(given: object, type_: VariableType) -> PromptValue | None:
    """A value of this type, from one of it or from a text; None if it is neither."""
    match type_:
        case VariableType.TEXT:
            return given if isinstance(given, str) else None
        case VariableType.LIST:
            return _list(given)
        case VariableType.BOOLEAN:
            return given if isinstance(given, bool) else _FLAGS.get(str(given).strip().lower())
    return _number(given, int if type_ is VariableType.INTEGER else float)


def _number(given: object, read: Callable[[Any], int | float]) -> int | float | None:
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    if not is_number and not (isinstance(given, str) and len(given) <= _LONGEST_NUMBER):
        return None
    try:
        number = read(given)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and (not is_number or number == given) else None


def _list(given: object) -> tuple[str, ...] | None:
    if isinstance(given, str):
        return tuple(filter(None, (each.strip() for each in given.split(","))))
    items: Sequence[object] = given if isinstance(given, list | tuple) else (None,)
    found = tuple(each for each in items if isinstance(each, str))
    return found if len(found) == len(items) else None


def main_variable(prompt: Prompt) -> str | None:
    """The variable that takes what a user types or pipes: ``input``, else ``text``, if the prompt has it."""
    names = {each.name for each in prompt.variables}
    return next((name for name in _MAIN if name in names), None)


def allowed(type_: VariableType) -> tuple[Sentence, ...]:
    """What a value of this type may be, in words."""
    return (Sentence(f"prompts.type_{type_.value}"),)
