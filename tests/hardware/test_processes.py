"""Processor time of real processes that name a blob."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from llmstack_tui.hardware.processes import ModelProcesses
from tests.support.waiting import wait_until_sync

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
        first = processes.used(asked)
        assert set(first) == {BUSY, IDLE}
        wait_until_sync(
            lambda: processes.used(asked)[BUSY].processor_s > first[BUSY].processor_s + 0.2, 30, "it works"
        )
        assert processes.used(asked)[IDLE].processor_s - first[IDLE].processor_s < 0.1
    assert processes.used(asked) == {}, "they have ended"


def test_what_a_process_holds_is_told_by_its_id_too() -> None:
    processes = ModelProcesses()
    with runner(IDLE, "idle") as process:
        of_file, of_id = processes.used([IDLE])[IDLE], processes.used([process.pid])[process.pid]
        assert of_file.pid == of_id.pid == process.pid
        assert 1_000_000 < of_id.resident < 1_000_000_000
        assert 0 <= of_id.mapped <= of_id.resident
    assert processes.used([process.pid]) == {}, "it has ended"
    assert processes.used([0, 2**40]) == {} or set(processes.used([0, 2**40])) == {0}, (
        "there is no such process"
    )


def test_a_process_that_comes_later_is_found_and_not_sought_all_the_time() -> None:
    now = 0.0
    processes = ModelProcesses(clock=lambda: now)
    assert processes.used([IDLE]) == {}
    with runner(IDLE, "idle"):
        assert processes.used([IDLE]) == {}, "it was sought a moment ago"
        now = 31.0
        assert set(processes.used([IDLE])) == {IDLE}
        assert set(processes.used([IDLE, BUSY])) == {IDLE}
    with runner(IDLE, "idle"):
        assert set(processes.used([IDLE])) == {IDLE}, "another process of the same file"
