"""A check for updates of many models."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import HostKind
from llmstack_tui.hosts.errors import Unreachable
from llmstack_tui.updates.checker import Checker
from tests.bench.figures import Figure
from tests.support.registry.server import serving
from tests.updates.hosts import HOST, model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.hosts.types import ModelDetails

RUNS = 5
MODELS = 200
ROUND_TRIP_S = 0.02


def figures() -> Iterator[Figure]:
    """The registry answers in this process, too, which takes its part of the time."""
    with serving() as server:
        server.delay_s = ROUND_TRIP_S
        digests = {
            server.listed(f"m{number}"): server.publish(f"m{number}", b"weights").digest
            for number in range(MODELS)
        }
        cloud = {server.listed(f"c{number}"): "c" * 64 for number in range(20)}
        taken = statistics.median(asyncio.run(_seconds(digests, cloud)) for _ in range(RUNS))
        yield Figure(
            f"{MODELS} models checked at {ROUND_TRIP_S * 1000:.0f} ms round trip", taken, unit="s", budget=0.5
        )
        yield Figure("requests at once", server.at_once, unit="", budget=16)
        yield Figure("requests per check", len(server.asked) / RUNS, unit="", budget=MODELS)


async def _seconds(digests: dict[str, str], cloud: dict[str, str]) -> float:
    async def nobody(host: str, name: str) -> ModelDetails:
        raise Unreachable("quoted", text=f"{name} is on no host.", host=host)

    checker = Checker(show=nobody)
    try:
        installed = [model(name, digest) for name, digest in digests.items()]
        installed += [model(name, digest, remote_host="elsewhere") for name, digest in cloud.items()]
        checker.look(HOST, tuple(installed), HostKind.OLLAMA)
        start = time.perf_counter()
        await checker.check()
        return time.perf_counter() - start
    finally:
        await checker.aclose()
