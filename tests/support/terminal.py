"""A real terminal around a program: a pseudo-terminal with an emulator behind it that keeps the screen."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import pyte

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# What a terminal answers to the questions that Textual asks of it at its start.
ANSWERS = {
    b"\x1b[6n": b"\x1b[1;1R",  # where is the cursor
    b"\x1b[c": b"\x1b[?62;c",  # what are you
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",  # synchronised output: known, off
}

KEYS = {
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "backspace": "\x7f",
    "delete": "\x1b[3~",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "ctrl+c": "\x03",
    "ctrl+p": "\x10",
    "ctrl+u": "\x15",
}


# The new session's leader takes the terminal as its own, and becomes the program. `pty.fork` is shorter,
# but a fork of a process that has threads is a warning.
_BECOME = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Terminal:
    """Run ``command`` in a terminal of ``columns`` × ``rows``; use it as a context manager.

    Attributes:
        received: bytes that the program wrote, and ``written`` these as text.
        heard_at_s: when it wrote last, by `time.perf_counter`: the emulator takes a while to draw it.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        columns: int = 120,
        rows: int = 40,
        cwd: str | os.PathLike[str] | None = None,
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.received = 0
        self.written = ""
        self.heard_at_s = 0.0
        known = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self._process, self._fd = _open(command, known | dict(environment), cwd, columns=columns, rows=rows)
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._ended():
            self._process.terminate()
            if not self.until(self._ended, 10):
                self._process.kill()
        self._process.wait()
        os.close(self._fd)

    @property
    def text(self) -> str:
        """What the screen shows, a line for a row."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    @property
    def words(self) -> str:
        """`text` without frames and line breaks, for sentences that may be wrapped."""
        return " ".join(
            "".join(" " if "\u2500" <= letter <= "\u257f" else letter for letter in self.text).split()
        )

    @property
    def shows_cursor(self) -> bool:
        return not self._screen.cursor.hidden

    def clear(self) -> None:
        """Forget what the screen shows."""
        self._screen.reset()

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._screen.resize(rows, columns)

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def press(self, *keys: str) -> None:
        """Press keys by name ("enter") or character, one after the other."""
        for key in keys:
            self.type(KEYS.get(key, key))
            # An escape is told from the start of a sequence by the silence after it.
            self.pump(0.2 if key == "escape" else 0.02)

    def pump(self, seconds: float) -> bool:
        """Read what the program writes for so long; False when its terminal is closed."""
        end = time.monotonic() + seconds
        while True:
            readable, _, _ = select.select([self._fd], [], [], max(0.0, end - time.monotonic()))
            if not readable:
                return True
            try:
                data = os.read(self._fd, 65536)
            except OSError:
                return False
            if not data:
                return False
            self.received += len(data)
            self.written += data.decode(errors="replace")
            self.heard_at_s = time.perf_counter()
            for question, answer in ANSWERS.items():
                if question in data:
                    os.write(self._fd, answer)
            self._stream.feed(data)

    def heard(self, text: str, timeout_s: float) -> bool:
        """Read until the program has written ``text``; whether it was in time. The screen does not show it.

        For what is timed: drawing takes the emulator longer than some programs take to write.
        """
        tail, deadline = b"", time.monotonic() + timeout_s
        while (left_s := deadline - time.monotonic()) > 0:
            if select.select([self._fd], [], [], left_s)[0]:
                tail = tail[-100:] + os.read(self._fd, 65536)
                if text and text.encode() in tail:
                    return True
        return False

    def wait_for(self, *texts: str, timeout_s: float = 30) -> None:
        """Until all of ``texts`` are on the screen, wrapped or not."""
        if not self.until(lambda: all(text in self.text or text in self.words for text in texts), timeout_s):
            raise AssertionError(f"{texts} not on the screen after {timeout_s} s:\n{self.text}")

    def wait_without(self, text: str, timeout_s: float = 30) -> None:
        """Until ``text`` is no longer on the screen."""
        if not self.until(lambda: text not in self.text, timeout_s):
            raise AssertionError(f"{text!r} still on the screen after {timeout_s} s:\n{self.text}")

    def wait_exit(self, timeout_s: float = 30) -> int:
        """Until the program ends; its exit status, negative for a signal."""
        if not self.until(self._ended, timeout_s):
            raise AssertionError(f"still running after {timeout_s} s:\n{self.text}")
        self.pump(0.2)
        return self._process.returncode

    def hang_up(self) -> None:
        """What a lost terminal is to the program: its other end is closed."""
        os.close(self._fd)
        self._fd = os.open(os.devnull, os.O_RDWR)

    def _ended(self) -> bool:
        return self._process.poll() is not None

    def until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Read what the program writes until it is so; whether it was in time."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                return False
            if not self.pump(0.05):
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(0.05)
        return True


def _open(
    command: Sequence[str],
    environment: Mapping[str, str],
    cwd: str | os.PathLike[str] | None,
    *,
    columns: int,
    rows: int,
) -> tuple[subprocess.Popen[bytes], int]:
    """Start ``command``, its first word a full path; the process, and the terminal's other end to close.

    The terminal has its size from the beginning, as a window has.
    """
    master, slave = pty.openpty()
    try:
        termios.tcsetwinsize(slave, (rows, columns))
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _BECOME, *command],
            # A window knows its size. pytest-xdist tells its own, which would count for more.
            env={name: value for name, value in environment.items() if name not in ("COLUMNS", "LINES")},
            cwd=cwd,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
    finally:
        os.close(slave)
    return process, master
