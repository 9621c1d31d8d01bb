"""The dashboard from outside: what a person waits for, and what it costs while nobody touches it."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil

from tests.bench.figures import Figure, user_environment
from tests.support.engine_process import engine_process
from tests.support.gguf import models
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

RUNS = 5
IDLE_S = 20.0
INSTALLED = 300
PRESSES = 40


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from exec to the first paint and to the list."""

    paint_s: float
    list_s: float | None


def started(command: Sequence[str], environment: Mapping[str, str], expected: str | None) -> Start:
    begin = time.perf_counter()
    with Terminal(command, environment) as terminal:
        paint = shown = None
        while paint is None or (expected and shown is None):
            if time.perf_counter() - begin > 30:
                raise TimeoutError(terminal.text)
            terminal.pump(0.002)
            now = terminal.heard_at_s - begin
            if paint is None and len(terminal.text.split()) > 10:
                paint = now
            if expected and shown is None and expected in terminal.text:
                shown = now
        terminal.press("q" if expected else "ctrl+q")
    return Start(paint, shown)


def tree(pid: int) -> list[psutil.Process]:
    """The program itself; the engine and its models are other programs."""
    return [psutil.Process(pid)]


def proportional_bytes(pid: int) -> int:
    return sum(getattr(process.memory_full_info(), "pss", process.memory_info().rss) for process in tree(pid))


def cpu_seconds(pid: int) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in tree(pid))


def figures() -> Iterator[Figure]:
    minimal = (sys.executable, str(Path(__file__).parent / "minimal_app.py"))
    dashboard = (sys.executable, "-m", "llmstack_tui")
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        url = opened.enter_context(engine_process(folder))
        install(url, folder)
        environment = user_environment(HOME=str(folder), OLLAMA_HOST=url)
        starts: dict[str, list[Start]] = {"minimal": [], "ours": []}
        for _ in range(RUNS):
            starts["minimal"].append(started(minimal, environment, None))
            starts["ours"].append(started(dashboard, environment, "bench-0"))
        yield from start_figures(starts)
        yield from standing_figures(minimal, dashboard, environment)


def install(url: str, folder: Path) -> None:
    """``INSTALLED`` models, and one of them active: the one that was added last and so is listed first.

    It is of another size than the others: those that could share its process are asked about.
    """
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as http:
        for number in reversed(range(INSTALLED)):
            file = folder / "model.gguf"
            path = models.random_weights(file, seed=number) if number else models.scripted(file)
            http.post("/api/import", json={"model": f"bench-{number}", "path": str(path)}).raise_for_status()
            path.unlink()
        http.post("/api/generate", json={"model": "bench-0", "keep_alive": -1}).raise_for_status()


def start_figures(starts: dict[str, list[Start]]) -> Iterator[Figure]:
    base = statistics.median(start.paint_s for start in starts["minimal"])
    paint = statistics.median(start.paint_s for start in starts["ours"])
    shown = statistics.median(start.list_s or 0 for start in starts["ours"])
    yield Figure(
        "exec → first paint / minimal app's", paint / base, budget=1.3, note=f"{paint:.2f} s / {base:.2f} s"
    )
    yield Figure(
        "exec → model list shown / minimal app's",
        shown / base,
        budget=2.2,
        note=f"{shown:.2f} s / {base:.2f} s",
    )


def standing_figures(
    minimal: Sequence[str], dashboard: Sequence[str], environment: Mapping[str, str]
) -> Iterator[Figure]:
    with Terminal(minimal, environment) as terminal:
        terminal.wait_for("first paint")
        terminal.pump(2)
        base = proportional_bytes(terminal.pid)
        terminal.press("ctrl+q")
    with Terminal(dashboard, environment) as terminal:
        terminal.wait_for("● bench-0")
        terminal.pump(3)
        ours = proportional_bytes(terminal.pid)
        yield Figure(
            "memory (PSS) with the list shown / minimal app's",
            ours / base,
            budget=1.9,
            note=f"{ours / 1e6:.0f} MB / {base / 1e6:.0f} MB",
        )
        name = f"idle CPU, one active of {INSTALLED} models"
        # What comes to rest only then: models are weighed, settings followed, registries asked.
        yield Figure(f"{name}, at first", percent_of_a_core(terminal), "% of a core")
        yield Figure(name, percent_of_a_core(terminal), "% of a core", 1.3)
        times = sorted(press_times(terminal))
        yield Figure(
            "key press → painted, p95",
            times[int(len(times) * 0.95)] * 1000,
            "ms",
            30,
            note=f"{INSTALLED} models",
        )
        terminal.press("q")


def percent_of_a_core(terminal: Terminal) -> float:
    """Over the next ``IDLE_S`` seconds."""
    cpu, begin = cpu_seconds(terminal.pid), time.monotonic()
    terminal.pump(IDLE_S)
    return 100 * (cpu_seconds(terminal.pid) - cpu) / (time.monotonic() - begin)


def press_times(terminal: Terminal) -> Iterator[float]:
    """Seconds from a key press to the first byte that it draws."""
    for number in range(PRESSES):
        terminal.pump(0.15)
        before, begin = terminal.received, time.perf_counter()
        terminal.type("k" if number % 2 else "j")
        while terminal.received == before and time.perf_counter() - begin < 2:
            terminal.pump(0.001)
        yield time.perf_counter() - begin
