"""A limit for all downloads together."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from typing import TYPE_CHECKING

from msgspec.structs import replace

from llmstack_tui.ollama.client import OllamaHost
from llmstack_tui.registry.download.pace import Pace
from tests.registry.download.pulling import PART, QUICK, WEIGHTS, pulled, pulls_into
from tests.support.engine_process import engine_process

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.registry import Registry


async def test_two_pulls_share_it(registry: Registry, tmp_path: Path) -> None:
    for name in ("one", "two"):
        registry.publish(name, WEIGHTS + name.encode())
    limited = replace(QUICK, pace=Pace(10 * PART))
    async with pulls_into(tmp_path, options=limited) as pulls:
        began_s = time.monotonic()
        await asyncio.gather(*(pulled(pulls, registry.name(name)) for name in ("one", "two")))
        # Each is as much as a second may take.
        assert time.monotonic() - began_s >= 1.9


async def test_a_pull_that_waits_can_be_left(registry: Registry, tmp_path: Path) -> None:
    registry.publish("slow", WEIGHTS)
    async with pulls_into(tmp_path, options=replace(QUICK, pace=Pace(PART))) as pulls:
        steps = await pulled(pulls, registry.name("slow"), until=lambda step: step.completed >= PART)
        assert PART <= steps[-1].completed < steps[-1].total == len(WEIGHTS)


async def test_the_engine_keeps_to_the_setting(registry: Registry, tiny_model: Path, tmp_path: Path) -> None:
    version = registry.publish("kept", tiny_model)
    with engine_process(tmp_path, LLMSTACK_UPDATES_LIMIT=f"{version.size}B/s") as url:
        host = OllamaHost(url)
        began_s = time.monotonic()
        async with aclosing(host.pull(registry.name("kept"))) as steps:
            async for _ in steps:
                pass
        assert time.monotonic() - began_s >= 0.9
        await host.aclose()
