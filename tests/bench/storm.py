"""The screen under load: many models, and more changes than anybody could read."""

from __future__ import annotations

import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.dashboard import cpu_seconds, install, press_times
from tests.bench.figures import Figure, user_environment
from tests.support.engine_process import engine_process
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MODELS = 1_000
STORM = 1_000
RUN_S = 5.0


def figures() -> Iterator[Figure]:
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        environment = user_environment(HOME=str(folder))
        yield from pressed(folder, environment, 0)
        yield from pressed(folder, environment, STORM)
        url = opened.enter_context(engine_process(folder))
        install(url, folder)
        yield from longest_step(folder, environment | {"OLLAMA_HOST": url})


def pressed(folder: Path, environment: Mapping[str, str], storm: int) -> Iterator[Figure]:
    report = folder / "steps.json"
    what = f"{MODELS} models" + (f", {storm} changes a second" if storm else "")
    command = (sys.executable, "-m", "tests.bench.watched_app", str(report), str(MODELS), str(storm))
    with Terminal(command, environment) as terminal:
        terminal.wait_for("model-0003")
        terminal.pump(2)
        yield from busy_figures(terminal, report, what)


def busy_figures(terminal: Terminal, report: Path, what: str) -> Iterator[Figure]:
    """Of a watched program that has something to do; it is ended."""
    cpu = cpu_seconds(terminal.pid)
    terminal.pump(RUN_S)
    cpu = (cpu_seconds(terminal.pid) - cpu) / RUN_S
    times = sorted(press_times(terminal))
    terminal.press("q")
    terminal.wait_exit()
    p95 = times[int(len(times) * 0.95)] * 1000
    yield Figure("key press → painted, p95", p95, "ms", 30, note=what)
    yield Figure("CPU", cpu * 100, "% of a core", note=what)
    yield step_figure(report, what)


def longest_step(folder: Path, environment: Mapping[str, str]) -> Iterator[Figure]:
    report = folder / "steps.json"
    command = (sys.executable, "-m", "tests.bench.watched_app", str(report))
    with Terminal(command, environment) as terminal:
        terminal.wait_for("● bench-0")
        terminal.pump(RUN_S)
        terminal.press("j", "k", "enter")
        terminal.pump(2)
        terminal.press("escape", "?")
        terminal.pump(2)
        terminal.press("escape", "q")
        terminal.wait_exit()
    yield step_figure(report, "the program, 300 models; details and help opened")


def step_figure(report: Path, what: str) -> Figure:
    steps = json.loads(report.read_text())
    took, where = steps[0]
    for each in steps[1:]:
        where += f"\n{'':>8}then {each[0] * 1000:.0f} ms in {each[1]}"
    return Figure(
        "longest step on the event loop after the first paint", took * 1000, "ms", 20, note=f"{what}; {where}"
    )
