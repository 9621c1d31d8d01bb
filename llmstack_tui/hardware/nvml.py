"""The only caller of NVML, the library of NVIDIA's driver.

``pynvml`` is untyped, and its library may be missing, older than the module, or fail at any moment. Functions
here return a checked answer, or None if there is none, or raise `GpuLost`.
"""

from __future__ import annotations

import contextlib
import importlib
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from llmstack_tui.base.sentences import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    Handle = Any  # a pointer of the library

# NVML's error codes are part of its binary interface (nvml.h) and never change.
_NOT_SUPPORTED = 3
_DRIVER_NOT_LOADED = 9
_LIBRARY_NOT_FOUND = 12
_LIBRARY_MISMATCH = 18
_LOST = (15, 16)  # GPU is lost; GPU requires restart
# A healthy card answers these for a figure that it does not have, or shows to administrators only: not
# supported, no permission, not found, function not found, argument version mismatch, deprecated.
_NO_FIGURE = (_NOT_SUPPORTED, 4, 6, 13, 25, 26)
_MOST_BYTES = 2**64 - 2  # One more is NVML_VALUE_NOT_AVAILABLE.


class GpuLost(Exception):
    """The card fell off the bus, or hangs until it is reset."""


class NoDriver(Exception):
    """This machine has no NVIDIA driver, which is no error."""


class DriverFailed(Failure):
    """There is a driver, but it cannot be used."""


class CardMemory(Struct, frozen=True):
    """Bytes of a card. As in nvidia-smi, the driver's own memory is neither ``used`` nor ``free``.

    Drivers before 510 count it as used. ``unified``: the card has no memory of its own and uses the main one.
    """

    total: int | None = None
    used: int | None = None
    free: int | None = None
    unified: bool = False


class Nvml:
    """An open session of the library. Used by one thread at a time.

    Raises:
        NoDriver, DriverFailed: when no session can be opened.
    """

    def __init__(self) -> None:
        try:
            self._module: ModuleType = importlib.import_module("pynvml")
        except ImportError as error:
            raise NoDriver from error
        self._trouble: str | None = None
        try:
            self._module.nvmlInit()
        except self._module.NVMLError as error:
            if error.value in (_LIBRARY_NOT_FOUND, _DRIVER_NOT_LOADED):
                raise NoDriver from error
            raise _failed(error) from error

    def close(self) -> None:
        with contextlib.suppress(GpuLost):
            self._ask("nvmlShutdown")

    def take_trouble(self) -> str | None:
        """The last error that a healthy card would not give, once; None if there was none."""
        trouble, self._trouble = self._trouble, None
        return trouble

    def count(self) -> int:
        return self.number("nvmlDeviceGetCount", most=1024) or 0

    def handle(self, index: int) -> Handle | None:
        return self._ask("nvmlDeviceGetHandleByIndex", index)

    def number(self, function: str, *arguments: Any, most: int) -> int | None:
        """A figure from 0 to ``most``; None for any other, by which NVML says that the card has none."""
        return _number(self._ask(function, *arguments), most)

    def text(self, function: str, *arguments: Any) -> str | None:
        answer = self._ask(function, *arguments)
        return answer if isinstance(answer, str) and answer else None

    def utilization_percent(self, handle: Handle) -> int | None:
        return _number(getattr(self._ask("nvmlDeviceGetUtilizationRates", handle), "gpu", None), 100)

    def memory(self, handle: Handle) -> CardMemory:
        version = getattr(self._module, "nvmlMemory_v2", None)
        info, _ = self._answer("nvmlDeviceGetMemoryInfo", handle, version)
        code = None
        if info is None:
            info, code = self._answer("nvmlDeviceGetMemoryInfo", handle)
        if info is None:
            return CardMemory(unified=code == _NOT_SUPPORTED)
        total, used, free = (
            _number(getattr(info, name, None), _MOST_BYTES) for name in ("total", "used", "free")
        )
        # For a card that uses the main memory, some drivers report zeros instead.
        return CardMemory(total, used, free) if total else CardMemory(unified=total == 0)

    def processes(self, handle: Handle) -> dict[int, int | None] | None:
        """Bytes by process id; None where the driver does not report them, as on WSL."""
        found: dict[int, int | None] = {}
        answered = False
        for kind in ("Compute", "Graphics"):
            processes = self._processes(kind, handle)
            answered = answered or processes is not None
            for process in processes or ():
                # A process that both computes and draws is on both lists, with the same figure.
                used = _number(process.usedGpuMemory, _MOST_BYTES)
                found[process.pid] = used if used is not None else found.get(process.pid)
        return found if answered else None

    def slices(self, handle: Handle) -> Sequence[Handle] | None:
        """The MIG instances of a card; None when it is not in MIG mode."""
        mode = self._ask("nvmlDeviceGetMigMode", handle)
        if not mode or mode[0] != 1:
            return None
        most = self.number("nvmlDeviceGetMaxMigDeviceCount", handle, most=64) or 0
        found = (self._ask("nvmlDeviceGetMigDeviceHandleByIndex", handle, index) for index in range(most))
        return [instance for instance in found if instance is not None]

    def _processes(self, kind: str, handle: Handle) -> Sequence[Any] | None:
        # With a version: the function without one raises another error if the library is older than pynvml.
        for version in ("v3", "v2"):
            answer = self._ask(f"nvmlDeviceGet{kind}RunningProcesses_{version}", handle)
            if isinstance(answer, list):
                return answer
        return None

    def _ask(self, function: str, *arguments: Any) -> Any:
        """The answer of a function of NVML; None if there is none.

        Raises:
            GpuLost: when the card is gone.
        """
        return self._answer(function, *arguments)[0]

    def _answer(self, function: str, *arguments: Any) -> tuple[Any, int | None]:
        try:
            return getattr(self._module, function)(*arguments), None
        except self._module.NVMLError as error:
            code: int = error.value
            if code in _LOST:
                raise GpuLost from error
            if code not in _NO_FIGURE:
                self._trouble = str(error).rstrip(".")
            return None, code
        except (AttributeError, TypeError, ValueError):
            return None, None  # This pynvml lacks the function, or the answer is not valid text.


def _number(value: object, most: int) -> int | None:
    return value if isinstance(value, int) and 0 <= value <= most else None


def _failed(error: Any) -> DriverFailed:
    if error.value == _LIBRARY_MISMATCH:
        return DriverFailed("card.mismatch")
    return DriverFailed("card.no_driver", why=str(error).rstrip("."))
