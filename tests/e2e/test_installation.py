"""From an empty home without any server: Ollama is installed in the dashboard, used, and rolled back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest

from llmstack_tui.install.folders import processes
from tests.support.releases import ReleaseServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.conftest import OpenTerminal
    from tests.support.terminal import Terminal

pytestmark = pytest.mark.e2e


@pytest.fixture
def served(home: Path) -> Iterator[ReleaseServer]:
    server = ReleaseServer()
    server.add("0.1.0")
    server.add("0.2.0", crashes=True)
    with server.serving():
        yield server
    for process in processes(home / ".local/share/llmstack/ollama"):
        process.kill()
        psutil.wait_procs([process], timeout=10)


def test_an_empty_home_gets_ollama_and_keeps_it_when_the_next_one_crashes(
    llmstack: OpenTerminal, home: Path, served: ReleaseServer
) -> None:
    terminal = llmstack(
        LLMSTACK_ENGINE_CHOICE="ollama",
        LLMSTACK_INSTALL_ARCHIVE_URL=served.archive_url,
        LLMSTACK_INSTALL_VERSIONS_URL=served.versions_url,
    )
    terminal.wait_for("There is no model server on this machine", "Install one")
    terminal.press("enter")
    terminal.wait_for("Ollama for you alone", "Published", "0.1.0")
    # The older of the two, which works.
    terminal.press("end")
    terminal.wait_for("Enter shows how Ollama 0.1.0 would be installed.")
    terminal.press("enter")
    terminal.wait_without("Looking at this machine")
    _to_own(terminal)
    terminal.press("enter")
    terminal.wait_for("To take it back", "Do it")
    terminal.press("right", "enter")
    terminal.wait_for("Done.", "in use")
    terminal.press("escape")
    terminal.wait_for("Ollama 0.1.0", "No models here yet")
    # The newest crashes at its start: the one before is back.
    terminal.press("0", "i")
    terminal.wait_for("Ollama for you alone", "0.2.0")
    _to_own(terminal)
    terminal.press("enter")
    terminal.wait_for("Do it")
    terminal.press("right", "enter")
    terminal.wait_for("address already in use", "What it had done is undone.")
    terminal.press("escape", "escape")
    terminal.wait_for("Ollama 0.1.0")
    assert (home / ".local/share/llmstack/ollama/current").resolve().name == "0.1.0"
    terminal.press("q")
    assert terminal.wait_exit() == 0


def _to_own(terminal: Terminal) -> None:
    """The cursor to the archive, which is below the script where root runs the tests."""
    terminal.press("home")
    if "Ollama for all users" in terminal.text:
        terminal.press("down")
    terminal.wait_for("Download ollama-linux")
