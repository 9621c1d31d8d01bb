"""What it costs to read the machine once a second."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.hardware.machine import Machine
from llmstack_tui.hardware.service import MachineService
from tests.bench.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.hardware.readings import MachineReading

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
    devices = 0

    def count(reading: MachineReading, _: object) -> None:
        nonlocal devices
        devices = len(reading.devices)
        started.append(time.process_time())
        if len(started) > _READINGS:
            enough.set()

    machine = Machine(Path.home())
    service = MachineService(on_reading=count, on_notice=print, machine=machine, every_s=_EVERY_S)
    task = asyncio.create_task(service.run())
    await enough.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return started[_READINGS] - started[0], devices
