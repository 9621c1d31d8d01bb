"""Reads a Mac with the tools ``vm_stat``, ``sysctl`` and ``ioreg``: seldom, because each is a process.

Their output is parsed by pure functions, which return None for what they cannot read.
"""

from __future__ import annotations

import errno
import math
import os
import re
import subprocess
import time
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.hardware.readings import Device, DeviceKind, Pressure, Space, size, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Run = Callable[[Sequence[str]], str]

_EVERY_S = 10.0
_TIMEOUT_S = 5.0
# Absolute paths, because a program that the system starts has a short PATH.
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
_GIB = 2**30
_PAGE = 16384
# The share of the main memory that Metal takes by default (recommendedMaxWorkingSetSize), by the machine's
# size in GiB. Since macOS 26, from public logs of llama.cpp; rounded up to a page, the shares give exactly
# the figures there: 12,713.12 MB of 16, 14,302.25 of 18, 19,069.67 of 24, 26,800.60 of 32, 30,150.67 of 36,
# 40,200.90 of 48, 55,662.79 of 64, 115,448.73 of 128, 239 GB of 256. Sizes between these get the lower share.
_SHARES = (
    (256, Fraction(87, 100)),
    (128, Fraction(84, 100)),
    (64, Fraction(81, 100)),
    (32, Fraction(78, 100)),
    (16, Fraction(74, 100)),
    (0, Fraction(2, 3)),
)
# Before: 10,922.67 MiB of 16, 21,845.34 of 32 (two thirds); 27,648 of 36, 49,152 of 64, 73,728 of 96.
_SHARES_BEFORE = ((36, Fraction(3, 4)), (0, Fraction(2, 3)))
_NEW_SHARES_SINCE = 26
_PRESSURES = {"1": Pressure.NORMAL, "2": Pressure.WARNING, "4": Pressure.CRITICAL}


class MacReading(Struct, frozen=True, kw_only=True):
    """The answers of the tools at ``taken_at`` (monotonic seconds)."""

    taken_at: float
    memory_used: int | None = None
    gpu: Device | None = None
    swap: Space | None = None
    pressure: Pressure | None = None
    errors: tuple[Sentence, ...] = ()


def run_tool(command: Sequence[str]) -> str:
    """The output of a tool.

    Raises:
        OSError: when it cannot be run, or hangs.
    """
    try:
        # The exit code is ignored: sysctl fails if it does not know one name, but prints the others.
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            env={"LC_ALL": "C"},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from error
    return done.stdout.decode(errors="replace")


class Mac:
    """Reads a Mac's memory and graphics; a reading is reused for 10 seconds."""

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
        errors: list[Sentence] = []

        def output(command: Sequence[str]) -> str:
            try:
                return self._run(command)
            except OSError as error:
                tool = command[0].rpartition("/")[2]
                errors.append(Sentence("unread.tool", {"tool": tool, "why": error.strerror or str(error)}))
                return ""

        values = parse_sysctl(output(_SYSCTL))
        return MacReading(
            taken_at=now,
            memory_used=parse_vm_stat(output(_VM_STAT)),
            gpu=_gpu(values, parse_ioreg(output(_IOREG)), now),
            swap=parse_swap(values.get("vm.swapusage", "")),
            pressure=parse_pressure(values.get("kern.memorystatus_vm_pressure_level", "")),
            errors=tuple(errors),
        )


def _gpu(values: Mapping[str, str], accelerators: Accelerators, now: float) -> Device | None:
    """Apple's graphics; None on a Mac with an Intel processor, where models run on the processor."""
    name = values.get("machdep.cpu.brand_string", "")
    if chip(name) is None:
        return None
    memory = whole(values.get("hw.memsize", ""))
    wired_limit_mb = whole(values.get("iogpu.wired_limit_mb", ""))
    total = None if memory is None else gpu_limit(memory, wired_limit_mb, macos_major(values))
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


class Accelerators(NamedTuple):
    """The graphics units that ``ioreg`` lists: bytes in use by all, and utilization of the busiest."""

    used: int | None
    utilization_percent: float | None


