"""Waiting for a condition instead of for a time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


async def wait_until(predicate: Callable[[], object], timeout_s: float = 10.0, what: str = "") -> None:
    """Return as soon as ``predicate()`` is true; fail the test after ``timeout_s`` seconds."""
    deadline = time.monotonic() + timeout_s
    while not predicate():
        if time.monotonic() > deadline:
            raise AssertionError(f"not so after {timeout_s} s: {what or predicate}")
        await asyncio.sleep(0.01)


def wait_until_sync(predicate: Callable[[], object], timeout_s: float = 10.0, what: str = "") -> None:
    """`wait_until` for tests without an event loop."""
    deadline = time.monotonic() + timeout_s
    while not predicate():
        if time.monotonic() > deadline:
            raise AssertionError(f"not so after {timeout_s} s: {what or predicate}")
        time.sleep(0.01)
