"""What a command writes: text that is safe on a terminal, tables, documents, a line that says what goes on.

Answers go to standard output, everything else to standard error, so that a script sees only answers.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from llmstack_tui.base.text import clean

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping, Sequence

PROGRAM = "llmstack"

_MARKS = {"active": "●", "inactive": "○", "loading": "◌", "stopping": "◐", "cloud": "☁"}
_ASCII_MARKS = {"active": "*", "inactive": "o", "loading": ".", "stopping": "~", "cloud": "@"}


class Failed(Exception):
    """The command did not do what was asked; the text is a sentence that says what to do."""


class WrongUsage(Exception):
    """The command was called in a way that makes no sense; the text is a sentence."""


def write(text: str, *, end: str = "\n") -> None:
    print(text, end=end, flush=True)


def answer(options: Namespace, document: Mapping[str, object], *said: str | Callable[[], None]) -> int:
    """With --json the document, else sentences, or what ``said`` writes; the status of what succeeded."""
    if options.json:
        write_document(document)
        return 0
    for each in said:
        if isinstance(each, str):
            write(clean(each))
        else:
            each()
    return 0


def write_document(document: Mapping[str, object], *, indent: int | None = 2) -> None:
    """Write one JSON document, without ``indent`` in a line. In ASCII, which every encoding can carry."""
    import json

    write(json.dumps(document, indent=indent, default=_plain))


def _plain(value: object) -> object:
    """What JSON has no word for: a time in ISO 8601, a length of time in seconds, a path as its text."""
    from datetime import datetime, timedelta
    from pathlib import Path

    match value:
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Path():
            return str(value)
    raise TypeError(f"{value!r} cannot be written as JSON")


def say(text: str) -> None:
    """A sentence for the person, beside the answer."""
    _to_stderr(f"{PROGRAM}: {clean(text, None)}\n")


def mark(state: str) -> str:
    """The sign of a model's state, in what standard output can show."""
    return (_MARKS if shows(sys.stdout, "".join(_MARKS.values())) else _ASCII_MARKS)[state]


def shows(stream: TextIO | None, text: str) -> bool:
    """Whether a stream's encoding has all characters of ``text``."""
    try:
        text.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def write_table(heads: Sequence[str], rows: Sequence[Sequence[str]], hosts: Sequence[str] = ()) -> None:
    """Write rows under their heads. A head that begins with ">" is of a column that is set to the right.

    Args:
        hosts: that of each row, which is its last column where there are several.
    """
    if len(set(hosts)) > 1:
        heads = [*heads, "HOST"]
        rows = [[*row, host] for row, host in zip(rows, hosts, strict=True)]
    right = [head.startswith(">") for head in heads]
    cells = [[head.lstrip(">") for head in heads], *([_as_shown(cell) for cell in row] for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (
            " " * (width - _width(cell)) + cell if to_right else cell + " " * (width - _width(cell))
            for cell, width, to_right in zip(row, widths, right, strict=True)
        )
        write("  ".join(padded).rstrip())


def counted(count: int, thing: str) -> str:
    """A number of things: "1 model", "2 models"."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def clock(seconds: float) -> str:
    """A length of time: "0:07", "1:02:03"."""
    minutes, rest = divmod(max(round(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class StatusLine:
    """One line on standard error that is written over and over; nothing where that is no terminal."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._shown = False
        self.enabled = is_terminal(sys.stderr) and environ.get("TERM", "") not in ("", "dumb")

    def show(self, text: str) -> None:
        if self.enabled:
            columns = os.get_terminal_size(sys.stderr.fileno()).columns or 80
            _to_stderr(f"\r\x1b[K{clipped(clean(text), columns - 1)}")
            self._shown = True

    def clear(self) -> None:
        if self._shown:
            _to_stderr("\r\x1b[K")
            self._shown = False


def draw(lines: Sequence[str]) -> None:
    """Write lines beneath what stands there, for `undraw` to take away again; the cursor is under them."""
    _to_stderr("".join(f"\r\x1b[K{line}\n" for line in lines))


def undraw(count: int) -> None:
    _to_stderr("\x1b[1A\x1b[2K" * count + "\r")


def confirm(options: Namespace, question: str, otherwise: str) -> None:
    """Ask before something is lost, unless --yes was said.

    Raises:
        Failed: ``otherwise``, for a no, or because nobody can be asked.
    """
    if options.yes:
        return
    if options.json or not is_terminal(sys.stdin):
        raise Failed(f"{otherwise} There is no terminal to ask on: say --yes if that is meant.")
    if not _ask(question):
        raise Failed(otherwise)


def _ask(question: str) -> bool:
    """A question with yes and no on the terminal; anything but a yes is a no."""
    import signal

    _to_stderr(f"{clean(question, None)} [y/N] ")
    # An event loop's own handler would wait until there is a line.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return sys.stdin.readline().strip().lower() in ("y", "yes")
    finally:
        signal.signal(signal.SIGINT, before)


def is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty()


def _to_stderr(text: str) -> None:
    # There is nowhere to tell that there is nowhere to tell.
    with suppress(OSError):
        if sys.stderr is not None:
            sys.stderr.write(text)
            sys.stderr.flush()


def _as_shown(text: str) -> str:
    """As standard output will have it, so that columns are measured by what is seen."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return clean(text, None).encode(encoding, errors="replace").decode(encoding)


def _width(text: str) -> int:
    """Cells that a text takes in a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(sign) else 2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def clipped(text: str, width: int) -> str:
    """As much of a text as so many cells of a terminal hold."""
    while _width(text) > width:
        text = text[:-1]
    return text
