"""The whole program in terminals that can little: every screen is drawn, the keys work, and it ends well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.fake_ollama import fake_ollama_thread

if TYPE_CHECKING:
    from tests.e2e.conftest import OpenTerminal

pytestmark = pytest.mark.e2e

NO_LOCALE = {"LC_ALL": "", "LC_CTYPE": "", "LANG": ""}


@pytest.mark.parametrize(
    ("poor", "is_ascii"),
    [
        ({"TERM": "linux"}, True),
        ({"TERM": "vt100", "COLORTERM": ""}, False),
        ({"TERM": "xterm", "COLORTERM": ""}, False),
        (NO_LOCALE, False),
        (NO_LOCALE | {"LANG": "C"}, True),
        (NO_LOCALE | {"LC_ALL": "POSIX"}, True),
        (NO_LOCALE | {"LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "COLORTERM": ""}, True),
        ({"LLMSTACK_UI_ASCII": "1"}, True),
    ],
    ids=lambda value: ",".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else "",
)
def test_every_screen_in_a_terminal_that_can_little(
    llmstack: OpenTerminal, poor: dict[str, str], is_ascii: bool
) -> None:
    with fake_ollama_thread(mistral_7b="a", phi4_14b="b") as (fake, url):
        fake.load("mistral:7b")
        more = {"OLLAMA_HOST": url, "LLMSTACK_ENGINE_CHOICE": "ollama"} | poor
        terminal = llmstack(columns=80, rows=24, **more)
        terminal.wait_for("* mistral:7b" if is_ascii else "● mistral:7b", "idle")
        terminal.press("down", "a")
        terminal.wait_for("* phi4:14b" if is_ascii else "● phi4:14b")
        for key, shown, gone in (
            ("enter", "Addresses", "Addresses"),
            ("v", "phi4:14b was loaded in", "phi4:14b was loaded in"),
            ("?", "What this is", "What this is"),
            ("ctrl+p", "Search for commands", "Search for commands"),
            ("x", "Remove phi4:14b?", "Remove phi4:14b?"),
            ("n", "New model from phi4:14b", "New model from phi4:14b"),
            ("p", "Pull a model, or import a file", "Pull a model, or import a file"),
        ):
            terminal.press(key)
            terminal.wait_for(shown)
            strange = [line for line in terminal.text.splitlines() if not line.isascii()]
            assert (not strange) is is_ascii, strange
            terminal.press("escape")
            terminal.wait_without(gone)
        terminal.press("d")
        terminal.wait_for("o phi4:14b" if is_ascii else "○ phi4:14b")
        terminal.press("q")
        assert terminal.wait_exit() == 0


@pytest.mark.parametrize("term", ["dumb", "", "unknown"])
def test_a_terminal_that_cannot_show_it_is_one_sentence(llmstack: OpenTerminal, term: str) -> None:
    terminal = llmstack(columns=200, TERM=term)
    terminal.wait_for(
        f"llmstack: this terminal cannot show the dashboard (TERM is {term or 'not set'}). Set TERM to what "
        "it is, such as xterm-256color. For scripts there are commands: llmstack --help lists them."
    )
    assert terminal.wait_exit() == 1
