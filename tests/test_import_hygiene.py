"""What a command must not import: it would pay for it at every start, and some machines have not got it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.fake_ollama import usual_ollama
from tests.support.program import Program
from tests.support.scripted_server import serving

if TYPE_CHECKING:
    from pathlib import Path

_SCRIPT = """
import sys
from llmstack_tui.__main__ import main
code = main(sys.argv[1:])
imported = [name for name, module in sys.modules.items() if module]
print("IMPORTED", *{name.partition(".")[0] for name in imported}, file=sys.stderr)
sys.exit(code)
"""

SCREEN = {"textual", "rich", "pygments"}
ENGINE = {"xllamacpp", "starlette", "uvicorn", "aiohttp"}
LIBRARIES = {"httpx", "asyncio", "msgspec", "psutil", "json", "tomllib"}


@pytest.fixture
def llmstack(tmp_path: Path) -> Program:
    return Program(tmp_path, {"OLLAMA_HOST": "127.0.0.1:1"})


def imported(program: Program, *arguments: str) -> tuple[int, set[str]]:
    """The exit status of a command, and the top-level modules that it imported."""
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *arguments],
        env=program.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    *_, modules = done.stderr.strip().splitlines()
    assert modules.startswith("IMPORTED ")
    return done.returncode, set(modules.split()[1:])


@pytest.mark.parametrize("arguments", ["--help", "--version", "--wrong", "nonsense"])
def test_what_only_parses_imports_nothing_heavy(llmstack: Program, arguments: str) -> None:
    _, modules = imported(llmstack, arguments)
    assert modules & (SCREEN | ENGINE | LIBRARIES) == set()


def test_the_help_of_all_commands_imports_none() -> None:
    script = "import sys; from llmstack_tui.cli.main import build_parser; build_parser().format_help()"
    done = subprocess.run(
        [sys.executable, "-c", f"{script}; print(*sys.modules)"],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    rooms = ("llmstack_tui.cli.commands", "llmstack_tui.config", "llmstack_tui.core")
    assert not [name for name in done.stdout.split() if name.startswith(rooms)]


@pytest.mark.parametrize("arguments", ["ls --help", "ls --wrong", "start --help", "engine start --help"])
def test_the_help_of_one_command_imports_neither_client_nor_store(llmstack: Program, arguments: str) -> None:
    _, modules = imported(llmstack, *arguments.split())
    assert modules & (SCREEN | ENGINE | {"httpx", "sqlite3", "psutil"}) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        "ls",
        "ps",
        "show tiny",
        "start tiny",
        "stop tiny",
        "stop --all",
        "rm tiny --yes",
        "chat tiny Hi",
        "status",
    ],
)
async def test_commands_import_neither_screen_nor_engine(llmstack: Program, arguments: str) -> None:
    async with serving(usual_ollama("tiny:latest", loaded=("tiny:latest",))) as server:
        code, modules = await asyncio.to_thread(
            imported, llmstack, *arguments.split(), "--json", "--host", server.url
        )
    assert code == 0
    assert "httpx" in modules
    assert modules & (SCREEN | ENGINE) == set()


async def test_a_check_for_updates_imports_neither_screen_nor_engine(llmstack: Program) -> None:
    ollama = usual_ollama("far:cloud")
    ollama.cloud.add("far:cloud")  # which no registry is asked for
    async with serving(ollama) as server:
        arguments = ("update", "--check", "--json", "--host", server.url)
        code, modules = await asyncio.to_thread(imported, llmstack, *arguments)
    assert code == 0
    assert modules & (SCREEN | ENGINE) == set()


@pytest.mark.parametrize("arguments", ["engine status --json", "engine stop --json"])
def test_looking_at_the_engine_does_not_import_it(llmstack: Program, arguments: str) -> None:
    _, modules = imported(llmstack, *arguments.split())
    assert modules & (SCREEN | ENGINE) == set()


@pytest.mark.parametrize("arguments", ["catalog mistral", "disk --json"])
def test_what_asks_no_server_imports_no_client_either(llmstack: Program, arguments: str) -> None:
    code, modules = imported(llmstack, *arguments.split())
    assert code == 0
    assert modules & (SCREEN | ENGINE | {"httpx"}) == set()


def test_the_first_paint_waits_for_no_server_store_or_device() -> None:
    script = "import sys, llmstack_tui.tui.app; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, encoding="utf-8", timeout=60, check=True
    )
    later = {
        "stack",
        "guard",
        "engine",
        "updates.queue",
        "store.store",
        "hosts.types",
        "hardware.machine",
        "fit",
    }
    heavy = {"httpx", "aiosqlite", "sqlite3", "psutil", "pynvml"}
    unwanted = {f"llmstack_tui.{name}" for name in later} | heavy
    assert unwanted.isdisjoint(done.stdout.split())
