"""The folders of engines that were killed, and those that only look like them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.engine.runners.folder import new_folder
from tests.support.engine_process import killable_engine

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and Unix sockets")


@pytest.fixture(autouse=True)
def temporary(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def ended() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_it_is_private() -> None:
    made = new_folder()
    assert made.name.startswith(f"llmstack-{os.getpid()}-")
    assert made.stat().st_mode & 0o077 == 0


def test_what_an_ended_process_left_is_removed_and_nothing_else(temporary: Path, ended: int) -> None:
    left = [temporary / f"llmstack-{ended}-abcdefgh", temporary / "llmstack-ab_d3fgh"]
    others = [
        temporary / f"llmstack-{os.getpid()}-abcdefgh",
        temporary / "llmstack-notes",
        temporary / f"llmstack-{ended}",
        temporary / f"my-llmstack-{ended}-abcdefgh",
        temporary / f"llmstack-{ended}-with-more",
        temporary / "llmstack-mynotes1",
    ]
    for folder in (*left, *others):
        folder.mkdir()
        (folder / "x.sock").touch()
    (left[0] / "cache").mkdir()
    (temporary / "llmstack-mynotes1" / "notes.txt").touch()
    aimed_at = temporary / "mine"
    aimed_at.mkdir()
    (temporary / f"llmstack-{ended}-linklink").symlink_to(aimed_at)
    (temporary / f"llmstack-{ended}-filefile").touch()
    new_folder()
    assert not any(folder.exists() for folder in left)
    assert all((other / "x.sock").exists() for other in others)
    assert aimed_at.exists()
    assert (temporary / f"llmstack-{ended}-filefile").exists()


def test_a_folder_whose_models_answer_is_in_use(temporary: Path, ended: int) -> None:
    folder = temporary / f"llmstack-{ended}-abcdefgh"
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as model:
        model.bind(str(folder / "x.sock"))
        model.listen()
        new_folder()
        assert folder.exists()
    new_folder()
    assert not folder.exists()


def test_a_killed_engines_folder_is_gone_after_the_next_start(temporary: Path, tmp_path: Path) -> None:
    with killable_engine(tmp_path) as (_, process):
        (left,) = temporary.glob("llmstack-*")
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert left.exists()
        with killable_engine(tmp_path):
            (its_own,) = temporary.glob("llmstack-*")
            assert its_own != left
