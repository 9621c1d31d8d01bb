"""What a process holds, in figures that must not rise for ever."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from functools import _lru_cache_wrapper
from typing import Any, TypeVar

import psutil
from textual.cache import FIFOCache, LRUCache

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Counts:
    """At one moment, with all caches empty: they are bounded, and fill up with time.

    Attributes:
        blocks: pieces of memory that Python has given out.
        kinds: how many objects of each type the garbage collector knows.
    """

    blocks: int
    objects: int
    tasks: int
    timers: int
    threads: int
    files: int
    kinds: Counter[str]

    def growth(self, before: Counts, least: int = 1) -> dict[str, int]:
        """Of which types there are more than ``before``, the most first."""
        more = self.kinds - before.kinds
        return {name: count for name, count in more.most_common() if count >= least}


def count() -> Counts:
    """What there is now. Call it within an event loop that has nothing to do."""
    for each in gc.get_objects():
        if isinstance(each, LRUCache | FIFOCache):
            each.clear()
        elif type(each) is _lru_cache_wrapper:
            each.cache_clear()
    for _ in range(3):
        gc.collect()
    blocks = sys.getallocatedblocks()
    objects = gc.get_objects()
    loop: Any = asyncio.get_running_loop()
    return Counts(
        blocks=blocks,
        objects=len(objects),
        tasks=len(asyncio.all_tasks()),
        timers=sum(not handle.cancelled() for handle in loop._scheduled),  # noqa: SLF001 - asyncio tells no timers
        threads=threading.active_count(),
        files=psutil.Process().num_fds(),
        kinds=Counter(f"{type(each).__module__}.{type(each).__qualname__}" for each in objects),
    )


def alive(kind: type[T]) -> list[T]:
    """The objects of a type that somebody holds."""
    return [each for each in gc.get_objects() if isinstance(each, kind)]
