"""Figures that every machine has: main memory, processors, swap, disks, and memory pressure."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

import psutil

from llmstack_tui.hardware.readings import Pressure, Space, text, whole

_ROOT = Path("/")
_CPU_LIMIT_V2 = "sys/fs/cgroup/cpu.max"
_CPU_LIMIT_V1 = ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "sys/fs/cgroup/cpu/cpu.cfs_period_us")
# Percent of the last ten seconds during which some programs, or all of them, waited for memory.
_WARNING_SOME, _CRITICAL_FULL = 10.0, 10.0


class _Names(NamedTuple):
    """The files of a control group, and the keys of its ``memory.stat`` that count reclaimable memory."""

    limit: str
    used: str
    reclaimable: tuple[str, ...]


# Version 1 of control groups writes "no limit" as the largest 64-bit number, rounded down to whole pages.
_NO_LIMIT = 2**62
_VERSION_1 = _Names(
    "memory.limit_in_bytes", "memory.usage_in_bytes", ("total_inactive_file", "total_active_file")
)
_VERSION_2 = _Names("memory.max", "memory.current", ("inactive_file", "active_file", "slab_reclaimable"))


def read_memory(root: Path = _ROOT) -> Space:
    """The memory that this process may use: the machine's, or less if its container has a limit.

    Memory that the system can reclaim, such as caches, does not count as used.

    Args:
        root: the folder that contains ``proc`` and ``sys``.
    """
    machine = psutil.virtual_memory()
    limited = container_memory(root)
    if limited is None or limited.total >= machine.total:
        return Space(total=machine.total, used=machine.total - machine.available)
    # The machine may have less free memory than the container's limit allows.
    free = min(limited.total - limited.used, machine.available)
    return Space(total=limited.total, used=limited.total - free)


def container_memory(root: Path = _ROOT) -> Space | None:
    """The lowest memory limit of this process's control groups, and how much of it is used; or None."""
    limits = [memory for folder, names in control_groups(root) if (memory := _limited(folder, names))]
    return min(limits, key=lambda memory: memory.total, default=None)


def control_groups(root: Path = _ROOT) -> list[tuple[Path, _Names]]:
    """The folders of this process's control group and of all groups above it, with the names of their files.

    Any of them can set a limit. In a container the path in ``proc`` may not exist, because the container sees
    its own group as the top.
    """
    groups = []
    for line in text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if "memory" in controllers.split(","):
            top, names = root / "sys/fs/cgroup/memory", _VERSION_1
        elif not controllers and path.startswith("/"):
            top, names = root / "sys/fs/cgroup", _VERSION_2
        else:
            continue
        # The path of a group outside the container's view begins with "/..".
        own = top if ".." in path else top / path.lstrip("/")
        depth = len(own.parts) - len(top.parts)
        groups += [(folder, names) for folder in (own, *own.parents)[: depth + 1]]
    return groups


def _limited(folder: Path, names: _Names) -> Space | None:
    total = whole(text(folder / names.limit))
    if total is None or total > _NO_LIMIT:
        return None
    used = whole(text(folder / names.used))
    if used is None:
        return None
    # The kernel drops pages of files before it refuses memory, so they count as free, as in its "available".
    stat = dict(line.split(" ", 1) for line in text(folder / "memory.stat").splitlines() if " " in line)
    reclaimable = sum(whole(stat.get(name, "")) or 0 for name in names.reclaimable)
    return Space(total=total, used=min(max(0, used - reclaimable), total))


class CpuMeter:
    """How busy the processors were between two readings."""

    def __init__(self) -> None:
        self._before: tuple[float, float] | None = None

    def read(self) -> float | None:
        """Percent of all cores since the last call; None at the first call, or if no time has passed."""
        now, before = _cpu_seconds(), self._before
        self._before = now
        if before is None or now[1] <= before[1]:
            return None
        return min(max(100.0 * (now[0] - before[0]) / (now[1] - before[1]), 0.0), 100.0)


def _cpu_seconds() -> tuple[float, float]:
    """The busy seconds and the total seconds of all cores since the machine started."""
    times = psutil.cpu_times()
    # User time includes the time of guests.
    everything = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return everything - times.idle - getattr(times, "iowait", 0.0), everything


def usable_cores(root: Path = _ROOT) -> int:
    """The number of physical cores that this process may use: the best number of threads for a model.

    A second thread on a core gains nothing, and a single thread too many halves the speed, because all wait
    for the slowest. So a container's limit of processor time counts, too.
    """
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = min(cores, len(os.sched_getaffinity(0)))
    limit = _container_cores(root)
    return max(1, cores if limit is None else min(cores, int(limit)))


def _container_cores(root: Path) -> float | None:
    """The container's limit of processor time, in cores; None without one."""
    limit = text(root / _CPU_LIMIT_V2).split() or [text(root / name) for name in _CPU_LIMIT_V1]
    try:
        quota, period = map(int, limit)
        return quota / period if quota > 0 else None
    except (ValueError, ZeroDivisionError):
        return None


def read_swap(root: Path = _ROOT) -> Space | None:
    """The swap space; None if the system has no such figure."""
    # psutil reads the same file, but warns if another one, with counters that we do not need, is missing.
    if content := text(root / "proc/meminfo"):
        figures = dict(re.findall(r"^(Swap\w+):\s+(\d+) kB$", content, re.MULTILINE))
        total, free = whole(figures.get("SwapTotal", "")), whole(figures.get("SwapFree", ""))
        return None if total is None or free is None else Space(total * 1024, max(total - free, 0) * 1024)
    try:
        swap = psutil.swap_memory()
    except (OSError, RuntimeError):
        return None
    return Space(swap.total, swap.used)


def read_disk(path: Path) -> Space | None:
    """The disk of ``path``, which need not exist yet. Space reserved for administrators counts as used."""
    for folder in (path, *path.parents):
        try:
            usage = psutil.disk_usage(str(folder))
        except (OSError, ValueError):
            continue
        return Space(total=usage.total, used=usage.total - usage.free)
    return None


def read_pressure(root: Path = _ROOT) -> Pressure | None:
    """Linux's pressure stall information for memory: the container's, if it has its own, or the system's.

    None before Linux 4.20, if it is switched off, and on other systems.
    """
    folders = [folder for folder, _ in control_groups(root)]
    for file in (*(folder / "memory.pressure" for folder in folders[:1]), root / "proc/pressure/memory"):
        if content := text(file):
            return parse_pressure(content)
    return None


def parse_pressure(content: str) -> Pressure | None:
    """The pressure from the lines ``some avg10=0.00 avg60=… total=…`` and ``full …``."""
    waits = {
        kind: float(percent)
        for kind, percent in re.findall(r"^(some|full) avg10=([0-9]{1,3}\.[0-9]{2}) ", content, re.MULTILINE)
    }
    if "some" not in waits:
        return None
    if waits.get("full", 0.0) >= _CRITICAL_FULL:
        return Pressure.CRITICAL
    return Pressure.WARNING if waits["some"] >= _WARNING_SOME else Pressure.NORMAL
