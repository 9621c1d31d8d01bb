"""A built-in engine in a process and a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

END_S = 30


def home_environment(home: Path) -> dict[str, str]:
    """This process's environment with another home, and without the user's settings for servers.

    No registry is asked for what is installed in a test.
    """
    foreign = ("OLLAMA_", "LLMSTACK_", "LLM_", "XDG_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "HOME": str(home), "USERPROFILE": str(home), "LLMSTACK_UPDATES_CHECK_EVERY": "off"}


@contextmanager
def engine_process(home: Path, **environment: str) -> Iterator[str]:
    """The URL of an engine on a free port, whose files are below ``home``. It must end cleanly."""
    process = subprocess.Popen(
        [sys.executable, "-m", "llmstack_tui.engine.process.server", "--port", "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=home_environment(home) | environment,
    )
    assert process.stdout is not None
    try:
        said = json.loads(process.stdout.readline())
        yield said["url"]
    finally:
        process.terminate()
        status = process.wait(END_S)
        process.stdout.close()
    assert status == 0


@contextmanager
def killable_engine(home: Path, *within: str) -> Iterator[tuple[int, str]]:
    """The process id and the URL of one that may have ended by then, and is killed.

    Args:
        within: the command that becomes the engine, as `nice` does; none starts it itself.
    """
    process = subprocess.Popen(
        [*within, sys.executable, "-m", "llmstack_tui.engine.process.server", "--port", "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=home_environment(home),
    )
    assert process.stdout is not None
    try:
        yield process.pid, json.loads(process.stdout.readline())["url"]
    finally:
        process.kill()
        process.wait(END_S)
        process.stdout.close()
