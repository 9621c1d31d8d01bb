"""Readings of the machine as frozen values, and functions that read figures from untrusted text.

Sizes are bytes, temperatures °C, power watts, ``…percent`` 0 to 100, times monotonic seconds. ``None`` is
"not known", never zero.
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.languages import later

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from llmstack_tui.base.sentences import Sentence


class DeviceKind(StrEnum):
    """The vendor of a device; ``RAM`` is the main memory."""

    NVIDIA = "nvidia"
    APPLE = "apple"
    AMD = "amd"
    RAM = "ram"


CARDS = (DeviceKind.NVIDIA, DeviceKind.AMD)
"""Vendors whose devices may have memory of their own."""


class Throttle(StrEnum):
    """Why a card runs slower than it could."""

    HEAT = later("heat")
    POWER_LIMIT = later("power limit")
    POWER_SUPPLY = later("power supply")
    HARDWARE = later("hardware protection")


class Pressure(StrEnum):
    """How short of memory the system is, in the levels of macOS."""

    NORMAL = "normal"
    WARNING = "warning"
    CRITICAL = "critical"


class Space(Struct, frozen=True):
    """The size of the main memory, the swap or a disk, and how much of it is used."""

    total: int
    used: int

    @property
    def free(self) -> int:
        return max(self.total - self.used, 0)

    @property
    def percent(self) -> float:
        return _percent(self.used, self.total) or 0.0


class Device(Struct, frozen=True, kw_only=True):
    """A graphics card, a slice of one (MIG), or the main memory.

    Attributes:
        id: a card's UUID or slot, or "ram"; does not change while the machine runs.
        index: the device's number in the vendor's own tools; a slice has its card's.
        used: by all programs. ``used`` and ``free`` may be less than ``total``: drivers keep some memory.
        free: the memory that a program could still get.
        shared: its memory is a part of the main memory.
        throttles: why it runs slower than it could; empty if it does not.
        processes: bytes by process id, None for a process that uses an unknown amount. In a container, the
            ids are the host's.
        cuda: the newest version of CUDA that the driver supports.
        parent: the ``id`` of a slice's card.
        lost: it no longer answers. It keeps its name; its figures are unknown.
        asleep: the system has suspended it, and to ask it would wake it up; only ``total`` may be known.
        taken_at: when its figures were read, if not at the reading's time.
    """

    kind: DeviceKind
    id: str
    name: str
    index: int | None = None
    total: int | None = None
    used: int | None = None
    free: int | None = None
    shared: bool = False
    utilization_percent: float | None = None
    temperature: float | None = None
    power: float | None = None
    power_limit: float | None = None
    throttles: tuple[Throttle, ...] | None = None
    processes: Mapping[int, int | None] | None = None
    driver: str | None = None
    cuda: str | None = None
    parent: str | None = None
    lost: bool = False
    asleep: bool = False
    taken_at: float | None = None

    @property
    def percent(self) -> float | None:
        """The used share of the memory."""
        return _percent(self.used, self.total)

    @property
    def memory_word(self) -> str:
        """What its memory is called, "VRAM", "unified memory" or "RAM"; translated where it is shown."""
        if self.kind is DeviceKind.RAM:
            return later("RAM")
        return later("unified memory") if self.shared else later("VRAM")


class MachineReading(Struct, frozen=True, kw_only=True):
    """The whole machine at one moment.

    Attributes:
        taken_at: when the figures were read, unless a device has its own time; monotonic seconds.
        ram: the main memory that this process may use: the machine's, or its container's.
        devices: graphics cards, in the order of their vendors' tools.
        disk: the disk that the models are on.
        errors: what could not be read, and what to do about it.
    """

    taken_at: float
    ram: Device
    devices: tuple[Device, ...] = ()
    swap: Space | None = None
    disk: Space | None = None
    cpu_percent: float | None = None
    pressure: Pressure | None = None
    errors: tuple[Sentence, ...] = ()

    def age(self, device: Device | None, now: float) -> float:
        """Seconds since the figures of ``device`` (None: the other figures) were read."""
        taken_at = self.taken_at if device is None or device.taken_at is None else device.taken_at
        return max(now - taken_at, 0.0)


class VendorReading(Struct, frozen=True):
    """The devices of one vendor, and a sentence for each problem with them."""

    devices: tuple[Device, ...] = ()
    errors: tuple[Sentence, ...] = ()


def _percent(used: int | None, total: int | None) -> float | None:
    if used is None or not total:
        return None
    return min(max(100.0 * used / total, 0.0), 100.0)


# No real counter is larger. A larger number is garbage, and would overflow in a division.
_LARGEST = 2**64
_UNITS = {"": 1, "B": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def text(path: Path) -> str:
    """The content of a small file of the system; empty when it cannot be read."""
    try:
        return path.read_text()
    except (OSError, ValueError):
        return ""


def whole(text: str) -> int | None:
    """The value of a count such as ``17179869184``; None for anything else, negative numbers included."""
    digits = text.strip()
    # Not str.isdigit, which accepts the digits of every script.
    return _sane(int(digits)) if re.fullmatch(r"[0-9]{1,20}", digits) else None


def size(text: str) -> int | None:
    """Bytes from ``2048.00M``, or ``2048,00M`` as in some locales; None for anything else."""
    match = re.fullmatch(r"\s*([0-9]{1,20}(?:[.,][0-9]{1,20})?)([BKMGT]?)\s*", text)
    return _sane(int(Decimal(match[1].replace(",", ".")) * _UNITS[match[2]])) if match else None


def _sane(number: int) -> int | None:
    return number if number < _LARGEST else None
