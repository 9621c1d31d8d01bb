"""Locks so that one program at a time acts on a host. The system releases them after a crash."""

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
        state: the state file, beside which the lock files are; None if it is in memory, so that no other
            program shares it.
        purpose: one word; each purpose has its own locks.
    """

    def __init__(self, state: Path | None, purpose: str) -> None:
        self._state = state
        self._purpose = purpose
        self._held: dict[str, FileLock] = {}

    async def hold(self, hosts: Collection[str]) -> frozenset[str]:
        """Try to hold the locks of exactly these hosts; returns those whose locks are held."""
        if self._state is None:
            return frozenset(hosts)
        for host in self._held.keys() - hosts:
            self._held.pop(host).release()
        if wanted := [host for host in hosts if host not in self._held]:
            self._held |= await asyncio.to_thread(_acquired, f"{self._state}.{self._purpose}", wanted)
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
