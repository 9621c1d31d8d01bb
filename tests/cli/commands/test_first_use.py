"""The commands of somebody who has no server: the disk is listed, and the engine starts by itself."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.support.program import Program
from tests.support.waiting import wait_until_sync

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOR_THIS_COMMAND = "llmstack: No server runs: the built-in engine is started for this command.\n"
ON_DISK = "llmstack: No server runs: these are the models on the disk.\n"
WHILE_LOADED = (
    "llmstack: No server runs: the built-in engine is started, and ends when its last model is unloaded.\n"
)


@pytest.fixture
def alone(tmp_path: Path, tiny_model: Path) -> Iterator[Program]:
    """The program of a user without a server, who has the model ``tiny:latest`` on the disk."""
    llmstack = Program(tmp_path, {"OLLAMA_HOST": "127.0.0.1:1", "LLMSTACK_ENGINE_CHOICE": "builtin"})
    imported = llmstack("import", tiny_model, "tiny")
    assert (imported.returncode, imported.stderr) == (0, FOR_THIS_COMMAND)
    ended(llmstack)
    try:
        yield llmstack
    finally:
        llmstack("engine", "stop", "--force")


def ended(llmstack: Program) -> None:
    """Wait for the engine's end without a question to it, which would keep it."""
    saved = llmstack.home / ".local" / "share" / "llmstack" / "engine.json"
    wait_until_sync(lambda: not saved.exists(), 60, "the engine ends by itself")


def test_models_are_listed_from_the_disk_and_nothing_is_started(alone: Program) -> None:
    done = alone("ls")
    assert (done.returncode, done.stderr) == (0, ON_DISK)
    assert re.search(r"○ +tiny:latest +534 kB +F16 .* inactive", done.stdout)
    (listed,) = json.loads(alone("ls", "--json").stdout)["models"]
    assert (listed["host"], listed["name"], listed["state"]) == (None, "tiny:latest", "inactive")
    assert alone("engine", "status").returncode == 1


def test_a_question_is_answered_by_an_engine_that_ends_with_the_command(alone: Program) -> None:
    done = alone("chat", "tiny", "Who are you?")
    assert (done.returncode, done.stderr) == (0, FOR_THIS_COMMAND)
    assert "model running locally." in done.stdout
    ended(alone)


@pytest.mark.parametrize("command", ["start", "pin"])
def test_an_engine_that_was_started_for_a_model_ends_when_that_has_left(alone: Program, command: str) -> None:
    done = alone(command, "tiny")
    assert (done.returncode, done.stderr) == (0, WHILE_LOADED)
    (loaded,) = json.loads(alone("ps", "--json").stdout)["models"]
    assert loaded["name"] == "tiny:latest"
    assert alone("stop", "tiny").returncode == 0
    ended(alone)


def test_a_command_that_only_looks_starts_nothing(alone: Program) -> None:
    for command in (["ps"], ["--read-only", "show", "tiny"], ["stop", "--all"]):
        done = alone(*command)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            "llmstack: The built-in engine is not running: start it with `llmstack engine start`.\n"
        )
