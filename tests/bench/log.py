"""The screen of the log while a server writes more than anybody could read.

``python -m tests.bench.log FILE`` is that server.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.figures import Figure, user_environment
from tests.bench.storm import step_figure
from tests.support.terminal import Terminal
from tests.tui.managed import LOG

if TYPE_CHECKING:
    from collections.abc import Iterator

A_SECOND = 10_000
RUN_S = 5.0
_BEAT_S = 0.02
_LAST = "the last line of all"


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log, report = folder / "server.log", folder / "steps.json"
        log.touch()
        watched = (sys.executable, "-m", "tests.bench.watched_app", str(report), "3", "0", str(log))
        with Terminal(watched, user_environment(HOME=name)) as terminal:
            terminal.wait_for("model-0001")
            terminal.press("0", "l")
            terminal.wait_for("The log is empty.")
            terminal.pump(1)
            os.kill(terminal.pid, signal.SIGUSR1)  # What counts begins here.
            began = time.monotonic()
            with subprocess.Popen([sys.executable, "-m", "tests.bench.log", str(log)]) as writer:
                while writer.poll() is None:
                    terminal.pump(0.05)
            wrote_s = time.monotonic() - began
            terminal.wait_for(_LAST)
            late_s = time.monotonic() - began - wrote_s
            terminal.press("escape", "escape", "q")
            terminal.wait_exit()
        what = f"{A_SECOND} lines a second for {RUN_S:g} s in the log screen"
        yield Figure("last line written → shown", late_s, "s", 1.0, note=what)
        yield step_figure(report, what)


def write(log: Path) -> None:
    """Write the lines of a real Ollama's log, again and again, evenly over the time."""
    lines = cycle(LOG.read_text().splitlines(keepends=True))
    begin, written = time.monotonic(), 0
    with log.open("a") as file:
        while (passed_s := time.monotonic() - begin) < RUN_S:
            due = int(passed_s * A_SECOND) - written
            file.writelines(islice(lines, due))
            file.flush()
            written += due
            time.sleep(_BEAT_S)
        file.writelines(islice(lines, int(RUN_S * A_SECOND) - written))
        file.write(f'level=INFO msg="{_LAST}"\n')


if __name__ == "__main__":
    write(Path(sys.argv[1]))
