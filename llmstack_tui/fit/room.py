"""The room that a machine has for models, from its profile and a reading of it."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from llmstack_tui.fit.verdict import Room
from llmstack_tui.gguf.repacking import repacked_types
from llmstack_tui.hardware.profile import ram_budget
from llmstack_tui.hardware.readings import CARDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.hardware.readings import Device, MachineReading


def room_of(profile: Profile, reading: MachineReading, taken: int = 0, *, allowed: int | None = None) -> Room:
    """The room for models.

    Args:
        taken: bytes that the loaded models take.
        allowed: bytes that the user allows all models together; None is no limit but the machine's.
    """
    if not _has_cards(profile):
        return Room(budget=profile.memory_budget, taken=taken, free=_free([reading.ram]), allowed=allowed)
    cards = [
        device
        for device in reading.devices
        if device.kind in CARDS
        and profile.name.startswith(device.kind.value)
        and not (device.shared or device.lost or device.parent)
    ]
    return Room(
        budget=profile.memory_budget,
        taken=taken,
        # The card chosen in the settings may be absent.
        free=_free(cards) if cards else None,
        overflow=ram_budget(reading.ram) or 0,
        allowed=allowed,
    )


def repacked_on(profile: Profile) -> frozenset[str]:
    """The types of weights that are rearranged for this machine's CPU; none if a card computes."""
    return repacked_types(platform.machine()) if profile.memory_word == "RAM" else frozenset()


def _has_cards(profile: Profile) -> bool:
    return profile.memory_word == "VRAM"


def _free(devices: Iterable[Device]) -> int | None:
    free = 0
    for device in devices:
        if device.free is not None:
            free += device.free
        elif device.total is not None and device.used is not None:
            free += device.total - device.used
        else:
            return None
    return free
