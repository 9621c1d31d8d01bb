"""Locks by which one program at a time does something on a host: the system's, so a crash leaves none."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from filelock import FileLock


class Locks:
    """The locks of one program for one purpose.

    Args:
        beside: the file beside which the lock files are; None where no other program can have one.
        what: the purpose, one word; each has its own locks.
    """

    def __init__(self, beside: Path | None, what: str) -> None:
        self._beside = beside
        self._what = what
        self._held: dict[str, FileLock] = {}

    async def hold(self, hosts: Collection[str]) -> frozenset[str]:
        """Hold the locks of these hosts and no others; returns the hosts whose locks are held."""
        if self._beside is None:
            return frozenset(hosts)
        for host in self._held.keys() - hosts:
            self._held.pop(host).release()
        if wanted := [host for host in hosts if host not in self._held]:
            self._held |= await asyncio.to_thread(_acquired, f"{self._beside}.{self._what}", wanted)
        return frozenset(self._held)

    def release(self) -> None:
        while self._held:
            self._held.popitem()[1].release()


def _acquired(start: str, hosts: Collection[str]) -> dict[str, FileLock]:
    from filelock import FileLock, Timeout  # noqa: PLC0415  # most sessions need none

    found: dict[str, FileLock] = {}
    for host in hosts:
        name = hashlib.sha256(host.encode()).hexdigest()[:12]
        lock = FileLock(f"{start}-{name}.lock", timeout=0, thread_local=False, mode=0o600)
        try:
            lock.acquire()
        except (Timeout, OSError):
            continue
        found[host] = lock
    return found
