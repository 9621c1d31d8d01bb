"""What happens when something dies in the middle: nothing is left behind, and the screen stays usable."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.support.engine_process import ENGINE, MODEL, running
from tests.support.waiting import wait_until_sync

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import OpenTerminal
    from tests.support.terminal import Terminal

pytestmark = pytest.mark.e2e


def add_model(terminal: Terminal, path: Path, name: str) -> None:
    terminal.wait_for("Built-in engine", "No models here yet")
    terminal.press("p")
    terminal.wait_for("Pull a model")
    terminal.type(str(path))
    terminal.wait_for(name)
    terminal.press("enter")
    terminal.wait_for(f"○ {name}")


def nothing_left(home: Path) -> None:
    wait_until_sync(lambda: not running(MODEL, home), 20, "no model is left")
    wait_until_sync(lambda: not running(ENGINE, home), 30, "no engine is left")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_killed_dashboard_leaves_nothing(
    llmstack: OpenTerminal, home: Path, tiny_model: Path, number: signal.Signals
) -> None:
    terminal = llmstack()
    add_model(terminal, tiny_model, "tiny-scripted:f16")
    terminal.press("a")
    os.kill(terminal.pid, number)
    assert terminal.wait_exit() in (0, -signal.SIGKILL, 128 + number)
    nothing_left(home)


def test_a_lost_terminal_ends_the_program(llmstack: OpenTerminal, home: Path) -> None:
    terminal = llmstack()
    terminal.wait_for("Built-in engine", "No models here yet")
    terminal.hang_up()
    terminal.wait_exit()
    nothing_left(home)


def test_a_killed_engine_is_a_banner_and_can_be_started_again(
    llmstack: OpenTerminal, home: Path, tiny_model: Path
) -> None:
    terminal = llmstack()
    add_model(terminal, tiny_model, "tiny-scripted:f16")
    terminal.press("a")
    terminal.wait_for("● tiny-scripted:f16")
    (engine,) = running(ENGINE, home)
    engine.kill()
    terminal.wait_for("not reachable")
    wait_until_sync(lambda: not running(MODEL, home), 10, "its model goes with it")
    terminal.press("r")
    terminal.wait_without("not reachable")
    terminal.wait_for("○ tiny-scripted:f16")
    terminal.press("q")
    assert terminal.wait_exit() == 0


@pytest.mark.parametrize("key", ["", "?"])
def test_ctrl_c_leaves_as_q_does(llmstack: OpenTerminal, key: str) -> None:
    terminal = llmstack()
    terminal.wait_for("Built-in engine", "No models here yet")
    if key:
        terminal.press(key)
        terminal.wait_for("First steps")
    terminal.press("ctrl+c")
    assert terminal.wait_exit() == 0


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_text("I am a text."), "is a text file"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.mkdir(), "is a folder"),
    ],
    ids=["text", "empty", "folder"],
)
def test_what_is_no_model_gets_a_sentence(
    llmstack: OpenTerminal, tmp_path: Path, make: object, said: str
) -> None:
    assert callable(make)
    path = tmp_path / "wrong.gguf"
    make(path)
    terminal = llmstack()
    terminal.wait_for("Built-in engine", "No models here yet")
    terminal.press("p")
    terminal.wait_for("Pull a model")
    terminal.type(str(path))
    terminal.press("enter")
    terminal.wait_for(said)
    terminal.press("escape")
    terminal.wait_for("No models here yet")


def test_a_terminal_that_cannot_is_told_so(llmstack: OpenTerminal) -> None:
    terminal = llmstack(TERM="dumb")
    assert terminal.wait_exit() == 1
    terminal.pump(0.2)
    assert "llmstack --help" in terminal.text or "llmstack ls" in terminal.text, terminal.text


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (200, 60), (50, 12)])
def test_any_size_shows_something_useful(llmstack: OpenTerminal, columns: int, rows: int) -> None:
    terminal = llmstack(columns=columns, rows=rows)
    terminal.wait_for("60" if columns < 60 else "No models here yet")
