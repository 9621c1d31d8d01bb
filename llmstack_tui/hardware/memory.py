"""The machine's main memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil

_ROOT = Path("/")


@dataclass(frozen=True, slots=True)
class Memory:
    """Main memory in bytes; ``used`` is what cannot be had without taking it from a program."""

    total: int
    used: int

    @property
    def percent(self) -> float:
        """Used of total, 0 to 100."""
        return 100 * self.used / self.total if self.total else 0.0


def read_memory(root: Path = _ROOT) -> Memory:
    """The memory that this process may use: the machine's, or less where its container has a limit.

    Args:
        root: the folder below which ``proc`` and ``sys`` are looked for.
    """
    machine = psutil.virtual_memory()
    whole = Memory(total=machine.total, used=machine.total - machine.available)
    limited = container_memory(root)
    return limited if limited is not None and limited.total < whole.total else whole


def container_memory(root: Path = _ROOT) -> Memory | None:
    """The lowest limit that control groups set for this process, and what is used of it; None without one."""
    limits = [
        memory
        for folder, limit, current, inactive in _groups(root)
        if (memory := _group_memory(folder, limit, current, inactive)) is not None
    ]
    return min(limits, key=lambda memory: memory.total, default=None)


def _groups(root: Path) -> list[tuple[Path, str, str, str]]:
    """The folders of this process's control groups with the names of their files.

    A limit can be set on any group above its own, so all are named. In a container the path that ``proc``
    tells may not exist, because the tree is its own group: then the top is what counts.
    """
    groups = []
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            top, names = root / "sys/fs/cgroup", ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            top = root / "sys/fs/cgroup/memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        own = top / path.lstrip("/")
        groups += [(folder, *names) for folder in (own, *own.parents) if folder.is_relative_to(top)]
    return groups


def _group_memory(folder: Path, limit: str, current: str, inactive: str) -> Memory | None:
    total, used = _number(_text(folder / limit)), _number(_text(folder / current))
    if total is None or used is None:
        return None
    # Pages of files that nobody used lately are given up before anything else: they are free, as the kernel's
    # own "available" counts them.
    stat = dict(line.split(" ", 1) for line in _text(folder / "memory.stat").splitlines() if " " in line)
    return Memory(total=total, used=max(0, used - (_number(stat.get(inactive, "")) or 0)))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, ValueError):
        return ""


def _number(text: str) -> int | None:
    return int(text) if text.strip().isdecimal() else None
