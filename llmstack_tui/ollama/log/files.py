"""The end of a log file, and what is written to it from then on. Blocking: to be called in a thread.

A log may be emptied or replaced while it is read (by logrotate, or by Ollama's app at its start), be written
faster than it is read, and hold anything.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from llmstack_tui.base.sentences import Failure, Sentence

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLICE_BYTES = 64 * 1024
# A slice of it takes some 10 ms to read and parse; a log that is further ahead than this is cut short.
MOST_BEHIND_BYTES = 8 * 2**20
_KEPT_BYTES = 2**20
_LONGEST_LINE = 16 * 1024


class LogUnreadable(Failure):
    """A log that cannot be read."""


class FilePiece(NamedTuple):
    """Lines without their ends, maybe none, and what happened to the file before them."""

    lines: list[bytes]
    happened: Sentence | None = None


class LogFile:
    """Reads a file from near its end.

    Args:
        tail_bytes: how much of what is there already.
    """

    def __init__(self, path: Path, tail_bytes: int) -> None:
        self._path = path
        self._rest = b""
        self._is_cut = False
        self._file = _opened(path)
        size = os.fstat(self._file.fileno()).st_size
        self._older = list(_older(path, tail_bytes - size)) if size < tail_bytes else []
        if size > tail_bytes:
            self._file.seek(size - tail_bytes)
            self._is_cut = True  # The first line is not whole.

    def close(self) -> None:
        self._file.close()

    @property
    def rest(self) -> bytes:
        """The beginning of a line that has not ended yet."""
        return self._rest

    def read(self) -> FilePiece | None:
        """The next lines; None if there is nothing new.

        Raises:
            LogUnreadable: the disk fails, or a new file may not be read.
        """
        if self._older:
            return FilePiece(self._older.pop(0).splitlines())
        try:
            return self._read()
        except OSError as error:
            why = error.strerror or str(error)
            raise LogUnreadable("log.unreadable", file=str(self._path), why=why) from None

    def _read(self) -> FilePiece | None:
        happened = None
        size, position = os.fstat(self._file.fileno()).st_size, self._file.tell()
        if size < position:
            self._file.seek(0)
            self._rest, self._is_cut = b"", False
            happened = Sentence("log.began_anew")
        elif size - position > MOST_BEHIND_BYTES:
            self._file.seek(size - _KEPT_BYTES)
            self._rest, self._is_cut = b"", True
            happened = Sentence("log.skipped", {"size": size - position - _KEPT_BYTES})
        piece = self._file.read(SLICE_BYTES)
        if not piece and happened is None and self._was_replaced():
            self._file.close()
            self._file = _opened(self._path)
            lines = [self._rest] if self._rest else []
            self._rest, self._is_cut = b"", False
            return FilePiece(lines, Sentence("log.began_anew"))
        return FilePiece(self._lines(piece), happened) if piece or happened is not None else None

    def _lines(self, piece: bytes) -> list[bytes]:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if lines and self._is_cut:
            del lines[0]
            self._is_cut = False
        if len(self._rest) > _LONGEST_LINE:
            if not self._is_cut:
                lines.append(self._rest)
            self._rest, self._is_cut = b"", True
        return [line[:_LONGEST_LINE].rstrip(b"\r") for line in lines]

    def _was_replaced(self) -> bool:
        """Whether another file has its name now; while there is none, this one is kept."""
        with suppress(OSError):
            ours, there = os.fstat(self._file.fileno()), self._path.stat()
            return (ours.st_dev, ours.st_ino) != (there.st_dev, there.st_ino)
        return False


def _opened(path: Path) -> BinaryIO:
    try:
        # Opened at once, so that nothing waits for the other end of a pipe.
        file = os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb")
    except FileNotFoundError:
        raise LogUnreadable("log.missing", file=str(path)) from None
    except IsADirectoryError:
        raise LogUnreadable("log.no_file", file=str(path)) from None
    except OSError as error:
        raise LogUnreadable("log.unreadable", file=str(path), why=error.strerror or str(error)) from None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise LogUnreadable("log.no_file", file=str(path))
    return file


def _older(path: Path, wanted_bytes: int) -> Iterator[bytes]:
    """The end of the log before this one: ``server-1.log`` of Ollama's app, ``ollama.log.1`` of logrotate."""
    for older in (path.with_name(f"{path.stem}-1{path.suffix}"), path.with_name(f"{path.name}.1")):
        with suppress(LogUnreadable, OSError), _opened(older) as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - wanted_bytes))
            content = file.read(wanted_bytes)
            yield content if size <= wanted_bytes else content.partition(b"\n")[2]
            return
