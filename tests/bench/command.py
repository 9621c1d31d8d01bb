"""The command line as a process."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.figures import Figure, user_environment
from tests.support.engine_process import engine_process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

RUNS = 9


def seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """Wall time of a process from its start to its end."""
    start = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, timeout=60)
    return time.perf_counter() - start


def figures() -> Iterator[Figure]:
    python = sys.executable
    with tempfile.TemporaryDirectory() as folder, engine_process(Path(folder)) as url:
        environment = user_environment(OLLAMA_HOST=url)
        commands = {
            "httpx": (python, "-c", "import httpx"),
            "ls": (python, "-m", "llmstack_tui", "ls", "--json"),
            "help": (python, "-m", "llmstack_tui", "--help"),
        }
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(RUNS):
            for name, command in commands.items():
                taken[name].append(seconds(command, environment))
    median = {name: statistics.median(times) for name, times in taken.items()}
    yield Figure(
        "llmstack ls --json / python -c 'import httpx'",
        median["ls"] / median["httpx"],
        budget=1.8,
        note=f"{median['ls'] * 1000:.0f} ms / {median['httpx'] * 1000:.0f} ms",
    )
    yield Figure(
        "llmstack --help / python -c 'import httpx'",
        median["help"] / median["httpx"],
        budget=0.7,
        note=f"{median['help'] * 1000:.0f} ms / {median['httpx'] * 1000:.0f} ms",
    )
