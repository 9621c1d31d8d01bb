"""What was measured of the machine, as frozen values, and figures read from text that may be anything.

Sizes are bytes, temperatures °C, power watts, ``…percent`` 0 to 100, times monotonic seconds. ``None`` is
"not known", never zero.
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from llmstack_tui.base.sentences import Sentence


class DeviceKind(StrEnum):
    """Who made the device; ``RAM`` is the main memory."""

    NVIDIA = "nvidia"
    APPLE = "apple"
    AMD = "amd"
    RAM = "ram"


class Throttle(StrEnum):
    """Why a card runs slower than it could."""

    HEAT = "heat"
    POWER_LIMIT = "power limit"
    POWER_SUPPLY = "power supply"
    HARDWARE = "hardware protection"


class Pressure(StrEnum):
    """How short the system is of memory, in the steps that macOS has."""

    NORMAL = "normal"
    WARNING = "warning"
    CRITICAL = "critical"


class Space(Struct, frozen=True):
    """The size of the main memory, of swap or of a disk, and what is used of it."""

    total: int
    used: int

    @property
    def free(self) -> int:
        return max(self.total - self.used, 0)

    @property
    def percent(self) -> float:
        return _percent(self.used, self.total) or 0.0


class Device(Struct, frozen=True, kw_only=True):
    """A graphics card, a slice of one, or the main memory, and what is known of it.

    Attributes:
        id: the same for the same device as long as the machine runs: a card's UUID or place, "ram".
        index: the number that the maker's own tools give it; a slice has its card's.
        used: by everybody. With ``free`` it need not add up to ``total``: drivers keep some for themselves.
        free: what a program could still get.
        shared: its memory is a part of the main memory.
        throttles: why it runs slower than it could; empty when it does not.
        processes: bytes of each process by its id, None for one that uses the device to an unknown extent. In
            a container they are the host's process ids.
        cuda: the newest CUDA that the driver can do.
        parent: of a slice, the ``id`` of its card.
        lost: it was there and no longer answers. Its name stays, its figures are unknown.
        taken_at: when its figures were read, where that is not the reading's own time.
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
    taken_at: float | None = None

    @property
    def percent(self) -> float | None:
        """Used of total."""
        return _percent(self.used, self.total)

    @property
    def memory_word(self) -> str:
        """What its memory is called: "VRAM", "unified memory" or "RAM"."""
        if self.kind is DeviceKind.RAM:
            return "RAM"
        return "unified memory" if self.shared else "VRAM"


class MachineReading(Struct, frozen=True, kw_only=True):
    """The whole machine at one moment.

    Attributes:
        taken_at: monotonic seconds; the figures are those of this moment unless a device says otherwise.
        ram: what this process may use: the machine's, or its container's.
        devices: graphics cards in the order of their makers' tools; the main memory is not among them.
        disk: of the disk that the models are on.
        errors: what could not be read and what to do about it.
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
        """Seconds since the figures of ``device`` (None: the rest of the reading) were read."""
        taken_at = self.taken_at if device is None or device.taken_at is None else device.taken_at
        return max(now - taken_at, 0.0)


class Probed(Struct, frozen=True):
    """What the cards of one maker say: the devices, and a sentence for each thing that is wrong with them."""

    devices: tuple[Device, ...] = ()
    errors: tuple[Sentence, ...] = ()


def _percent(used: int | None, total: int | None) -> float | None:
    if used is None or not total:
        return None
    return min(max(100.0 * used / total, 0.0), 100.0)


# No counter of a machine is larger. What is beyond it is garbage, and would overflow in a division.
_LARGEST = 2**64
_UNITS = {"": 1, "B": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def text(path: Path) -> str:
    """The content of a small file of the system; empty when it cannot be read."""
    try:
        return path.read_text()
    except (OSError, ValueError):
        return ""


def whole(text: str) -> int | None:
    """A count such as ``17179869184``, exact at any size; None for what is no count, negative ones too."""
    digits = text.strip()
    # Not str.isdigit, which takes the digits of every script.
    return _sane(int(digits)) if re.fullmatch(r"[0-9]{1,20}", digits) else None


def size(text: str) -> int | None:
    """Bytes from ``2048.00M``, also where the locale writes ``2048,00M``; None for what is no size."""
    match = re.fullmatch(r"\s*([0-9]{1,20}(?:[.,][0-9]{1,20})?)([BKMGT]?)\s*", text)
    return _sane(int(Decimal(match[1].replace(",", ".")) * _UNITS[match[2]])) if match else None


def _sane(number: int) -> int | None:
    return number if number < _LARGEST else None
