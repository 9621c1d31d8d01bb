"""Locks so that one program at a time acts on a host. The system releases them after a crash."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

from llmstack_tui.store.errors import LockNotMade

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

    Attributes:
        trouble: why a lock could not be made at the last try; None if all could.
    """

    def __init__(self, state: Path | None, purpose: str) -> None:
        self._state = state
        self._purpose = purpose
        self._held: dict[str, FileLock] = {}
        self.trouble: LockNotMade | None = None

    async def hold(self, hosts: Collection[str]) -> frozenset[str]:
        """Try to hold the locks of exactly these hosts; returns those that no other program is known to hold.

        A lock that cannot be made (a folder without permission, a full disk) is not one that is held: nobody
        else has it, either, and to wait for it would be to wait for ever. See `trouble`.
        """
        if self._state is None:
            return frozenset(hosts)
        for host in self._held.keys() - hosts:
            self._held.pop(host).release()
        unmade: frozenset[str] = frozenset()
        if wanted := [host for host in hosts if host not in self._held]:
            made, unmade, self.trouble = await asyncio.to_thread(
                _acquired, f"{self._state}.{self._purpose}", wanted
            )
            self._held |= made
        return unmade.union(self._held)

    def release(self) -> None:
        while self._held:
            self._held.popitem()[1].release()


def _acquired(
    start: str, hosts: Collection[str]
) -> tuple[dict[str, FileLock], frozenset[str], LockNotMade | None]:
    """The locks that were free, the hosts whose locks cannot be made, and why."""
    from filelock import FileLock, Timeout  # noqa: PLC0415  # most sessions need none

    made: dict[str, FileLock] = {}
    unmade: set[str] = set()
    trouble: LockNotMade | None = None
    for host in hosts:
        name = hashlib.sha256(host.encode()).hexdigest()[:12]
        lock = FileLock(f"{start}-{name}.lock", timeout=0, thread_local=False, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            continue
        except (OSError, NotImplementedError) as error:
            unmade.add(host)
            why = getattr(error, "strerror", None) or str(error)
            trouble = LockNotMade("store.no_lock", file=lock.lock_file, why=why)
        else:
            made[host] = lock
    return made, frozenset(unmade), trouble
