"""Several programs on one file, and programs that are killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.store.database.opening import Mode
from llmstack_tui.store.store import Store
from tests.store.samples import in_file, numbers
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


class Writers:
    """Programs that write, ended with the test."""

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[str]] = []

    def start(self, path: Path, tag: str, acts: int | None = None) -> subprocess.Popen[str]:
        arguments = [str(path), tag, *([] if acts is None else [str(acts)])]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.store.writer", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        return process

    def end(self) -> None:
        for process in self._started:
            process.kill()
            process.communicate()


@pytest.fixture
def writers() -> Iterator[Writers]:
    started = Writers()
    yield started
    started.end()


async def finished(process: subprocess.Popen[str]) -> str:
    """The notices that a writer ended with."""
    out, err = await asyncio.to_thread(process.communicate, timeout=60)
    assert (process.returncode, err) == (0, "")
    return out


async def test_two_programs_write_10000_acts_and_a_third_reads(path: Path, writers: Writers) -> None:
    acts = 5_000
    started = [writers.start(path, tag, acts) for tag in ("one", "two")]
    reads = 0
    async with await Store.open(path) as store:
        while any(process.poll() is None for process in started):
            await store.events.newest()
            await store.activations.active()
            reads += 1
        assert reads > 5
        assert [await finished(process) for process in started] == ["", ""]
        for tag in ("one", "two"):
            assert numbers(await store.events.newest(10**6, kinds=[tag])) == list(range(acts - 1, -1, -1))
        assert await store.activations.active() == ()
        assert store.notices == ()
    stopped = "SELECT count(*), count(DISTINCT model) FROM activations WHERE outcome = 'stopped'"
    assert in_file(path, stopped) == [(2 * acts, 2 * acts)]
    assert in_file(path, "PRAGMA integrity_check") == [("ok",)]


async def more_than(store: Store, tag: str, count: int) -> int:
    """How many events are written, or 0 while they are not more."""
    found = len(await store.events.newest(10**6, kinds=[tag]))
    return found if found > count else 0


async def test_killed_in_mid_write_the_file_is_sound(path: Path, writers: Writers) -> None:
    for kill in range(4):
        tag = f"victim{kill}"
        process = writers.start(path, tag)
        async with await Store.open(path) as store:
            seen = await wait_for(partial(more_than, store, tag, 150 * kill), 30)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        async with await Store.open(path) as store:
            assert (store.database.mode, store.notices) == (Mode.FILE, ())
            found = numbers(await store.events.newest(10**6, kinds=[tag]))
            assert len(found) >= seen
            assert found == list(range(len(found) - 1, -1, -1))
        assert in_file(path, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("damaged", [False, True])
async def test_programs_that_start_at_once_share_one_file(
    path: Path, writers: Writers, *, damaged: bool
) -> None:
    if damaged:
        path.parent.mkdir()
        path.write_bytes(b"This is no database." * 1000)
    notices = await asyncio.gather(*(finished(writers.start(path, f"w{n}", 20)) for n in range(5)))
    aside = [each.name for each in path.parent.iterdir() if "damaged" in each.name]
    assert len(aside) == (1 if damaged else 0)
    assert len([notice for notice in notices if notice]) == (1 if damaged else 0)
    assert in_file(path, "SELECT kind, count(*) FROM events GROUP BY kind") == [
        (f"w{n}", 20) for n in range(5)
    ]


_ENDS_IN_THE_MIDDLE = """
import asyncio, os, signal, sys
from pathlib import Path
from llmstack_tui.store.store import Store
from tests.support.waiting import wait_for

async def main():
    async with await Store.open(Path(sys.argv[1])) as store:
        store.screen.remember("theme", "dark")
        {end}

asyncio.run(main())
"""


@pytest.mark.parametrize(
    "end",
    [
        "raise ValueError",
        "sys.exit(3)",
        "os.kill(os.getpid(), signal.SIGINT); await asyncio.sleep(60)",
        "asyncio.current_task().cancel(); await asyncio.sleep(60)",
    ],
)
async def test_a_program_that_ends_in_the_middle_ends_and_has_written(path: Path, end: str) -> None:
    script = _ENDS_IN_THE_MIDDLE.replace("{end}", end)
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", script, str(path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "error"},
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert done.returncode != 0
    assert in_file(path, "SELECT value FROM screen") == [('"dark"',)]


def test_knowing_the_store_costs_nothing_until_it_is_opened() -> None:
    script = "import llmstack_tui.store.store, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    modules = set(done.stdout.split())
    assert "llmstack_tui.store.tables.events" in modules
    assert modules & {"sqlite3", "aiosqlite", "asyncio", "filelock", "httpx", "textual"} == set()
