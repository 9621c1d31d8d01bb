"""The terminal that the dashboard runs in: whether it can, and what ends it from outside."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping, Sequence
    from typing import IO

LOST = 128 + 1
"""The exit status of a program that a hang-up ended."""

_SCRIPTS = "For scripts there are commands: llmstack --help lists them."


def unusable(environ: Mapping[str, str], streams: Sequence[IO[str] | None]) -> str | None:
    """Why the dashboard cannot be shown here, in a sentence that says what to do; None when it can.

    Args:
        streams: standard input, output and error. The screen is written to standard error.
    """
    if not all(stream is not None and stream.isatty() for stream in streams):
        return f"llmstack: the dashboard needs a terminal for input, output and errors. {_SCRIPTS}"
    if environ.get("TERM", "") in {"", "dumb", "unknown"}:
        named = environ.get("TERM") or "not set"
        return (
            f"llmstack: this terminal cannot show the dashboard (TERM is {named}). "
            f"Set TERM to what it is, such as xterm-256color. {_SCRIPTS}"
        )
    return None


def on_signals(loop: asyncio.AbstractEventLoop, end: Callable[[int], None]) -> None:
    """Have ``end`` called with the exit status when a signal asks the program to end.

    Left to themselves these signals would leave the terminal in raw mode, on the other screen.
    """
    for name in ("SIGTERM", "SIGHUP", "SIGINT"):
        number = getattr(signal, name, None)
        if number is not None:
            with suppress(NotImplementedError):  # Windows has no signals on the loop.
                loop.add_signal_handler(number, end, 128 + number)


class TerminalWatch:
    """Ends the program when its terminal is gone, also where no SIGHUP says so (nohup, a lost container).

    Without it the reading thread would spin on the end of the file, and a full queue to the writing thread,
    which has failed, would block the event loop for ever. Hence a thread of its own, and after some grace the
    hard way.
    """

    def __init__(
        self,
        on_lost: Callable[[], object],
        *,
        is_there: Callable[[], bool] = lambda: os.isatty(sys.__stdin__.fileno() if sys.__stdin__ else 0),
        every_s: float = 1.0,
        grace_s: float = 5.0,
        end: Callable[[int], object] = os._exit,
    ) -> None:
        self._on_lost = on_lost
        self._is_there = is_there
        self._every_s = every_s
        self._grace_s = grace_s
        self._end = end
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="terminal-watch", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._every_s):
            if not self._is_there():
                self._on_lost()
                if not self._stopped.wait(self._grace_s):
                    self._end(LOST)
                return
