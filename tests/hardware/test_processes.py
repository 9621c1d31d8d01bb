"""Processor time of real processes that name a blob."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from llmstack_tui.hardware.processes import ModelProcesses
from tests.waiting import wait_until_sync

if TYPE_CHECKING:
    from collections.abc import Iterator

BUSY, IDLE, NOWHERE = (letter * 64 for letter in "1ae")
WORK = "import sys, time\nprint(flush=True)\nwhile sys.argv[1] == 'busy': pass\ntime.sleep(300)"


@contextmanager
def runner(digest: str, kind: str) -> Iterator[subprocess.Popen[bytes]]:
    line = [sys.executable, "-c", WORK, kind, "--model", f"/models/blobs/sha256-{digest}"]
    with subprocess.Popen(line, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield process
        finally:
            process.kill()


def test_a_process_that_works_uses_time_and_one_that_waits_does_not() -> None:
    processes = ModelProcesses()
    asked = (BUSY, IDLE, NOWHERE)
    with runner(BUSY, "busy"), runner(IDLE, "idle"):
        first = processes.processor_s(asked)
        assert set(first) == {BUSY, IDLE}
        wait_until_sync(lambda: processes.processor_s(asked)[BUSY] > first[BUSY] + 0.2, 30, "it works")
        assert processes.processor_s(asked)[IDLE] - first[IDLE] < 0.1
    assert processes.processor_s(asked) == {}, "they have ended"


def test_a_process_that_comes_later_is_found_and_not_sought_all_the_time() -> None:
    now = 0.0
    processes = ModelProcesses(clock=lambda: now)
    assert processes.processor_s([IDLE]) == {}
    with runner(IDLE, "idle"):
        assert processes.processor_s([IDLE]) == {}, "it was sought a moment ago"
        now = 31.0
        assert set(processes.processor_s([IDLE])) == {IDLE}
        assert set(processes.processor_s([IDLE, BUSY])) == {IDLE}
    with runner(IDLE, "idle"):
        assert set(processes.processor_s([IDLE])) == {IDLE}, "another process of the same file"
