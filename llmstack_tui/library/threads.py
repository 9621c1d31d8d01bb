"""Blocking work in a thread that tells how far it is, and ends early when whoever waits for it goes."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, TypeVar

from llmstack_tui.library.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmstack_tui.library.blobs import OnProgress

T = TypeVar("T")


async def in_thread(work: Callable[[OnProgress], T], tell: OnProgress) -> T:
    """Do ``work`` in a thread. If this is cancelled, the work ends at its next step, and is waited for.

    Args:
        tell: called in the thread with each step.
    """
    leave = threading.Event()

    def progress(status: str, completed: int | None, total: int | None) -> None:
        if leave.is_set():
            raise Cancelled
        tell(status, completed, total)

    working = asyncio.ensure_future(asyncio.to_thread(work, progress))
    try:
        return await asyncio.shield(working)
    finally:
        leave.set()
        await asyncio.wait((working,))
        if not working.cancelled():
            working.exception()  # Whoever waited has got it: mark it as retrieved.
