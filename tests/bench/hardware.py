"""What it costs to read the machine once a second."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.hardware.machine import Machine
from llmstack_tui.hardware.service import Sampler
from tests.bench.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

_READINGS = 20
_EVERY_S = 0.25


def figures() -> Iterator[Figure]:
    cpu_s, devices = asyncio.run(_sample())
    percent = 100 * cpu_s / _READINGS
    note = f"{1000 * cpu_s / _READINGS:.2f} ms of CPU a reading, thread and loop included; {devices} cards"
    yield Figure("sampling once a second, of a core", percent, "%", budget=0.3, note=note)


async def _sample() -> tuple[float, int]:
    """CPU seconds of ``_READINGS`` readings, after a first one which opens the drivers; the cards found."""
    enough = asyncio.Event()
    started: list[float] = []

    def count(_reading: object) -> None:
        started.append(time.process_time())
        if len(started) > _READINGS:
            enough.set()

    sampler = Sampler(Machine(Path.home()), on_reading=count, every_s=_EVERY_S)
    task = asyncio.create_task(sampler.run())
    await enough.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return started[_READINGS] - started[0], len(sampler.reading.devices) if sampler.reading else 0
