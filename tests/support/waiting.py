"""Waiting for a condition instead of for a time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

T = TypeVar("T")
_EVERY_S = 0.01


async def wait_until(
    predicate: Callable[[], object], timeout_s: float = 10.0, what: str = "", *, every_s: float = _EVERY_S
) -> None:
    """Return as soon as ``predicate()`` is true; fail the test after ``timeout_s`` seconds.

    To look takes a third of the time at most: to draw a whole screen would slow down what is waited for.
    """
    looked_at = time.monotonic()
    deadline = looked_at + timeout_s
    while not _holds(predicate):
        _check(deadline, what or predicate)
        await asyncio.sleep(max(every_s, 2 * (time.monotonic() - looked_at)))
        looked_at = time.monotonic()


async def wait_for(ask: Callable[[], Awaitable[T]], timeout_s: float = 10.0, what: str = "") -> T:
    """The first true answer of ``ask``; fail the test after ``timeout_s`` seconds."""
    deadline = time.monotonic() + timeout_s
    while not (answer := await ask()):
        _check(deadline, what or ask)
        await asyncio.sleep(_EVERY_S)
    return answer


def wait_until_sync(predicate: Callable[[], object], timeout_s: float = 10.0, what: str = "") -> None:
    """`wait_until` for tests without an event loop."""
    deadline = time.monotonic() + timeout_s
    while not _holds(predicate):
        _check(deadline, what or predicate)
        time.sleep(_EVERY_S)


async def stays(predicate: Callable[[], object], seconds: float) -> None:
    """Fail the test where ``predicate()`` is false within so many seconds: for what must not happen."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert predicate()
        await asyncio.sleep(_EVERY_S)


async def settle(steps: int = 30) -> None:
    """Let everything run that can, for so many steps of the event loop."""
    for _ in range(steps):
        await asyncio.sleep(0)


async def paced(count: int, every_s: float) -> AsyncIterator[int]:
    """Numbers, so many seconds apart: for what happens at a rate."""
    began = time.monotonic()
    for number in range(count):
        await asyncio.sleep(began + number * every_s - time.monotonic())
        yield number


def _holds(predicate: Callable[[], object]) -> bool:
    """Whether it is so. What a predicate looks for with ``next`` or by its key may not be there yet."""
    try:
        return bool(predicate())
    except (StopIteration, LookupError):
        return False


def _check(deadline: float, what: object) -> None:
    assert time.monotonic() < deadline, f"not so in time: {what}"
