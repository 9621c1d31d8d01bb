"""A Mac: asks its tools, seldom, because each question is a new process."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.hardware import apple
from llmstack_tui.hardware.numbers import whole
from llmstack_tui.hardware.readings import Device, DeviceKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from llmstack_tui.hardware.readings import Pressure, Space

    Run = Callable[[Sequence[str]], str]

_EVERY_S = 10.0
_TIMEOUT_S = 5.0
# By their paths, because a program that the system started has a short PATH.
_VM_STAT = ("/usr/bin/vm_stat",)
_IOREG = ("/usr/sbin/ioreg", "-r", "-d", "1", "-w", "0", "-c", "IOAccelerator")
_SYSCTL = (
    "/usr/sbin/sysctl",
    "hw.memsize",
    "machdep.cpu.brand_string",
    "kern.osproductversion",
    "iogpu.wired_limit_mb",
    "kern.memorystatus_vm_pressure_level",
    "vm.swapusage",
)


class MacReading(Struct, frozen=True, kw_only=True):
    """What the tools said at ``taken_at`` (monotonic seconds)."""

    taken_at: float
    memory_used: int | None = None
    gpu: Device | None = None
    swap: Space | None = None
    pressure: Pressure | None = None
    errors: tuple[str, ...] = ()


def run_tool(command: Sequence[str]) -> str:
    """What a tool wrote.

    Raises:
        OSError: when it cannot be run, or hangs.
    """
    try:
        # Its exit code does not count: sysctl fails when it misses one of many names, and tells the others.
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            env={"LC_ALL": "C"},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"no answer in {_TIMEOUT_S:.0f} seconds") from error
    return done.stdout.decode(errors="replace")


class Mac:
    """Reads a Mac's memory and its graphics unit; the answers of the last 10 seconds are given again."""

    def __init__(self, *, run: Run = run_tool, clock: Callable[[], float] = time.monotonic) -> None:
        self._run = run
        self._clock = clock
        self._last: MacReading | None = None

    def read(self) -> MacReading:
        now = self._clock()
        if self._last is None or now - self._last.taken_at >= _EVERY_S:
            self._last = self._ask(now)
        return self._last

    def _ask(self, now: float) -> MacReading:
        errors: list[str] = []

        def output(command: Sequence[str]) -> str:
            try:
                return self._run(command)
            except OSError as error:
                tool = command[0].rpartition("/")[2]
                errors.append(f"{tool} does not answer ({error}): figures of the memory are missing.")
                return ""

        values = apple.parse_sysctl(output(_SYSCTL))
        return MacReading(
            taken_at=now,
            memory_used=apple.parse_vm_stat(output(_VM_STAT)),
            gpu=_gpu(values, apple.parse_ioreg(output(_IOREG)), now),
            swap=apple.parse_swap(values.get("vm.swapusage", "")),
            pressure=apple.parse_pressure(values.get("kern.memorystatus_vm_pressure_level", "")),
            errors=tuple(errors),
        )


def _gpu(values: Mapping[str, str], accelerators: apple.Accelerators, now: float) -> Device | None:
    """Apple's own graphics unit; none on a Mac with another processor, where models run on that."""
    name = values.get("machdep.cpu.brand_string", "")
    if apple.chip(name) is None:
        return None
    memory = whole(values.get("hw.memsize", ""))
    wired_limit_mb = whole(values.get("iogpu.wired_limit_mb", ""))
    total = None if memory is None else apple.gpu_limit(memory, wired_limit_mb, apple.macos_major(values))
    used = accelerators.used
    return Device(
        kind=DeviceKind.APPLE,
        id="apple-gpu",
        index=0,
        name=name,
        total=total,
        used=used,
        free=None if total is None or used is None else max(total - used, 0),
        shared=True,
        utilization_percent=accelerators.utilization_percent,
        taken_at=now,
    )
