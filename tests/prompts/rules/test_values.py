"""Which values a prompt's variables have, and which are refused."""

from __future__ import annotations

import pytest

from llmstack_tui.prompts.rules.values import checked, main_variable, read_value
from llmstack_tui.prompts.types import Prompt, PromptValue, PromptVariable, VariableType, WrongValues


def prompt(*variables: PromptVariable) -> Prompt:
    return Prompt(name="greet", title="Greet", purpose="Greet.", template="", variables=variables)


GREET = prompt(
    PromptVariable(name="who"),
    PromptVariable(name="times", type=VariableType.INTEGER, default=3, is_required=False, choices=(1, 3)),
    PromptVariable(name="loud", type=VariableType.BOOLEAN, is_required=False),
    PromptVariable(name="words", type=VariableType.LIST, is_required=False),
)


def test_defaults_fill_what_is_not_given() -> None:
    assert checked(GREET, {"who": "Ana"}) == {"who": "Ana", "times": 3, "loud": False, "words": ()}


def test_texts_are_read_by_their_types() -> None:
    given = {"who": "7", "times": " 1 ", "loud": "Yes", "words": "a, b,"}
    assert checked(GREET, given) == {"who": "7", "times": 1, "loud": True, "words": ("a", "b")}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "The prompt greet needs who, which has no value."),
        ({"who": 7}, "The variable who must be a text."),
        ({"who": "a", "times": "few"}, "The variable times must be a whole number."),
        ({"who": "a", "times": "2"}, "The variable times must be one of these: 1 and 3."),
        ({"who": "a", "loud": "maybe"}, "The variable loud must be true or false."),
        ({"who": "a", "words": [1]}, "The variable words must be a list of texts."),
        ({"who": "a", "wrods": "x"}, "The prompt greet has no variable wrods; it has words."),
        ({"who": "a", "\x1b[2J": "x"}, "The prompt greet has no variable \ufffd[2J; it has who,"),
    ],
)
def test_what_is_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(WrongValues) as error:
        checked(GREET, given)
    assert str(error.value).startswith(said)


def test_a_prompt_without_variables_takes_none() -> None:
    with pytest.raises(WrongValues, match="has no variables"):
        checked(prompt(), {"who": "a"})


@pytest.mark.parametrize(
    ("given", "type_", "expected"),
    [
        (3.0, VariableType.INTEGER, 3),
        (3.5, VariableType.INTEGER, None),
        (True, VariableType.INTEGER, None),
        ("9" * 5000, VariableType.INTEGER, None),
        (1, VariableType.NUMBER, 1.0),
        ("nan", VariableType.NUMBER, None),
        ("inf", VariableType.NUMBER, None),
        (10**400, VariableType.NUMBER, None),
        (None, VariableType.NUMBER, None),
        ("sí", VariableType.BOOLEAN, True),
        (0, VariableType.BOOLEAN, False),
        (("a",), VariableType.LIST, ("a",)),
        (None, VariableType.LIST, None),
        (b"a", VariableType.TEXT, None),
    ],
)
def test_a_value_of_a_type(given: object, type_: VariableType, expected: PromptValue | None) -> None:
    found = read_value(given, type_)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("names", "expected"), [(("text", "input"), "input"), (("text",), "text"), (("who",), None)]
)
def test_the_variable_that_takes_what_is_piped(names: tuple[str, ...], expected: str | None) -> None:
    assert main_variable(prompt(*(PromptVariable(name=each) for each in names))) == expected