def parse_vm_stat(text: str) -> int | None:
    """Bytes of main memory in use, as Activity Monitor counts them; None when a figure is missing.

    They include compressed memory, but not cached files and purgeable memory.
    """
    page = re.search(r"page size of ([0-9]{1,9}) bytes", text)
    pages = dict(re.findall(r'^"?([^":\n]+)"?:\s+([0-9]+)\.?\s*$', text, re.MULTILINE))

    def count(*names: str) -> list[int | None]:
        return [whole(pages.get(name, "")) for name in names]

    held = count(
        "Pages active",
        "Pages inactive",
        "Pages speculative",
        "Pages wired down",
        "Pages occupied by compressor",
    )
    spare = count("Pages purgeable", "File-backed pages")
    if page is None or None in held or None in spare:
        return None
    total = sum(filter(None, held)) - sum(filter(None, spare))
    return max(total, 0) * int(page[1])


def parse_sysctl(text: str) -> dict[str, str]:
    """Names and values from ``sysctl name…``, without those that the machine does not have."""
    pairs = (line.split(": ", 1) for line in text.splitlines() if ": " in line)
    return {name: value.strip() for name, value in pairs}


def parse_swap(value: str) -> Space | None:
    """Swap from ``total = 2048.00M  used = 606.00M  free = 1442.00M  (encrypted)``, also with commas."""
    figures = dict(re.findall(r"(\w+) = (\S+)", value))
    total, used = size(figures.get("total", "")), size(figures.get("used", ""))
    return None if total is None or used is None else Space(total, used)


def parse_pressure(value: str) -> Pressure | None:
    """The pressure from ``kern.memorystatus_vm_pressure_level``."""
    return _PRESSURES.get(value)


def parse_ioreg(text: str) -> Accelerators:
    """Figures from ``ioreg -r -d 1 -w 0 -c IOAccelerator``."""
    # The closing quotation mark excludes "In use system memory (driver)", which comes first and is 0.
    used = [whole(digits) for digits in re.findall(r'"In use system memory"\s*=\s*([0-9]+)', text)]
    busy = [whole(digits) for digits in re.findall(r'"Device Utilization %"\s*=\s*([0-9]+)', text)]
    known, percents = [u for u in used if u is not None], [b for b in busy if b is not None and b <= 100]
    return Accelerators(sum(known) if known else None, float(max(percents)) if percents else None)


def chip(brand: str) -> str | None:
    """``apple_m3_pro`` from "Apple M3 Pro" (``machdep.cpu.brand_string``); None for another vendor's.

    In a virtual machine the brand is "Apple processor", which gives ``apple``.
    """
    words = brand.strip().lower().split()
    if not words or words[0] != "apple":
        return None
    if len(words) == 1 or not re.fullmatch(r"[a-z][0-9]{1,2}", words[1]):
        return "apple"
    variant = [word for word in words[2:3] if word in ("pro", "max", "ultra")]
    return "_".join(["apple", words[1], *variant])


def gpu_limit(memory: int, wired_limit_mb: int | None, macos: int | None) -> int:
    """The most bytes that graphics may take: Metal's ``recommendedMaxWorkingSetSize``.

    Args:
        memory: bytes of the machine, ``hw.memsize``.
        wired_limit_mb: the user's own limit, ``iogpu.wired_limit_mb``; 0 is the system's.
        macos: the major version; None is treated as an old one, which gives less.
    """
    if wired_limit_mb:
        return min(wired_limit_mb * 2**20, memory)
    shares = _SHARES if macos is not None and macos >= _NEW_SHARES_SINCE else _SHARES_BEFORE
    share = next(share for least, share in shares if memory >= least * _GIB)
    return math.ceil(memory * share / _PAGE) * _PAGE


def macos_major(values: Mapping[str, str]) -> int | None:
    """26 from ``kern.osproductversion: 26.1``."""
    return whole(values.get("kern.osproductversion", "").partition(".")[0])
