"""A pseudo-terminal with a program in it, as a terminal's window would start it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# The new session's leader takes the terminal as its own, and becomes the program. `pty.fork` is shorter,
# but a fork of a process that has threads is a warning.
_BECOME = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def open_in_terminal(
    command: Sequence[str],
    environment: Mapping[str, str],
    cwd: str | os.PathLike[str] | None = None,
    *,
    columns: int = 80,
    rows: int = 24,
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
