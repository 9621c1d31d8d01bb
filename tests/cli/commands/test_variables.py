"""``llmstack variables``: as a script and as a person run it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.ollama_program import OllamaMachine
from tests.support.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[OllamaMachine]:
    machine = OllamaMachine(tmp_path)
    yield machine
    machine.end()


def test_a_script_lists_sets_restarts_and_takes_out(machine: OllamaMachine) -> None:
    machine.has_unit(user=True)
    llmstack = Program(machine.home, machine.environ)
    file = str(machine.home / ".config/systemd/user/ollama.service.d/llmstack.conf")
    done = llmstack("variables", "set", "keep_alive=10m", "OLLAMA_CONTEXT_LENGTH=8192", "--yes", "--json")
    assert done.returncode == 0, done
    assert json.loads(done.stdout) == {
        "file": file,
        "values": {"OLLAMA_KEEP_ALIVE": "10m", "OLLAMA_CONTEXT_LENGTH": "8192"},
        "changed": True,
        "backup": None,
        "restarted": False,
        "rolled_back": None,
    }
    done = llmstack("variables", "set", "OLLAMA_DEBUG=1", "--restart", "--yes")
    assert done.returncode == 0, done
    assert '+Environment="OLLAMA_DEBUG=1"' in done.stdout
    found = json.loads(llmstack("variables", "--json").stdout)
    assert (found["file"], found["pid"]) == (file, machine.pid)
    keep_alive = next(each for each in found["variables"] if each["name"] == "OLLAMA_KEEP_ALIVE")
    assert keep_alive | {"suggestion": None} == {
        "name": "OLLAMA_KEEP_ALIVE",
        "value": "10m",
        "origin": "ours",
        "file": file,
        "set": "10m",
        "standing": "fine",
        "fault": None,
        "default": "5m",
        "known": True,
        "suggestion": None,
        "purpose": "How long a model stays in memory after its last request; -1 is for ever.",
    }
    assert "OLLAMA_KEEP_ALIVE" in llmstack("variables").stdout
    assert "OLLAMA_NUM_PARALLEL" in llmstack("variables", "suggest").stdout
    assert llmstack("variables", "unset", "DEBUG", "--yes").returncode == 0
    assert "DEBUG" not in Path(file).read_text()


def test_what_does_not_come_up_is_taken_back_and_fails(machine: OllamaMachine) -> None:
    llmstack = Program(machine.home, machine.environ)
    done = llmstack("variables", "set", "HOST=192.0.2.1:1", "--restart", "--yes", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["changed"] is False
    assert "Error: listen tcp 192.0.2.1:1" in done.stderr
    assert "Everything is as it was before, and Ollama runs again." in done.stderr


def test_without_a_terminal_nobody_can_say_yes(machine: OllamaMachine) -> None:
    done = Program(machine.home, machine.environ)("variables", "set", "KEEP_ALIVE=10m")
    assert (done.returncode, "add --yes" in done.stderr) == (1, True)
    assert "OLLAMA_KEEP_ALIVE" in done.stdout


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("set",), 2, "Which variables?"),
        (("set", "KEEP_ALIVE"), 2, "'KEEP_ALIVE' is not NAME=VALUE."),
        (("suggest", "X=1"), 2, "Say `set` before what is to be set."),
        (("set", "KEEP_ALIVE=soon", "--yes"), 1, "must be a length of time such as 10m"),
        (("set", "NONSENSE=1", "--yes"), 1, "is no variable that Ollama reads"),
        (("unset", "KEEP_ALIVE", "--yes"), 1, "is not set by llmstack"),
        (("unset", "KEEP_ALIVE=1m", "--yes"), 2, "'KEEP_ALIVE=1m': with unset, give only the name."),
        (("set", "KEEP_ALIVE=1m", "--yes", "--read-only"), 1, "Nothing was changed"),
    ],
)
def test_wrong_words_are_a_sentence(
    machine: OllamaMachine, words: tuple[str, ...], status: int, said: str
) -> None:
    done = Program(machine.home, machine.environ)("variables", *words)
    assert (done.returncode, said in done.stderr) == (status, True), done.stderr
