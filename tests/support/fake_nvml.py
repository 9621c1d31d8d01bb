"""A library of NVIDIA's driver without a driver, below the real ``pynvml``.

It stands where ``libnvidia-ml.so.1`` does, so that a misspelt function, constant or exception fails as it
would on a real machine. Its functions are those of nvml.h and answer NVML's codes; their pointers are ctypes
references.
"""

# ruff: noqa: N802 - the names are the library's

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pynvml

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1024 * 1024
NOT_AVAILABLE = 2**64 - 1


@dataclass
class FakeSlice:
    """A MIG instance."""

    name: str
    uuid: str
    total: int
    used: int
    processes: dict[int, int] = field(default_factory=dict)


@dataclass
class FakeCard:
    """A card; ``fails`` maps a function of nvml.h, or "*", to the code it answers with."""

    name: str = "NVIDIA GeForce RTX 2070 SUPER"
    uuid: str = "GPU-5d1d9e0c-1c7b-4f0a-9a07-6c2f5f1b0c11"
    total: int = 8192 * MIB
    reserved: int = 190 * MIB
    used: int = 5632 * MIB
    utilization: int = 37
    temperature: int = 61
    power: int = 118_250
    power_limit: int = 215_000
    throttle: int = 0
    compute: dict[int, int] = field(default_factory=dict)
    graphics: dict[int, int] = field(default_factory=dict)
    slices: list[FakeSlice | None] | None = None
    fails: dict[str, int] = field(default_factory=dict)

    @property
    def free(self) -> int:
        return self.total - self.reserved - self.used


