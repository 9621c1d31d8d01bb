"""What the devices of a machine are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstack_tui.hardware.readings import Device

_MAKERS = {"nvidia": "NVIDIA", "amd": "AMD", "apple": "Apple"}


def device_names(devices: Sequence[Device]) -> dict[str, str]:
    """By their ids: ``GPU 0``, with the maker where there are several, and a number for each slice."""
    several = len({device.kind for device in devices}) > 1
    slices: dict[str, int] = {}
    names = {}
    for device in devices:
        name = _MAKERS.get(device.kind, "GPU") if several else "GPU"
        name += "" if device.index is None or device.kind == "apple" else f" {device.index}"
        if device.parent is not None:
            slices[device.parent] = slices.get(device.parent, 0) + 1
            name += f" slice {slices[device.parent]}"
        names[device.id] = name
    return names


def product(device: Device) -> str:
    """What its maker calls it, without the maker's name."""
    return clean(device.name, limit=40).removeprefix("NVIDIA ").removeprefix("GeForce ")
