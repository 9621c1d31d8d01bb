"""How many threads a model should compute with."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

_CGROUP_V2 = "sys/fs/cgroup/cpu.max"
_CGROUP_V1 = ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "sys/fs/cgroup/cpu/cpu.cfs_period_us")


def default_threads(root: Path = Path("/")) -> int:
    """The physical cores that this process may use.

    A second thread on a core gains nothing, and one more than there is processor time for halves the speed,
    because all wait for the slowest. So a container's share counts, too.
    """
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = min(cores, len(os.sched_getaffinity(0)))
    share = _container_share(root)
    return max(1, cores if share is None else min(cores, int(share)))


def _container_share(root: Path) -> float | None:
    """The cores' worth of time that the container gets, None without a limit."""
    try:
        quota, period = (root / _CGROUP_V2).read_text().split()
    except (OSError, ValueError):
        try:
            quota, period = ((root / name).read_text().strip() for name in _CGROUP_V1)
        except OSError:
            return None
    try:
        return int(quota) / int(period) if int(quota) > 0 else None
    except (ValueError, ZeroDivisionError):
        return None