class FakeNvml:
    """The functions of the library.

    Attributes:
        missing: names of functions that this library is too old to have.
        init_code: what starting it answers.
        sessions: how often it was started and not stopped.
    """

    def __init__(self, *cards: FakeCard) -> None:
        self.cards = list(cards)
        self.missing: set[str] = set()
        self.init_code = 0
        self.started = 0
        self.sessions = 0
        self.calls = 0
        self._handles: list[FakeCard | FakeSlice] = []

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("nvml"):
            if name in self.missing:
                raise AttributeError(name)
            return _guarded(self, name, object.__getattribute__(self, name))
        return object.__getattribute__(self, name)

    def nvmlInitWithFlags(self, _flags: object) -> int:
        if self.init_code == 0:
            self.started += 1
            self.sessions += 1
        return self.init_code

    def nvmlShutdown(self) -> int:
        self.sessions -= 1
        return 0

    def nvmlErrorString(self, _code: object) -> bytes:
        return b"An Error Of Another Day"

    def nvmlSystemGetDriverVersion(self, text: Any, _length: object) -> int:
        text.value = b"575.64.03"
        return 0

    def nvmlSystemGetCudaDriverVersion_v2(self, reference: Any) -> int:
        pointed(reference).value = 12090
        return 0

    def nvmlDeviceGetCount_v2(self, reference: Any) -> int:
        pointed(reference).value = len(self.cards)
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index: Any, reference: Any) -> int:
        card = self.cards[index.value]
        code: int = card.fails.get("nvmlDeviceGetHandleByIndex_v2", card.fails.get("*", 0))
        if not code:
            self._point(reference, card)
        return code

    def nvmlDeviceGetName(self, handle: Any, text: Any, _length: object) -> int:
        text.value = self.at(handle).name.encode()
        return 0

    def nvmlDeviceGetUUID(self, handle: Any, text: Any, _length: object) -> int:
        text.value = self.at(handle).uuid.encode()
        return 0

    def nvmlDeviceGetMemoryInfo(self, handle: Any, reference: Any) -> int:
        at, memory = self.at(handle), pointed(reference)
        reserved = at.reserved if isinstance(at, FakeCard) else 0
        memory.total, memory.used, memory.free = at.total, at.used + reserved, at.total - at.used - reserved
        return 0

    def nvmlDeviceGetMemoryInfo_v2(self, handle: Any, reference: Any) -> int:
        at, memory = self.at(handle), pointed(reference)
        if memory.version != pynvml.nvmlMemory_v2:
            return int(pynvml.NVML_ERROR_ARGUMENT_VERSION_MISMATCH)
        memory.reserved = at.reserved if isinstance(at, FakeCard) else 0
        memory.total, memory.used, memory.free = at.total, at.used, at.total - at.used - memory.reserved
        return 0

    def nvmlDeviceGetUtilizationRates(self, handle: Any, reference: Any) -> int:
        pointed(reference).gpu = self._card(handle).utilization
        return 0

    def nvmlDeviceGetTemperature(self, handle: Any, sensor: Any, reference: Any) -> int:
        if sensor.value != pynvml.NVML_TEMPERATURE_GPU:
            return int(pynvml.NVML_ERROR_INVALID_ARGUMENT)
        pointed(reference).value = self._card(handle).temperature
        return 0

    def nvmlDeviceGetPowerUsage(self, handle: Any, reference: Any) -> int:
        pointed(reference).value = self._card(handle).power
        return 0

    def nvmlDeviceGetEnforcedPowerLimit(self, handle: Any, reference: Any) -> int:
        pointed(reference).value = self._card(handle).power_limit
        return 0

    def nvmlDeviceGetCurrentClocksEventReasons(self, handle: Any, reference: Any) -> int:
        pointed(reference).value = self._card(handle).throttle
        return 0

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: Any, reference: Any) -> int:
        pointed(reference).value = self._card(handle).throttle
        return 0

    def nvmlDeviceGetComputeRunningProcesses_v2(self, handle: Any, count: Any, array: Any) -> int:
        at = self.at(handle)
        return _fill(at.compute if isinstance(at, FakeCard) else at.processes, count, array)

    def nvmlDeviceGetComputeRunningProcesses_v3(self, handle: Any, count: Any, array: Any) -> int:
        at = self.at(handle)
        return _fill(at.compute if isinstance(at, FakeCard) else at.processes, count, array)

    def nvmlDeviceGetGraphicsRunningProcesses_v2(self, handle: Any, count: Any, array: Any) -> int:
        at = self.at(handle)
        return _fill(at.graphics if isinstance(at, FakeCard) else {}, count, array)

    def nvmlDeviceGetGraphicsRunningProcesses_v3(self, handle: Any, count: Any, array: Any) -> int:
        at = self.at(handle)
        return _fill(at.graphics if isinstance(at, FakeCard) else {}, count, array)

    def nvmlDeviceGetMigMode(self, handle: Any, current: Any, pending: Any) -> int:
        slices = self._card(handle).slices
        if slices is None:
            return int(pynvml.NVML_ERROR_NOT_SUPPORTED)
        pointed(current).value = pointed(pending).value = pynvml.NVML_DEVICE_MIG_ENABLE
        return 0

    def nvmlDeviceGetMaxMigDeviceCount(self, _handle: object, reference: Any) -> int:
        pointed(reference).value = 7
        return 0

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle: Any, index: Any, reference: Any) -> int:
        slices = self._card(handle).slices or []
        instance = slices[index.value] if index.value < len(slices) else None
        if instance is None:
            return int(pynvml.NVML_ERROR_NOT_FOUND)
        self._point(reference, instance)
        return 0

    def _point(self, reference: Any, at: FakeCard | FakeSlice) -> None:
        self._handles.append(at)
        ctypes.cast(reference, ctypes.POINTER(ctypes.c_void_p))[0] = len(self._handles)

    def at(self, handle: Any) -> FakeCard | FakeSlice:
        return self._handles[(ctypes.cast(handle, ctypes.c_void_p).value or 0) - 1]

    def _card(self, handle: Any) -> FakeCard:
        card = self.at(handle)
        if not isinstance(card, FakeCard):
            raise _NotForSlices
        return card


class _NotForSlices(Exception):
    pass


def _guarded(library: FakeNvml, name: str, function: Callable[..., int]) -> Callable[..., int]:
    def call(*arguments: Any) -> int:
        library.calls += 1
        if name.startswith("nvmlDevice") and arguments and isinstance(arguments[0], pynvml.c_nvmlDevice_t):
            at = library.at(arguments[0])
            fails = at.fails if isinstance(at, FakeCard) else {}
            if code := fails.get(name, fails.get("*", 0)):
                return code
        try:
            return function(*arguments)
        except _NotForSlices:
            return int(pynvml.NVML_ERROR_NOT_SUPPORTED)

    return call


def pointed(reference: Any) -> Any:
    """What a pointer made by ``ctypes.byref`` points to; ctypes has no public way to ask."""
    return reference._obj  # noqa: SLF001


def _fill(processes: dict[int, int], count: Any, array: Any) -> int:
    if array is None:
        pointed(count).value = len(processes)
        return int(pynvml.NVML_ERROR_INSUFFICIENT_SIZE if processes else pynvml.NVML_SUCCESS)
    for place, (pid, used) in zip(array, processes.items(), strict=False):
        place.pid, place.usedGpuMemory = pid, used
    pointed(count).value = len(processes)
    return 0
