"""The dashboard while it pulls twenty models at once, of each of which it hears as often as Ollama tells."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.store.store import Store
from tests.bench.figures import Figure, user_environment
from tests.bench.storm import busy_figures
from tests.support.many_pulls import model_name
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

MODELS = 1_000
PULLS = 20


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as home, serving() as url:
        folder = Path(home)
        environment = user_environment(
            HOME=home,
            OLLAMA_HOST=url,
            LLMSTACK_UPDATES_PARALLEL=str(PULLS),
            LLMSTACK_UPDATES_CHECK_EVERY="off",
        )
        state = folder / ".local/share/llmstack/state.db"
        state.parent.mkdir(parents=True)
        asyncio.run(ask(state, url))
        for screen, key in (("the models", "1"), ("the downloads", "2")):
            report = folder / "steps.json"
            command = (sys.executable, "-m", "tests.bench.watched_app", str(report))
            with Terminal(command, environment) as terminal:
                terminal.wait_for("m0003")
                terminal.press(key)
                terminal.pump(3)
                what = f"{MODELS} models, {PULLS} pulls at once, {screen} shown"
                yield from busy_figures(terminal, report, what)


async def ask(state: Path, url: str) -> None:
    """Leave pulls in the queue for the next dashboard."""
    async with await Store.open(state) as store:
        for number in range(PULLS):
            name = model_name(number)
            await store.downloads.add(
                host=url, model=name, key=name, asked=name, why="update", asked_at=datetime.now(UTC)
            )


@contextmanager
def serving() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.support.many_pulls", str(MODELS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
