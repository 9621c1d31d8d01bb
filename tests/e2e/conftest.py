"""The program in a real terminal, in a home of its own, on a machine that has never seen Ollama."""

from __future__ import annotations

import shutil
import socket
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.support.engine_process import home_environment
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class OpenTerminal(Protocol):
    def __call__(
        self, *arguments: str, columns: int = 120, rows: int = 40, **environment: str
    ) -> Terminal: ...


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@pytest.fixture
def engine_url() -> str:
    """Where the built-in engine will answer."""
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def environment(home: Path, tmp_path: Path, engine_url: str) -> dict[str, str]:
    """Without any ``ollama`` on the path, and with its address where nobody listens."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("sh", "env"):
        found = shutil.which(tool)
        assert found
        (tools / tool).symlink_to(found)
    return home_environment(home) | {
        "PATH": str(tools),
        "LC_ALL": "C.UTF-8",
        "OLLAMA_HOST": f"127.0.0.1:{free_port()}",
        "LLMSTACK_ENGINE_CHOICE": "builtin",
        "LLMSTACK_ENGINE_PORT": engine_url.rpartition(":")[2],
    }


@pytest.fixture
def llmstack(environment: dict[str, str]) -> Iterator[OpenTerminal]:
    """Open ``llmstack`` with arguments in a terminal."""
    with ExitStack() as opened:

        def open_terminal(*arguments: str, columns: int = 120, rows: int = 40, **more: str) -> Terminal:
            command = (sys.executable, "-m", "llmstack_tui", *arguments)
            return opened.enter_context(Terminal(command, environment | more, columns=columns, rows=rows))

        yield open_terminal
