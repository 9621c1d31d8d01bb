"""Every command where the state cannot be kept: what needs no record is done, the rest fails and says why."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.cli.main import COMMANDS
from tests.cli.calls import RECORDS, calls, server
from tests.support.program import COMMAND
from tests.support.scripted_server import serving
from tests.support.small_disk import may_mount

if TYPE_CHECKING:
    from tests.support.program import Program

# These fail on a machine without an engine, Ollama or a folder of its own, or with a single server.
_FAIL_ANYWAY = frozenset({"engine status", "service", "install", "copy"})
_READ_ONLY = 'mount -t tmpfs none "$HOME" && mount -o remount,ro none "$HOME" && exec "$@"'
_SMALL = 'mount -t tmpfs -o size=400k none "$HOME" && '
_FILLED = 'dd if=/dev/zero of="$HOME/full" bs=1k 2>/dev/null; exec "$@"'
# The first run makes the state file.
_FULL = f'{_SMALL} "$@" >/dev/null 2>&1; {_FILLED}'


def test_the_walk_has_all_commands() -> None:
    assert {name.split()[0] for name in calls(Path(), "")} == {each.name for each in COMMANDS}


async def test_a_file_in_the_place_of_its_folder(llmstack: Program, tiny_model: Path) -> None:
    share = llmstack.home / ".local" / "share"
    share.mkdir(parents=True)
    (share / "llmstack").touch()
    async with serving(server()) as at:
        for name, words in calls(tiny_model, at.url).items():
            done = await asyncio.to_thread(llmstack, *words, timeout_s=30)
            said = done.stderr.splitlines()
            if name in RECORDS:
                assert (done.returncode, done.stdout, len(said)) == (1, "", 1), (name, done)
                assert said[0].endswith(f"{share / 'llmstack'}: File exists."), name
            elif name not in _FAIL_ANYWAY | {"disk", "doctor", "keys"}:
                assert done.returncode == 0, (name, done)
                assert len([line for line in said if "will be remembered" in line]) <= 1, name
    assert (share / "llmstack").read_bytes() == b""


@pytest.mark.skipif(sys.platform == "win32" or not may_mount(), reason="nothing may be mounted here")
@pytest.mark.parametrize("disk", [_READ_ONLY, _FULL], ids=["read-only", "full"])
@pytest.mark.parametrize("name", ["start", "pull", "pin", "guard idle"])
async def test_a_disk_that_takes_nothing(llmstack: Program, tiny_model: Path, disk: str, name: str) -> None:
    async with serving(server()) as at:
        words = calls(tiny_model, at.url)[name]
        inside = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", disk, "sh", *COMMAND)
        done = await asyncio.create_subprocess_exec(
            *inside,
            *words,
            env=llmstack.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(30):
            out, error = (each.decode() for each in await done.communicate())
    reason = "Read-only file system" if disk is _READ_ONLY else "The disk is full"
    assert (reason in error, len(error.splitlines())) == (True, 1), error
    assert (done.returncode, bool(out)) == ((1, False) if name in RECORDS else (0, True)), (out, error)


async def test_a_guard_guards_and_says_at_once_that_nothing_is_kept(llmstack: Program) -> None:
    share = llmstack.home / ".local" / "share"
    share.mkdir(parents=True)
    (share / "llmstack").touch()
    async with serving(server()) as at:
        process = llmstack.start("guard", "run", "--host", at.url)
        try:
            assert process.stderr is not None
            said = [await asyncio.to_thread(process.stderr.readline) for _ in range(2)]
            assert "will be remembered" in said[0]
            assert said[1].startswith(f"llmstack: Guarding {at.url}")
            process.terminate()
            out, error = await asyncio.to_thread(process.communicate, timeout=10)
            assert (process.returncode, out, error) == (0, "", "")
        finally:
            process.kill()


@pytest.mark.skipif(sys.platform == "win32" or not may_mount(), reason="nothing may be mounted here")
async def test_an_engine_that_nobody_could_find_says_why(llmstack: Program) -> None:
    inside = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _SMALL + _FILLED, "sh")
    done = await asyncio.create_subprocess_exec(
        *(*inside, *COMMAND),
        *("engine", "start", "--port", "0"),
        env=llmstack.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        _, error = await done.communicate()
    assert done.returncode == 1
    assert b"cannot be used: No space left on device." in error
