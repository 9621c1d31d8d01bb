"""NVIDIA cards: their names and current figures."""

from __future__ import annotations

import math
import sys
import time
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.structs import replace
from llmstack_tui.hardware.nvml import DriverFailed, GpuLost, NoDriver, Nvml
from llmstack_tui.hardware.pci import NVIDIA, cards
from llmstack_tui.hardware.readings import Device, DeviceKind, Throttle, VendorReading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from llmstack_tui.hardware.nvml import Handle

_RETRY_S = 30.0
# Device files of the driver (also in a container), of Jetson's driver, and of Windows' driver in WSL.
_DEVICE_FILES = ("nvidia", "nvhost", "nvgpu", "nvmap", "dxg")
_TEMPERATURE_GPU = 0  # the sensor of the chip, NVML_TEMPERATURE_GPU
# Bits of nvmlClocksEventReasons. The other bits are no throttling: idle, clocks set by hand, sync boost.
THROTTLES = (
    (0x20 | 0x40, Throttle.HEAT),
    (0x04, Throttle.POWER_LIMIT),
    (0x80, Throttle.POWER_SUPPLY),
    (0x08, Throttle.HARDWARE),
)


class _Card(Struct, frozen=True):
    """A card as it was when the session began; ``handle`` is None if it was lost already.

    ``named``: it reported its UUID, by which it can be recognised later.
    """

    handle: Handle | None
    device: Device
    named: bool


