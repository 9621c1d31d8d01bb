"""Ctrl-C and SIGTERM: they end a command at any moment, whatever it waits for."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping
    from types import FrameType

    _Handler = Callable[[int, FrameType | None], object]

GRACE_S = 1.5
"""How long a command may clean up after a signal. Files and the store survive an end in the middle."""


class EndedBySignal(KeyboardInterrupt):
    """A signal has ended the command; ``number`` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def run(work: Coroutine[object, object, int]) -> int:
    """Run a command to its end and return its exit status.

    A signal cancels it. If it has not ended `GRACE_S` later, or at a second signal, the process ends at once:
    a thread may wait for a disk, or for the address of a server, and nothing can cancel that.

    Raises:
        EndedBySignal: a signal has ended it.
    """
    if sys.platform == "win32":  # Its event loop needs the only place where signals can be heard.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return asyncio.run(work)
    heard: list[int] = []
    try:
        return asyncio.run(_watched(work, heard))
    except BaseException:
        if heard:
            raise EndedBySignal(heard[0]) from None
        raise


async def _watched(work: Coroutine[object, object, int], heard: list[int]) -> int:
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None  # noqa: S101  # `asyncio.run` made it.
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def watch() -> None:
        number = os.read(reader, 1)[0]
        heard.append(number)
        with suppress(RuntimeError):  # The loop has ended: only the interpreter has not.
            loop.call_soon_threadsafe(task.cancel)
        select.select([reader], [], [], GRACE_S)
        os._exit(128 + number)

    # The thread hears of a signal even while this one is in a call that does not return. It and the handlers
    # stay until the process has ended.
    threading.Thread(target=watch, name="interruption", daemon=True).start()
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # The thread does what is to be done.
    return await work


@contextmanager
def reading() -> Iterator[None]:
    """While the block reads the terminal, Ctrl-C is a `KeyboardInterrupt`, and does not end the command."""

    def end(number: int, _: object) -> None:
        raise EndedBySignal(number)

    with _heard_by({signal.SIGINT: signal.default_int_handler, signal.SIGTERM: end}):
        yield


@contextmanager
def stoppable(stop: Callable[[], object]) -> Iterator[None]:
    """While the block waits in the event loop, Ctrl-C calls ``stop`` and does not end the command."""
    loop = asyncio.get_running_loop()
    with _heard_by({signal.SIGINT: lambda *_: loop.call_soon_threadsafe(stop)}):
        yield


@contextmanager
def _heard_by(handlers: Mapping[signal.Signals, _Handler]) -> Iterator[None]:
    """Other handlers of signals; the thread of `run` hears of SIGTERM only where there is none."""
    waker = signal.set_wakeup_fd(-1)

    def to_thread(number: int, _: object) -> None:
        os.write(waker, bytes((number,)))

    if waker != -1:
        handlers = {signal.SIGTERM: to_thread, **handlers}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(waker)
