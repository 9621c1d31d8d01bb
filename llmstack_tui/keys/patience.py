"""Calls that may hang, such as those of a keyring that waits for its owner."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from llmstack_tui.keys.types import KeysFailed

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


async def limited(act: Callable[[], T], limit_s: float) -> T:
    """Run what may hang in a thread that is left behind after ``limit_s``, and keeps no process alive.

    Raises:
        KeysFailed: it hangs, or failed so.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # of ``act``, which may be None

    def work() -> None:
        result, error = None, None
        try:
            result = act()
        except BaseException as raised:  # noqa: BLE001 (it goes on in the task that waits)
            error = raised
        with suppress(RuntimeError):  # The loop has ended.
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=work, name="keyring", daemon=True).start()
    try:
        return await asyncio.wait_for(done, limit_s)
    except TimeoutError:
        raise KeysFailed("keys.keyring_hangs", limit_s=limit_s) from None
