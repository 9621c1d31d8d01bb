"""Finding and starting Ollama, with a program that stands in for it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from llmstack_tui.core.wording import words
from llmstack_tui.ollama import local
from llmstack_tui.ollama.local import StartFailed, find_ollama, start_ollama
from tests.ollama.clients import talking
from tests.support.scripted_server import Reply, always
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = """#!{python}
import http.server, json, os, pathlib, sys, time
assert sys.argv[1:] == ["serve"], sys.argv
pathlib.Path({pid!r}).write_text(str(os.getpid()))
print("listening on", os.environ["OLLAMA_HOST"], "with", os.environ.get("OLLAMA_MODELS"), flush=True)
{then}
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({{"version": "0.32.15"}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
host, _, port = os.environ["OLLAMA_HOST"].rpartition(":")
http.server.HTTPServer((host, int(port)), Handler).serve_forever()
"""


class Program:
    """A stand-in for ``ollama``."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ollama"
        self.pid_file = folder / "pid"
        self.log = folder / "logs" / "ollama.log"

    def write(self, then: str = "") -> Path:
        self.path.write_text(PROGRAM.format(python=sys.executable, pid=str(self.pid_file), then=then))
        self.path.chmod(0o755)
        return self.path

    @property
    def pid(self) -> int:
        return int(self.pid_file.read_text() or "0") if self.pid_file.exists() else 0

    @property
    def runs(self) -> bool:
        return bool(self.pid) and psutil.pid_exists(self.pid)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    monkeypatch.setattr(local, "logs_folder", lambda: tmp_path / "logs")
    program = Program(tmp_path)
    yield program
    if program.runs:
        os.kill(program.pid, signal.SIGKILL)


def free_url() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


async def test_it_is_started_as_a_process_of_its_own_and_stays(program: Program) -> None:
    url, told = free_url(), list[float]()
    environ = {**os.environ, "OLLAMA_MODELS": "/models"}
    await start_ollama(program.write(), url, environ=environ, on_progress=told.append)
    assert program.runs
    assert os.getsid(program.pid) == program.pid
    assert f"listening on {url.removeprefix('http://')} with /models" in program.log.read_text()
    assert told == sorted(told)


async def test_one_that_ends_at_once_says_why(program: Program) -> None:
    binary = program.write('sys.exit("Error: listen tcp: bind: address already in use\\x1b[2J")')
    with pytest.raises(StartFailed, match="address already in use") as caught:
        await start_ollama(binary, free_url())
    assert words(caught.value).isprintable()
    assert str(program.log) in words(caught.value)


async def test_one_that_does_not_answer_in_time_is_ended(program: Program) -> None:
    with pytest.raises(StartFailed, match="silent"):
        await start_ollama(program.write("time.sleep(60)"), free_url(), wait_seconds=0.8)
    await wait_until(lambda: not program.runs)


async def test_giving_up_ends_it(program: Program) -> None:
    task = asyncio.create_task(start_ollama(program.write("time.sleep(60)"), free_url()))
    await wait_until(lambda: program.runs)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await wait_until(lambda: not program.runs)


async def test_something_else_at_its_address_is_said(program: Program) -> None:
    async with talking(always(Reply((b"<html>",), content_type="text/html"))) as (_, server):
        with pytest.raises(StartFailed, match="something_else"):
            await start_ollama(program.write("time.sleep(60)"), server.url)


async def test_what_cannot_be_started_is_said(tmp_path: Path, program: Program) -> None:
    with pytest.raises(StartFailed, match="No such file"):
        await start_ollama(tmp_path / "no-such-program", free_url())
    program.write().chmod(0o644)
    with pytest.raises(StartFailed, match="Permission denied"):
        await start_ollama(program.path, free_url())


async def test_a_log_that_has_grown_is_begun_anew(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_MAX_LOG_BYTES", 100)
    program.log.parent.mkdir(parents=True)
    program.log.write_text("old\n" * 50)
    await start_ollama(program.write(), free_url())
    assert "old" not in program.log.read_text()


def test_it_is_found_on_the_path_or_in_itsusual_places(
    tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "usual_places", lambda _: [tmp_path / "elsewhere"])
    assert find_ollama({"PATH": str(tmp_path)}) is None
    program.write()
    assert find_ollama({"PATH": str(tmp_path)}) == program.path
    program.path.rename(tmp_path / "elsewhere")
    assert find_ollama({}) == tmp_path / "elsewhere"


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_each_system_hasusual_places(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", system)
    assert all(path.stem == "ollama" for path in local.usual_places({"LOCALAPPDATA": "C:/x"}))
