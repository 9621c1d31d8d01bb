"""Many servers at once: what the dashboard costs while nobody touches it, and how soon it follows a key."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import threading
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from tests.bench.dashboard import percent_of_a_core, press_times
from tests.bench.figures import Figure, user_environment
from tests.support.fake_servers import FakeRouter, FakeServer, FakeStudio, FakeSwap, FakeVLLM
from tests.support.scripted_server import serving
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

MODELS = 100
PROGRAMS = (FakeRouter, FakeRouter, FakeRouter, FakeSwap, FakeSwap, FakeStudio, FakeStudio, FakeStudio)


def figures() -> Iterator[Figure]:
    urls: list[str] = []
    ready, over = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(urls, ready, over)))
    thread.start()
    ready.wait()
    try:
        with tempfile.TemporaryDirectory() as home:
            environment = user_environment(HOME=home, LLMSTACK_HOSTS=",".join(urls))
            with Terminal((sys.executable, "-m", "llmstack_tui"), environment) as terminal:
                terminal.wait_for("10 active")
                name = f"idle CPU, {len(urls)} hosts of {MODELS} models"
                yield Figure(f"{name}, at first", percent_of_a_core(terminal), "% of a core")
                yield Figure(name, percent_of_a_core(terminal), "% of a core")
                times = sorted(press_times(terminal))
                slow = times[int(len(times) * 0.95)] * 1000
                yield Figure(f"key press → painted, p95, {len(urls)} hosts", slow, "ms", 30)
                terminal.press("q")
    finally:
        over.set()
        thread.join()


async def _serve(urls: list[str], ready: threading.Event, over: threading.Event) -> None:
    async with AsyncExitStack() as all_of_them:
        for number, program in enumerate(PROGRAMS):
            names = [f"org-{number}/model-{each:03}" for each in range(MODELS)]
            fake: FakeServer = program(names, loaded=[names[0]])
            urls.append((await all_of_them.enter_async_context(serving(fake))).url)
        for number in range(2):
            fake = FakeVLLM([f"v-{number}/model"])
            urls.append((await all_of_them.enter_async_context(serving(fake))).url)
        ready.set()
        await asyncio.to_thread(over.wait)
