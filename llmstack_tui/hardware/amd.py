"""AMD cards and integrated graphics, from the files of Linux's amdgpu driver in ``/sys``."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from llmstack_tui.hardware.readings import Device, DeviceKind, VendorReading, text, whole

_ROOT = Path("/")
_AMD = "0x1002"
# The third byte of gpu_metrics (metrics_table_header in the kernel's kgd_pp_interface.h): format 1 is for
# cards, later ones are for integrated graphics.
_CARD_FORMAT = 1


class Amd:
    """Reads all AMD devices.

    Args:
        root: the folder that contains ``sys``.
    """

    def __init__(self, root: Path = _ROOT) -> None:
        self._root = root
        # Asked once, because the driver has to ask the card.
        self._is_integrated = cache(is_integrated)

    def read(self) -> VendorReading:
        folders = (self._root / "sys/class/drm").glob("card*/device/mem_info_vram_total")
        cards = sorted(
            (int(match[1]), file.parent)
            for file in folders
            if (match := re.fullmatch(r"card([0-9]{1,4})", file.parent.parent.name))
        )
        amd = [folder for _, folder in cards if _line(folder / "vendor") == _AMD]
        return VendorReading(tuple(self._device(index, folder) for index, folder in enumerate(amd)))

    def _device(self, index: int, folder: Path) -> Device:
        total, used = _pair(folder, "vram")
        shared = False
        if self._is_integrated(folder):
            shared_total, shared_used = _pair(folder, "gtt")
            # Usually a small part of the main memory is reserved for graphics, and models get the rest from
            # the memory of all programs. If the reserved part is the larger one, models get only that.
            shared = (shared_total or 0) > (total or 0)
            if shared:
                total, used = _sum(total, shared_total), _sum(used, shared_used)
        # Reading the sensors of a suspended card would wake it.
        awake = _line(folder / "power/runtime_status") != "suspended"
        busy = _number(folder / "gpu_busy_percent") if awake else None
        return Device(
            kind=DeviceKind.AMD,
            id=_slot(folder) or f"amd-{index}",
            index=index,
            name=_name(folder),
            total=total,
            used=used,
            free=None if total is None or used is None else max(total - used, 0),
            shared=shared,
            utilization_percent=None if busy is None or busy > 100 else busy,
            temperature=_sensor(folder, 1000, "temp1_input") if awake else None,
            power=_sensor(folder, 10**6, "power1_average", "power1_input") if awake else None,
            power_limit=_sensor(folder, 10**6, "power1_cap") if awake else None,
        )


def is_integrated(folder: Path) -> bool:
    """Whether the graphics are part of the processor, and share its memory."""
    try:
        with (folder / "gpu_metrics").open("rb") as file:
            header = file.read(4)
    except OSError:
        header = b""
    if len(header) == 4:
        return header[2] > _CARD_FORMAT
    # Older devices have no such table. Only cards have a power limit, or memory of a known vendor.
    limited = any(folder.glob("hwmon/hwmon*/power1_cap"))
    return not limited and _line(folder / "mem_info_vram_vendor").lower() in ("", "n/a", "unknown")


def _pair(folder: Path, kind: str) -> tuple[int | None, int | None]:
    total, used = (_number(folder / f"mem_info_{kind}_{what}") for what in ("total", "used"))
    return total or None, used


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _sensor(folder: Path, scale: int, *names: str) -> float | None:
    """The figure in the first of these hardware monitor files that has one."""
    for name in names:
        for file in sorted(folder.glob(f"hwmon/hwmon*/{name}")):
            figure = _number(file)
            if figure is not None:
                return figure / scale
    return None


def _name(folder: Path) -> str:
    # Only server cards have a name in /sys; for the others we would need a list of all devices.
    return _line(folder / "product_name") or f"AMD GPU {_line(folder / 'device').removeprefix('0x')}".strip()


def _slot(folder: Path) -> str | None:
    match = re.search(r"^PCI_SLOT_NAME=(\S+)$", text(folder / "uevent"), re.MULTILINE)
    return match[1] if match else None


def _number(file: Path) -> int | None:
    return whole(text(file))


def _line(file: Path) -> str:
    return text(file).strip()
