"""Ctrl-C and SIGTERM end every command soon, whatever it waits for."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.cli.interruption import GRACE_S
from tests.cli.calls import calls
from tests.support.scripted_server import serving
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.program import Program
    from tests.support.scripted_server import Reply, Request

if sys.platform == "win32":
    pytest.skip("needs signals", allow_module_level=True)

# More than the grace: the machine may have other things to do.
_SOON_S = GRACE_S + 8
# These ask no server.
_ALONE = frozenset(
    {
        "catalog",
        "chats",
        "completion",
        "disk",
        "config",
        "engine status",
        "engine stop",
        "guide",
        "history",
        "guard others",
        "install",
        "keys",
        "mcp",
        "providers",
        "prompts",
        "service",
        "variables",
    }
)

_STUCK = """
import asyncio, sys, threading
from llmstack_tui.cli.interruption import run
async def work():
    print("here", flush=True)
    await {}
sys.exit(run(work()))
"""
_THREAD = _STUCK.format("asyncio.to_thread(threading.Event().wait)")
_LOOP = _STUCK.format("asyncio.sleep(0, threading.Event().wait())")
_SHELL = _STUCK.format("asyncio.shield(asyncio.to_thread(threading.Event().wait))")


async def hanging(_: Request) -> Reply:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_every_command_at_a_server_that_does_not_answer(
    llmstack: Program, tiny_model: Path, number: signal.Signals
) -> None:
    async with serving(hanging) as at:
        for name, words in calls(tiny_model, at.url).items():
            # Both go the same way: a few tell whether SIGTERM goes it.
            if name in _ALONE or (number is signal.SIGTERM and name not in ("ls", "pull", "chat")):
                continue
            at.requests.clear()
            process = llmstack.start(*words)
            await wait_until(lambda: at.requests, 30, f"{name} asks")
            process.send_signal(number)
            out, error = await asyncio.to_thread(process.communicate, timeout=_SOON_S)
            assert (process.returncode, out, error) == (128 + number, "", ""), name


@pytest.mark.parametrize("code", [_THREAD, _LOOP, _SHELL], ids=["thread", "loop", "shield"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_cannot_be_cancelled_ends_after_the_grace(code: str, number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        began_s = time.monotonic()
        process.send_signal(number)
        assert process.wait(_SOON_S) == 128 + number
        assert time.monotonic() - began_s > GRACE_S / 2


def test_a_second_signal_does_not_wait() -> None:
    with subprocess.Popen([sys.executable, "-c", _THREAD], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        began_s = time.monotonic()
        while process.poll() is None and time.monotonic() - began_s < _SOON_S:
            process.send_signal(signal.SIGINT)
        assert process.wait(_SOON_S) == 130
        assert time.monotonic() - began_s < GRACE_S


async def test_a_pull_whose_state_cannot_be_kept(llmstack: Program) -> None:
    share = llmstack.home / ".local" / "share"
    share.mkdir(parents=True)
    (share / "llmstack").touch()
    async with serving(hanging) as at:
        process = llmstack.start("pull", "127.0.0.1:1/a/b:1", "--host", at.url)
        await wait_until(lambda: at.requests, 30, "it asks")
        process.send_signal(signal.SIGINT)
        _, error = await asyncio.to_thread(process.communicate, timeout=_SOON_S)
        assert process.returncode == 130
        assert "Traceback" not in error
