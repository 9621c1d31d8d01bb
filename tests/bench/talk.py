"""The chat on the screen while a model writes 500 tokens a second, at the end of a long answer."""

from __future__ import annotations

import sys
import tempfile
import time
from typing import TYPE_CHECKING

from tests.bench.dashboard import cpu_seconds
from tests.bench.figures import Figure, user_environment
from tests.bench.talk_app import KINDS
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

_PRESSES = 20


def figures() -> Iterator[Figure]:
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as home:
            yield from _while_it_writes(kind, user_environment(HOME=home))


def _while_it_writes(kind: str, environment: dict[str, str]) -> Iterator[Figure]:
    with Terminal((sys.executable, "-m", "tests.bench.talk_app", kind), environment) as terminal:
        terminal.wait_for("qwen2.5-coder")
        terminal.press("t")
        terminal.wait_for("Type a question")
        terminal.type("Go on")
        terminal.press("enter")
        terminal.wait_for("It writes")
        terminal.pump(6)
        begun, cpu = time.perf_counter(), cpu_seconds(terminal.pid)
        times = sorted(_press_times(terminal))
        share = (cpu_seconds(terminal.pid) - cpu) / (time.perf_counter() - begun)
        terminal.wait_for("It writes")
        terminal.press("escape", "ctrl+q")
    what = f"500 tokens/s of {kind}, after 15,000"
    yield Figure("chat: key press → shown, p95", times[int(len(times) * 0.95)] * 1000, "ms", 50, note=what)
    yield Figure("chat: CPU", share * 100, "% of a core", 60, note=what)


def _press_times(terminal: Terminal) -> Iterator[float]:
    """Seconds from a key press until its letter, which no answer has, is written to the terminal."""
    for number in range(_PRESSES):
        terminal.heard("", 0.1)
        letter = "þđŋħłßøæ"[number % 8]
        begin = time.perf_counter()
        terminal.type(letter)
        if not terminal.heard(letter, 2):
            raise RuntimeError("A key press was not shown within 2 s.")
        yield time.perf_counter() - begin
