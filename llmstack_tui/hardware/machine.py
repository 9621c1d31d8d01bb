"""Reads all figures of the machine."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from llmstack_tui.base.languages import later
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.structs import replace
from llmstack_tui.hardware.amd import Amd
from llmstack_tui.hardware.mac import Mac, MacReading
from llmstack_tui.hardware.nvidia import Nvidia
from llmstack_tui.hardware.readings import Device, DeviceKind, MachineReading, VendorReading
from llmstack_tui.hardware.system import CpuMeter, read_disk, read_memory, read_pressure, read_swap

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_ROOT = Path("/")


class Machine:
    """Reads all figures of this machine. For one thread at a time.

    Args:
        models: the folder of models, for the free space on its disk.
        root: the folder that contains ``proc``, ``sys`` and ``dev``.
        mac: reads a Mac; None on other machines.
    """

    def __init__(
        self,
        models: Path | None = None,
        *,
        root: Path = _ROOT,
        nvidia: Nvidia | None = None,
        mac: Mac | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._models = models
        self._root = root
        self._nvidia = nvidia or Nvidia(root)
        self._amd = Amd(root)
        self._mac = mac or (Mac() if sys.platform == "darwin" else None)
        self._cpu = CpuMeter()
        self._clock = clock
        self._seen_by_psutil: tuple[float, int] | None = None

    def read(self) -> MachineReading:
        """The figures now. Those that cannot be read are None; raises nothing."""
        errors: list[Sentence] = []
        mac = None if self._mac is None else _read_or("sysctl", self._mac.read, None, errors)
        nvidia = _read_or("NVIDIA", self._nvidia.read, VendorReading(), errors)
        amd = _read_or("AMD", self._amd.read, VendorReading(), errors)
        apple = (mac.gpu,) if mac is not None and mac.gpu is not None else ()
        ram = _read_or("RAM", lambda: self._ram(mac), _UNKNOWN_RAM, errors)
        models, root = self._models, self._root
        pressure = (
            mac.pressure if mac else _read_or(later("pressure"), lambda: read_pressure(root), None, errors)
        )
        return MachineReading(
            taken_at=self._clock(),
            ram=ram,
            devices=(*nvidia.devices, *amd.devices, *(_within(ram, device) for device in apple)),
            swap=mac.swap if mac else _read_or(later("swap"), lambda: read_swap(root), None, errors),
            disk=None if models is None else _read_or(later("disk"), lambda: read_disk(models), None, errors),
            cpu_percent=_read_or("CPU", self._cpu.read, None, errors),
            pressure=pressure,
            errors=(*nvidia.errors, *amd.errors, *(mac.errors if mac else ()), *errors),
        )

    def close(self) -> None:
        """Close the drivers; a later `read` opens them again."""
        self._nvidia.close()

    def _ram(self, mac: MacReading | None) -> Device:
        memory = read_memory(self._root)
        used = memory.used
        if mac is not None and mac.memory_used is not None:
            # The tool's figure is right but old; psutil's is fresh but leaves out much. So take the tool's,
            # and add by how much psutil's has changed since.
            if self._seen_by_psutil is None or self._seen_by_psutil[0] != mac.taken_at:
                self._seen_by_psutil = (mac.taken_at, memory.used)
            used = min(max(mac.memory_used + memory.used - self._seen_by_psutil[1], 0), memory.total)
        return replace(_UNKNOWN_RAM, total=memory.total, used=used, free=memory.total - used)


_UNKNOWN_RAM = Device(kind=DeviceKind.RAM, id="ram", name="RAM")


def _read_or(what: str, read: Callable[[], _T], otherwise: _T, errors: list[Sentence]) -> _T:
    """The result of ``read``, or ``otherwise``: a bug in reading one figure must not hide the others."""
    try:
        return read()
    except Exception:  # noqa: BLE001 - logged, and reported in the reading
        _log.exception("reading %s", what)
        errors.append(Sentence("unread.figures", {"what": what}))
        return otherwise


def _within(ram: Device, device: Device) -> Device:
    """Limit the free memory of a device that shares the main memory to what is free there."""
    if device.free is None or ram.free is None:
        return device
    return replace(device, free=min(device.free, ram.free))
