"""Refuses a load that this machine has no memory for, before it takes the memory of everything else."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from llmstack_tui.engine.errors import MemoryShort
from llmstack_tui.fit.memory import Request, estimate
from llmstack_tui.fit.metadata import subject_of_header
from llmstack_tui.gguf.repacking import repacked_types
from llmstack_tui.hardware.readings import CARDS

if TYPE_CHECKING:
    from llmstack_tui.engine.runners.messages import RunnerConfig
    from llmstack_tui.gguf.header import Header
    from llmstack_tui.hardware.readings import MachineReading

# Estimates are up to a tenth too high, and what might fit is tried.
_CERTAIN = 0.9


def check_room(config: RunnerConfig, header: Header, reading: MachineReading, held: int) -> None:
    """Refuse a load that does not fit even when all other models have left.

    Args:
        held: bytes of memory that the engine's models take now.

    Raises:
        MemoryShort: with the figures.
    """
    subject = subject_of_header(header, repacked_types(platform.machine()))
    request = Request(
        context_length=config.context_length,
        parallel=config.parallel,
        cache_type=config.cache_type,
        batch=config.batch,
    )
    found = estimate(subject.weights, subject.shape, request)
    room = _room(reading, held)
    if found is not None and room is not None and _CERTAIN * found.total > room:
        raise MemoryShort(found.total, room, config.context_length)


def _room(reading: MachineReading, held: int) -> int | None:
    """Bytes in main memory, swap and on graphics cards that models could have; None is unknown."""
    if reading.ram.free is None:
        return None
    cards = sum(device.free or 0 for device in reading.devices if device.kind in CARDS)
    return reading.ram.free + (reading.swap.free if reading.swap else 0) + cards + held
