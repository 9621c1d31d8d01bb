"""Graphics cards as Linux lists them on the PCI bus, which asks no driver and wakes nothing up.

Files of ``/sys/bus/pci/devices/SLOT``, by the kernel's documentation of sysfs (sysfs-bus-pci and
sysfs-devices-power): ``vendor``, ``class``, ``driver`` and ``power/runtime_status``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from llmstack_tui.hardware.readings import text

if TYPE_CHECKING:
    from pathlib import Path

NVIDIA, AMD = "0x10de", "0x1002"
# Display controllers: 0x0300 with a screen, 0x0302 without, 0x0380 others.
_DISPLAY = "0x03"


class PciCard(NamedTuple):
    """A card in a slot such as ``0000:01:00.0``; ``driver`` is empty if none has taken it."""

    slot: str
    vendor: str
    driver: str
    is_suspended: bool


def cards(root: Path, *vendors: str) -> tuple[PciCard, ...]:
    """The graphics cards of these vendors; none where there is no such bus.

    Args:
        root: the folder that contains ``sys``.
    """
    try:
        slots = sorted((root / "sys/bus/pci/devices").iterdir())
    except OSError:
        return ()
    found = ((slot, text(slot / "vendor").strip()) for slot in slots)
    return tuple(
        PciCard(slot.name, vendor, _driver(slot), text(slot / "power/runtime_status").strip() == "suspended")
        for slot, vendor in found
        if vendor in vendors and text(slot / "class").startswith(_DISPLAY)
    )


def _driver(slot: Path) -> str:
    try:
        return (slot / "driver").readlink().name
    except OSError:
        return ""
