"""Answers made to take memory and time: the dashboard stays small, and draws what is pressed meanwhile."""

from __future__ import annotations

import asyncio
import sys
import zlib
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.support.fake_ollama import FakeOllama
from tests.support.program import Program
from tests.support.scripted_server import Reply, Then, serving
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.scripted_server import Request
    from tests.support.terminal import Terminal

if sys.platform == "win32":
    pytest.skip("needs pseudo-terminals", allow_module_level=True)

MOST_BYTES = 100 * 10**6
MOST_S = 2.0
OK = b"HTTP/1.1 200 OK\r\n"


def bomb() -> bytes:
    """400 MB of blanks in some hundred bytes, three times packed."""
    packed = b"".join(_packed([b" " * 10**7] * 40))
    for _ in range(2):
        packed = b"".join(_packed([packed]))
    assert len(packed) < 1000
    return packed


def _packed(pieces: list[bytes]) -> list[bytes]:
    packer = zlib.compressobj(9, wbits=31)
    return [*map(packer.compress, pieces), packer.flush()]


def models(form: bytes, count: int) -> Reply:
    return Reply((b'{"models": [' + b", ".join(form % number for number in range(count)) + b"]}",))


def answers() -> dict[str, Reply]:
    """Made when they are used: to pack takes seconds, and every process of the suite imports this module."""
    hang, chunked = Then.HANG, OK + b"Transfer-Encoding: chunked\r\n\r\n"
    # One character in four bytes has Python take four for each.
    wide = b'{"models": [{"name": "a:1b", "digest": "\xf0\x9f\xa6\x99' + b"x" * 8 * 10**6 + b'"}]}'
    return {
        "packed three times": Reply((bomb(),), headers={"Content-Encoding": "gzip, gzip, gzip"}),
        "millions of empty models": Reply((b'{"models": [' + b"{}," * 2_500_000 + b"{}]}",)),
        "many models": models(b'{"name": "many-%d:1b"}', 60_000),
        "many models with a wrong size": models(b'{"name": "many-%d:1b", "size": NaN}', 40_000),
        "depths": Reply((b'{"models": [{"name": "deep:1b", "x": ' + b"[" * 10**6,)),
        "a wide text": Reply((wide,)),
        "100 MB": Reply([b" " * 10**6] * 100),
        "crumbs": Reply(raw=chunked + b"1\r\n \r\n" * 500_000, then=hang),
        "heads without an end": Reply(raw=OK + b"X-A: b\r\n" * 500_000, then=hang),
        "one head without an end": Reply(raw=OK + b"X-A: " + b"b" * 4 * 10**6, then=hang),
        "patience without an end": Reply(raw=b"HTTP/1.1 100 Continue\r\n\r\n" * 100_000, then=hang),
    }  # fmt: skip


def ask_for_help(screen: Terminal, process: psutil.Process) -> float:
    """Press a key; seconds that the program worked until its help was drawn, however busy the machine is."""
    before = process.cpu_times()
    screen.press("?")
    screen.wait_for("First steps")
    after = process.cpu_times()
    screen.press("escape")
    screen.wait_without("First steps")
    return after.user + after.system - before.user - before.system


def peak_bytes(process: psutil.Process) -> int:
    """The most memory that a process had so far."""
    with open(f"/proc/{process.pid}/status") as status:  # noqa: PTH123
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
@pytest.mark.slow
async def test_no_answer_takes_the_memory_or_the_screen(tmp_path: Path) -> None:
    fake = FakeOllama({"well:1b": "a" * 64})
    hostile: list[Reply] = []

    async def handle(request: Request) -> Reply:
        return hostile[-1] if hostile and request.path == "/api/tags" else await fake(request)

    worked_s: dict[str, float] = {}
    async with serving(handle) as server:
        with Program(tmp_path).in_terminal("--host", server.url, columns=100) as screen:
            process = psutil.Process(screen.pid)
            await asyncio.to_thread(screen.wait_for, "well:1b")
            usual_s = await asyncio.to_thread(ask_for_help, screen, process)
            before = process.memory_info().rss
            for name, reply in answers().items():
                hostile.append(reply)
                asked = server.asked.count("GET /api/tags")
                screen.press("r")
                await wait_until(lambda: server.asked.count("GET /api/tags") > asked)  # noqa: B023
                worked_s[name] = await asyncio.to_thread(ask_for_help, screen, process)
            hostile.clear()
            screen.press("r")
            await asyncio.to_thread(screen.wait_for, "well:1b")
            grown = peak_bytes(process) - before
    assert max(worked_s.values()) < MOST_S + usual_s, worked_s
    assert grown < MOST_BYTES, grown
