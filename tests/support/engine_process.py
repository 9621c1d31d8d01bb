"""A built-in engine in a process and a home of its own, and which of our processes run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

END_S = 30
ENGINE = "llmstack_tui.engine.process.server"
MODEL = "llmstack_tui.engine.runners.child"


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
    with _started([], home_environment(home) | environment) as (url, process):
        try:
            yield url
        finally:
            process.terminate()
            status = process.wait(END_S)
    assert status == 0


@contextmanager
def killable_engine(home: Path, *within: str, port: int = 0) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The URL and the process of one that may have ended by then, and is killed.

    Args:
        within: the command that becomes the engine, as `nice` does; none starts it itself.
    """
    with _started(within, home_environment(home), port) as started:
        yield started


@contextmanager
def _started(
    within: Sequence[str], environment: dict[str, str], port: int = 0
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    process = subprocess.Popen(
        [*within, sys.executable, "-m", ENGINE, "--port", str(port)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=environment,
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"], process
    finally:
        process.kill()
        process.wait(END_S)
        process.stdout.close()


def running(module: str, home: Path) -> list[psutil.Process]:
    """The processes that run ``python -m module`` with this home."""
    found = []
    for process in psutil.process_iter():
        try:
            if module in process.cmdline() and process.environ().get("HOME") == str(home):
                found.append(process)
        except psutil.Error:
            continue
    return found
