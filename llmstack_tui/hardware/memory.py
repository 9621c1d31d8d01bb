"""The machine's main memory, or as much of it as this process may use."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import psutil
from msgspec import Struct

from llmstack_tui.hardware.numbers import whole

_ROOT = Path("/")


class Memory(Struct, frozen=True):
    """Main memory in bytes; ``used`` is what cannot be had without taking it from a program."""

    total: int
    used: int

    @property
    def percent(self) -> float:
        """Used of total, 0 to 100."""
        return 100 * self.used / self.total if self.total else 0.0


class _Names(NamedTuple):
    """The files of a control group, and the lines of its ``memory.stat`` that count what can be given up."""

    limit: str
    used: str
    reclaimable: tuple[str, ...]


# What the older control groups tell where there is no limit is the largest number there is, in whole pages.
_NO_LIMIT = 2**62
_VERSION_1 = _Names(
    "memory.limit_in_bytes", "memory.usage_in_bytes", ("total_inactive_file", "total_active_file")
)
_VERSION_2 = _Names("memory.max", "memory.current", ("inactive_file", "active_file", "slab_reclaimable"))


def read_memory(root: Path = _ROOT) -> Memory:
    """The memory that this process may use: the machine's, or less where its container has a limit.

    Args:
        root: the folder below which ``proc`` and ``sys`` are looked for.
    """
    machine = psutil.virtual_memory()
    limited = container_memory(root)
    if limited is None or limited.total >= machine.total:
        return Memory(total=machine.total, used=machine.total - machine.available)
    # The machine may have less to give than the container would be allowed.
    free = min(limited.total - limited.used, machine.available)
    return Memory(total=limited.total, used=limited.total - free)


def container_memory(root: Path = _ROOT) -> Memory | None:
    """The lowest limit that control groups set for this process, and what is used of it; None without one."""
    limits = [memory for folder, names in control_groups(root) if (memory := _limited(folder, names))]
    return min(limits, key=lambda memory: memory.total, default=None)


def control_groups(root: Path = _ROOT) -> list[tuple[Path, _Names]]:
    """The folders of this process's control groups, its own first, with the names of their files.

    A limit can be set on any group above its own, so all are named. In a container the path that ``proc``
    tells may not exist, because the tree is its own group: then the top is what counts.
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
        # A group outside what the container sees is told as "/../…".
        own = top if ".." in path else top / path.lstrip("/")
        depth = len(own.parts) - len(top.parts)
        groups += [(folder, names) for folder in (own, *own.parents)[: depth + 1]]
    return groups


def text(path: Path) -> str:
    """The content of a small file of the system; empty when there is none to be read."""
    try:
        return path.read_text()
    except (OSError, ValueError):
        return ""


def _limited(folder: Path, names: _Names) -> Memory | None:
    total = whole(text(folder / names.limit))
    if total is None or total > _NO_LIMIT:
        return None
    used = whole(text(folder / names.used))
    if used is None:
        return None
    # Pages of files are given up before a program is refused memory: they are free, as in the kernel's own
    # "available".
    stat = dict(line.split(" ", 1) for line in text(folder / "memory.stat").splitlines() if " " in line)
    reclaimable = sum(whole(stat.get(name, "")) or 0 for name in names.reclaimable)
    return Memory(total=total, used=min(max(0, used - reclaimable), total))