class Nvidia:
    """Reads all NVIDIA cards. For one thread at a time; the library is loaded by the first `read`.

    While there is an error, a new session with the driver is opened every 30 seconds. A card that was seen
    once stays in the list; it is lost when it no longer answers. While all cards are suspended, as a laptop's
    is when nothing computes, none is asked: that would wake it up.

    Args:
        root: the folder that contains ``dev``, ``proc`` and ``sys``. Without a sign of a driver there, the
            library is not loaded; None loads it in any case.
    """

    def __init__(self, root: Path | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._root = root
        self._clock = clock
        self._nvml: Nvml | None = None
        self._cards: list[_Card] = []
        self._known: dict[str, Device] = {}
        self._last: tuple[Device, ...] = ()
        self._failure: Sentence | None = None
        self._open_at = -math.inf

    def read(self) -> VendorReading:
        """The cards now. Raises nothing, whatever the driver does."""
        if self._root is not None and (sleeping := _all_asleep(self._root)):
            return VendorReading(tuple(map(_asleep, self._last)) or sleeping)
        now = self._clock()
        if now >= self._open_at:
            self._open_session(now)
        devices: list[Device] = []
        errors = [self._failure] if self._failure else []
        for card in self._cards:
            found, error = self._read_card(card)
            devices += found
            errors += [error] if error else []
        seen = {device.parent or device.id for device in devices}
        gone = [device for device in self._known.values() if device.id not in seen]
        devices += [replace(device, lost=True) for device in gone]
        devices.sort(key=lambda device: device.index or 0)
        if not self._failure:
            errors += [Sentence("card.lost", {"name": device.name}) for device in devices if device.lost]
        if errors and self._open_at == math.inf:
            self._open_at = now + _RETRY_S
        self._last = tuple(devices)
        return VendorReading(self._last, tuple(errors))

    def close(self) -> None:
        """Close the driver; a later `read` opens it again."""
        nvml, self._nvml, self._cards = self._nvml, None, []
        self._open_at = -math.inf
        if nvml is not None:
            nvml.close()

    def _open_session(self, now: float) -> None:
        self.close()
        self._failure = None
        self._open_at = now + _RETRY_S
        if self._root is not None and not _may_have_card(self._root):
            return
        try:
            self._nvml = nvml = Nvml()
            self._cards = _cards(nvml, {device.index: device for device in self._known.values()})
        except NoDriver:
            return
        except GpuLost:
            self._failure = Sentence("card.all_lost")
            return
        except DriverFailed as error:
            self._failure = error.sentence
            return
        self._open_at = math.inf
        self._known.update({card.device.id: card.device for card in self._cards if card.named})

    def _read_card(self, card: _Card) -> tuple[list[Device], Sentence | None]:
        nvml = self._nvml
        if nvml is None or card.handle is None:
            return [replace(card.device, lost=True)], None
        nvml.take_trouble()
        try:
            device = _measure(nvml, card.handle, card.device)
            slices = nvml.slices(card.handle)
            if slices:
                return [_measure_slice(nvml, device, handle) for handle in slices], None
        except GpuLost:
            return [replace(card.device, lost=True)], None
        if slices is not None:
            return [device], Sentence("card.no_instance", {"name": device.name})
        if device.total is None and (trouble := nvml.take_trouble()):
            return [device], Sentence("card.no_memory", {"name": device.name, "why": trouble})
        return [device], None


def _may_have_card(root: Path) -> bool:
    """Whether there may be a card. Cheap; importing the library takes 3 MB and 15 ms."""
    if sys.platform == "darwin":
        return False
    if not sys.platform.startswith("linux") or (root / "proc/driver/nvidia").exists():
        return True
    try:
        return any(file.name.startswith(_DEVICE_FILES) for file in (root / "dev").iterdir())
    except OSError:
        return False


def _all_asleep(root: Path) -> tuple[Device, ...]:
    """All cards, if the system has suspended each of them; else none."""
    found = cards(root, NVIDIA)
    if not all(card.is_suspended for card in found):
        return ()
    named = ((f"nvidia-{card.slot}", f"NVIDIA card {index}") for index, card in enumerate(found))
    return tuple(Device(kind=DeviceKind.NVIDIA, id=id_, name=name, asleep=True) for id_, name in named)


def _asleep(device: Device) -> Device:
    """A card without its figures, which are not known while it sleeps."""
    return Device(
        kind=device.kind,
        id=device.id,
        name=device.name,
        index=device.index,
        total=device.total,
        shared=device.shared,
        driver=device.driver,
        cuda=device.cuda,
        parent=device.parent,
        asleep=True,
    )


def _cards(nvml: Nvml, known: Mapping[int | None, Device]) -> list[_Card]:
    driver = nvml.text("nvmlSystemGetDriverVersion")
    cuda = _cuda(nvml.number("nvmlSystemGetCudaDriverVersion_v2", most=10**6))
    cards = []
    for index in range(nvml.count()):
        # A card that reports no UUID is taken for the one that had this index before, if there was one.
        device = known.get(index) or Device(
            kind=DeviceKind.NVIDIA, id=f"nvidia-{index}", index=index, name=f"NVIDIA card {index}"
        )
        device = replace(device, driver=driver, cuda=cuda)
        try:
            handle = nvml.handle(index)
            uuid, name = (None, None) if handle is None else _identity(nvml, handle)
        except GpuLost:
            handle, uuid, name = None, None, None
        if uuid is not None and uuid != device.id:
            device = replace(device, id=uuid, name=f"NVIDIA card {index}")
        cards.append(_Card(handle, replace(device, name=name or device.name), named=uuid is not None))
    return cards


def _identity(nvml: Nvml, handle: Handle) -> tuple[str | None, str | None]:
    return nvml.text("nvmlDeviceGetUUID", handle), nvml.text("nvmlDeviceGetName", handle)


def _measure(nvml: Nvml, handle: Handle, device: Device) -> Device:
    return replace(
        _with_memory(nvml, handle, device),
        utilization_percent=nvml.utilization_percent(handle),
        temperature=nvml.number("nvmlDeviceGetTemperature", handle, _TEMPERATURE_GPU, most=200),
        power=_watts(nvml.number("nvmlDeviceGetPowerUsage", handle, most=10**7)),
        power_limit=_watts(nvml.number("nvmlDeviceGetEnforcedPowerLimit", handle, most=10**7)),
        throttles=_throttles(nvml, handle),
    )


def _measure_slice(nvml: Nvml, card: Device, handle: Handle) -> Device:
    """A MIG instance: it has its own memory and processes; temperature, power and throttling are the card's.
    Its utilization is not reported."""
    uuid, name = _identity(nvml, handle)
    part = _with_memory(nvml, handle, card)
    return replace(
        part,
        id=uuid or card.id,
        name=name or card.name,
        parent=card.id,
        shared=False,
        utilization_percent=None,
    )


def _with_memory(nvml: Nvml, handle: Handle, device: Device) -> Device:
    """The device with its current memory, and the processes that use it."""
    memory, processes = nvml.memory(handle), nvml.processes(handle)
    return replace(
        device,
        total=memory.total,
        used=memory.used,
        free=memory.free,
        shared=memory.unified,
        processes=processes,
    )


def _throttles(nvml: Nvml, handle: Handle) -> tuple[Throttle, ...] | None:
    for function in ("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"):
        bits = nvml.number(function, handle, most=2**64 - 1)
        if bits is not None:
            return tuple(reason for mask, reason in THROTTLES if bits & mask)
    return None


def _watts(milliwatts: int | None) -> float | None:
    return None if milliwatts is None else milliwatts / 1000


def _cuda(version: int | None) -> str | None:
    """ "12.4" from 12040."""
    return None if not version else f"{version // 1000}.{version % 1000 // 10}"
