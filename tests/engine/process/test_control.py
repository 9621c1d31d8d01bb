"""The engine as a process: started once, found, stopped, and never left behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from llmstack_tui import __version__
from llmstack_tui.engine.process import control
from llmstack_tui.engine.process.control import EngineFailed, EngineHandle, start, status, stop
from llmstack_tui.engine.process.state import state_file
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from llmstack_tui.base.kinds import EngineLife

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs the signals of POSIX")
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with nothing of an engine yet."""
    for name in list(os.environ):
        if name.startswith(("OLLAMA_", "LLMSTACK_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@asynccontextmanager
async def started(*, life: EngineLife = "stopped") -> AsyncIterator[EngineHandle]:
    handle = await start(port=0, life=life)
    try:
        yield handle
    finally:
        handle.release()
        await stop(force=True)


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def test_an_engine_is_started_found_and_stopped() -> None:
    assert status() is None
    assert await stop() is False
    async with started() as handle:
        found = handle.process
        assert status() == found
        assert found.version == __version__
        assert Path(found.log).is_file()
        answer = httpx.get(f"{found.url}/api/version", trust_env=False).json()
        assert answer["engine"] == "llmstack"
        again = await start(life="stopped")
        assert again.process == found
        assert await stop() is True
    assert is_gone(found.pid)
    assert status() is None
    assert not state_file().exists()


async def test_two_that_start_at_once_get_one_engine() -> None:
    async with started() as handle:
        others = await asyncio.gather(*(start(life="owner") for _ in range(3)))
        assert {other.process.pid for other in others} == {handle.process.pid}
        await stop()
    first, *others = await asyncio.gather(*(start(port=0, life="stopped") for _ in range(3)))
    assert {other.process.pid for other in others} == {first.process.pid}
    await stop()


@posix
async def test_an_engine_ends_with_its_owner() -> None:
    async with started(life="owner") as handle:
        handle.release()
        await wait_until(lambda: is_gone(handle.process.pid), 10, "the engine ends by itself")
        assert not state_file().exists()


@posix
async def test_an_engine_ends_with_an_owner_that_is_killed() -> None:
    program = (
        "import asyncio\nfrom llmstack_tui.engine.process.control import start\n"
        "async def main():\n    handle = await start(port=0, life='owner')\n"
        "    print(handle.process.pid, flush=True)\n    await asyncio.Event().wait()\nasyncio.run(main())"
    )
    owner = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=ROOT)
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    assert not is_gone(pid)
    owner.kill()
    owner.wait()
    owner.stdout.close()
    await wait_until(lambda: is_gone(pid), 10, "the engine ends by itself")


@posix
async def test_an_engine_that_others_use_stays() -> None:
    async with started(life="owner") as handle:
        httpx.get(f"{handle.process.url}/api/ps", trust_env=False)
        handle.release()
        await wait_until(lambda: "stays while others use it" in Path(handle.process.log).read_text())
        assert status() == handle.process


@posix
async def test_a_killed_engine_leaves_nothing_behind(tiny_model: Path) -> None:
    async with started() as handle:
        async with httpx.AsyncClient(base_url=handle.process.url, timeout=60, trust_env=False) as client:
            await client.post("/api/import", json={"model": "tiny", "path": str(tiny_model)})
            await client.post("/api/generate", json={"model": "tiny"})
        (child,) = psutil.Process(handle.process.pid).children()
        os.kill(handle.process.pid, signal.SIGKILL)
        await wait_until(lambda: is_gone(child.pid), 10, "the model's process ends, too")
        assert status() is None
        # The file of the dead one is no hindrance.
        assert state_file().exists()
        async with started() as another:
            assert another.process.pid != handle.process.pid


@posix
async def test_an_engine_that_hangs_is_ended_by_force() -> None:
    async with started() as handle:
        os.kill(handle.process.pid, signal.SIGSTOP)
        assert status() is None
        with pytest.raises(EngineFailed, match=r"does not answer.*--force"):
            await start(life="stopped")
        with pytest.raises(EngineFailed, match=r"has not ended within 0.2 seconds.*--force"):
            await stop(timeout_s=0.2)
        assert await stop(force=True, timeout_s=0.2) is True
        assert is_gone(handle.process.pid)


async def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EngineFailed, match=f"Port {port} of 127.0.0.1 is in use"):
            await start(port=port, life="stopped")
    assert status() is None


async def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(EngineFailed, match=r"192.0.2.1 is no address of this machine"):
        await start(port=0, host="192.0.2.1", life="stopped")


@posix
async def test_ollamas_port_is_left_to_an_installed_ollama(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ollama = home / "bin" / "ollama"
    ollama.parent.mkdir()
    ollama.write_text("#!/bin/sh\n")
    ollama.chmod(0o755)
    monkeypatch.setenv("PATH", f"{ollama.parent}{os.pathsep}{os.environ['PATH']}")
    handle = await start(life="stopped")
    try:
        assert (urlsplit(handle.process.url).port or 0) > 11434
    finally:
        await stop()


async def test_a_folder_that_cannot_be_written_is_named(home: Path) -> None:
    data = home / ".local" / "share"
    data.mkdir(parents=True)
    (data / "llmstack").write_text("in the way")
    with pytest.raises(EngineFailed, match=str(data / "llmstack")):
        await start(port=0, life="stopped")


async def test_an_engine_that_ends_at_once_says_why(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "uvicorn.py").write_text("raise RuntimeError('broken on purpose')\n")
    monkeypatch.setenv("PYTHONPATH", str(home))
    with pytest.raises(EngineFailed, match="broken on purpose"):
        await start(port=0, life="stopped")


async def test_a_missing_part_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "missing_reason", lambda: "It is not installed.")
    with pytest.raises(EngineFailed, match=r"^It is not installed\.$"):
        await start(life="stopped")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}'])
async def test_a_broken_state_file_is_none(content: str) -> None:
    state_file().parent.mkdir(parents=True)
    state_file().write_text(content)
    assert status() is None


async def test_a_process_that_only_has_the_number_of_the_engine_is_none() -> None:
    state_file().parent.mkdir(parents=True)
    state = {"pid": os.getpid(), "created_s": 1.0, "url": "http://127.0.0.1:1", "version": "1", "log": "x"}
    state_file().write_text(json.dumps(state))
    assert status() is None
    assert await stop(force=True) is False


async def test_a_start_that_is_given_up_leaves_no_engine() -> None:
    # Other tests may share an engine that runs on.
    before = set(psutil.Process().children())

    def new() -> set[psutil.Process]:
        return set(psutil.Process().children()) - before

    starting = asyncio.create_task(start(port=0, life="owner"))
    await wait_until(new, 10)
    (engine,) = new()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await wait_until(lambda: is_gone(engine.pid), 10)
    assert status() is None
