"""A terminal of its own for one run of the program, so that it asks, shows progress and hears Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import select
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.support.program import COMMAND
from tests.support.pseudo_terminal import open_in_terminal

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Sequence

    from tests.support.program import Program


class Terminal:
    """``shown`` is every character that the program has written so far."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self._process = process
        self._master = master
        self.shown = ""

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    async def wait_for(self, text: str) -> None:
        await asyncio.to_thread(self._read_until, lambda: text in self.shown, f"{text!r} is shown")

    async def end(self) -> int:
        """The exit status, when the program has ended."""
        await asyncio.to_thread(self._read_until, lambda: self._process.poll() is not None, "it has ended")
        self._read(0)
        return self._process.returncode

    def _read_until(self, condition: object, what: str, timeout_s: float = 30) -> None:
        assert callable(condition)
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, f"not so in time: {what}; shown was {self.shown!r}"
            self._read(0.05)

    def _read(self, wait_s: float) -> None:
        while select.select([self._master], [], [], wait_s)[0]:
            try:
                self.shown += os.read(self._master, 65536).decode()
            except OSError:  # Linux tells so that the last one at the other end has closed it.
                time.sleep(wait_s)
                return
            wait_s = 0


@contextmanager
def terminal(
    llmstack: Program, *arguments: str, command: Sequence[str] = COMMAND, columns: int = 80
) -> Iterator[Terminal]:
    """Run the program in a terminal; it is killed at the end of the block if it has not ended."""
    process, master = open_in_terminal([*command, *arguments], llmstack.environment, columns=columns)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)
