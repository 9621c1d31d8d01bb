"""What ``/api/show`` gives as ``modelfile``, read as Ollama's client reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.base.names import ModelName
from llmstack_tui.engine.api.ollama_models import modelfile
from llmstack_tui.library.installed import InstalledModel
from llmstack_tui.library.manifest import ConfigLayer


def read(text: str) -> list[tuple[str, str]]:
    """The commands and their arguments, by the states of ``ParseFile`` in Ollama's ``parser/parser.go``."""
    commands, lines = list[tuple[str, str]](), text
    while lines:
        if lines[0] in " \t\r\n":
            lines = lines[1:]
        elif lines[0] == "#":
            lines = lines.partition("\n")[2]
        else:
            name, _, lines = lines.partition(" ")
            value = ""
            while lines:
                letter, lines = lines[0], lines[1:]
                if letter in "\r\n" and unquoted(value.strip()) is not None:
                    break
                value += letter
            found = unquoted(value.strip())
            assert found is not None
            commands.append((name, found))
    return commands


def unquoted(text: str) -> str | None:
    for quote in ('"""', '"'):
        if text.startswith(quote):
            return (
                text[len(quote) : -len(quote)]
                if text.endswith(quote) and len(text) >= 2 * len(quote)
                else None
            )
    return text


def model(**more: object) -> InstalledModel:
    values = {
        "name": ModelName.parse("m"),
        "digest": "",
        "size": 0,
        "modified_at": datetime.now(UTC),
        "weights": Path("/w"),
        "weights_digest": "",
        "config": ConfigLayer(),
    }
    return InstalledModel(**values | more)  # type: ignore[arg-type]


# Letters that come through; a line that ends in three quotes does not.
TEXTS = st.text(st.sampled_from('a"{}# \t\n\r<é🦙'), min_size=1, max_size=12).filter(
    lambda text: '"""' not in text and text.strip()
)


@given(TEXTS, TEXTS, TEXTS, st.lists(TEXTS, max_size=2))
def test_every_text_is_read_as_it_was(template: str, system: str, stop: str, licenses: list[str]) -> None:
    written = modelfile(
        model(system=system, parameters={"stop": [stop, "x"]}, licenses=tuple(licenses)), template
    )
    # A parameter has its name before its value; a client takes that off first.
    assert read(written.replace("\nPARAMETER stop ", "\nPARAMETER ")) == [
        ("FROM", "/w"),
        ("TEMPLATE", template),
        ("SYSTEM", system),
        ("PARAMETER", stop),
        ("PARAMETER", "x"),
        *(("LICENSE", each) for each in licenses),
    ]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.1234567, "0.1234567"),
        (1.0, "1"),
        (1234567.0, "1234567"),
        (1e-05, "1e-05"),
        (1e21, "1e+21"),
        (1234567890, "1234567890"),
        (True, "true"),
    ],
)
def test_numbers_are_written_as_go_writes_them(value: object, written: str) -> None:
    assert f"\nPARAMETER temperature {written}\n" in modelfile(model(parameters={"temperature": value}), "")


@pytest.mark.parametrize("messages", [({},), ({"role": "user"},), ({"content": "Hi"},)])
def test_a_message_that_lacks_a_part(messages: tuple[dict[str, object], ...]) -> None:
    assert "\nMESSAGE " in modelfile(model(messages=messages), "")


def test_a_model_without_a_template_has_no_line_for_it() -> None:
    assert "TEMPLATE" not in modelfile(model(), "")
