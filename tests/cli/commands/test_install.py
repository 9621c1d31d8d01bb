"""``llmstack install``: as a script and as a person run it, over a stand-in for the server of releases."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.e2e.conftest import free_port
from tests.support.releases import ReleaseServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.program import Program


@pytest.fixture
def served() -> Iterator[ReleaseServer]:
    server = ReleaseServer()
    server.add("0.1.0")
    server.add("0.2.0")
    with server.serving():
        yield server


@pytest.fixture
def here(llmstack: Program, served: ReleaseServer) -> Iterator[Program]:
    """Of a user whose Ollama, once it is there, answers at an address of its own."""
    yield llmstack.given(**served.variables, OLLAMA_HOST=f"127.0.0.1:{free_port()}")
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if any(str(llmstack.home) in word for word in process.cmdline()):
                process.kill()


def test_a_script_installs_goes_back_and_removes(here: Program) -> None:
    first = here("install", "ollama", "--way", "archive", "--version", "0.1.0", "--yes", "--json")
    assert (first.returncode, json.loads(first.stdout)) == (0, {"done": True, "version": "0.1.0"})
    assert here("install", "ollama", "--way", "archive", "--yes").returncode == 0
    assert here("install", "--rollback", "--yes").returncode == 0
    assert "Ollama 0.1.0" in here("status").stdout
    listed = json.loads(here("install", "--list", "--json").stdout)
    assert (listed["kept"], listed["current"], listed["previous"]) == (["0.2.0", "0.1.0"], "0.1.0", "0.2.0")
    archive = next(each for each in listed["ways"] if each["way"] == "archive")
    assert (archive["version"], archive["problem"], listed["published"]) == (
        "0.2.0",
        None,
        ["0.2.0", "0.1.0"],
    )
    assert here("install", "--remove", "0.1.0", "--yes").returncode == 0
    assert here("status").returncode == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("ollama", "--way", "archive"), "Nothing was changed. There is no terminal to ask on"),
        (("ollama", "--version", "../x", "--yes"), "'../x' is not a version"),
        (("ollama", "--version", "0.9.0", "--way", "archive", "--yes"), "has no such version"),
        (("--rollback", "--yes"), "No version was in use before this one."),
        (("--use", "0.1.0", "--yes"), "Version 0.1.0 is not on this machine"),
        (("ollama", "--way", "brew", "--yes"), "There is no such way on this machine"),
        (("--read-only", "ollama", "--way", "archive", "--yes"), "--read-only"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(here: Program, arguments: tuple[str, ...], says: str) -> None:
    done = here("install", *arguments)
    assert done.returncode == 1
    assert says in done.stderr
    assert not [each for each in _files(here.home) if "ollama" in each]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("engine", "--way", "script"), "--way is about Ollama, not about the engine."),
        (("engine", "--rollback"), "--rollback is about Ollama"),
        (("--way", "archive"), "Say what to install"),
        (("ollama", "--hold", ""), "A version is empty"),
        (("ollama", "--version", " "), "A version is empty"),
    ],
)
def test_words_that_mean_nothing_together_are_not_left_out(
    llmstack: Program, arguments: tuple[str, ...], says: str
) -> None:
    done = llmstack("install", *arguments)
    assert (done.returncode, says in done.stderr) == (2, True), done.stderr


def test_without_a_network_the_engine_is_named(llmstack: Program) -> None:
    alone = llmstack.given(LLMSTACK_INSTALL_VERSIONS_URL="http://127.0.0.1:1/versions")
    done = alone("install", "ollama", "--yes")
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert "llmstack install engine" in done.stderr
    assert json.loads(alone("install", "--json").stdout)["ways"][0]["way"] == "engine"


def _files(home: Path) -> list[str]:
    return [str(each.relative_to(home)) for each in home.rglob("*") if each.is_file()]
