"""Templates are filled in, and end: in a sandbox, with a sentence for what goes wrong."""

from __future__ import annotations

import pytest

from llmstack_tui.prompts import format_prompt
from llmstack_tui.prompts.rendering import MOST_BYTES, render
from llmstack_tui.prompts.types import (
    Example,
    InvalidPrompt,
    NotRendered,
    Prompt,
    PromptVariable,
    WrongValues,
)


def test_a_prompt_becomes_the_messages_of_a_chat() -> None:
    prompt = Prompt(
        name="greet",
        title="Greet",
        purpose="Greet.",
        template="Greet {{ who }}\n{% if who == 'Ana' %}\nkindly\n{% endif %}\n",
        system="You know {{ who }}.",
        variables=(PromptVariable(name="who"),),
        examples=(Example("Eva", "Hello, {{ Eva }}!"),),
        parameters={"temperature": 0.5},
    )
    rendered = render(prompt, {"who": "Ana"})
    assert rendered.messages == (
        ("system", "You know Ana."),
        ("user", "Eva"),
        ("assistant", "Hello, {{ Eva }}!"),
        ("user", "Greet Ana\nkindly"),
    )
    assert rendered.parameters == {"temperature": 0.5}


def test_values_are_text_and_no_template_and_no_markup() -> None:
    assert format_prompt("{{ a }}", a="{{ b }} <b> & \"'") == "{{ b }} <b> & \"'"


def test_names_that_libraries_use_are_free() -> None:
    assert format_prompt("{{ source }} {{ name }} {{ self_ }}", source="a", name="b", self_="c") == "a b c"


@pytest.mark.parametrize(
    ("template", "error", "said"),
    [
        ("Say {{ word }}.", WrongValues, "uses word, which has no value"),
        ("One\n{% if x %}", InvalidPrompt, "Line 2 of the template is wrong"),
        ("One\n{{ x", InvalidPrompt, "Line 2 of the template is wrong"),
        (
            "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}",
            NotRendered,
            "end",
        ),
        ("{{ 'x' * 100000000 }}", NotRendered, "does not end, or takes too many steps"),
        ("{% for i in range(90000) %}" + "x" * 60_000 + "{% endfor %}", NotRendered, "too many steps"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", NotRendered, "Line 1 of the template fails"),
        ("{% include '/etc/passwd' %}", NotRendered, "includes another file"),
        ("{% import '../secret.md' as s %}", NotRendered, "includes another file"),
        ("One\n{{ 'a' + 1 }}", NotRendered, "Line 2 of the template fails"),
        ("{{ 'a' | nonsense }}", NotRendered, "filter nonsense is unknown"),
        ("{{ ''.__class__.__mro__ }}", NotRendered, "Line 1 of the template fails"),
        ("{{ debug() }}", NotRendered, "Line 1 of the template fails"),
    ],
)
def test_what_goes_wrong_is_one_sentence(template: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as raised:
        format_prompt(template)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_value_that_the_template_does_not_use_is_a_mistake() -> None:
    with pytest.raises(WrongValues, match="uses no wrod"):
        format_prompt("Say it.", wrod="a")


@pytest.mark.parametrize("template", ["{{ a }}", "{{ a }}{{ a }}{{ a }}"])
def test_what_is_too_large_is_refused(template: str) -> None:
    with pytest.raises(NotRendered, match="larger than"):
        format_prompt(template, a="x" * (MOST_BYTES // 2 + 1) * (2 if template == "{{ a }}" else 1))


def test_a_paste_of_a_hundred_megabytes_costs_nothing() -> None:
    with pytest.raises(NotRendered, match="larger than"):
        format_prompt("{{ a }}", a="x" * 10**8)


def test_a_long_text_passes() -> None:
    assert len(format_prompt("{{ a }}", a="x" * 10**6)) == 10**6
