"""The start of a file, read value by value. Any value may be wrong, and the file may be of another kind."""

from __future__ import annotations

import codecs
import os
import struct
from contextlib import contextmanager
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING, BinaryIO

from llmstack_tui.base.sentences import UserFacingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A vocabulary of 262,144 tokens with its merges takes 16 MiB.
MAX_HEADER = 64 * 1024**2
# The longest texts in a header are chat templates and licences.
MAX_STRING = 16 * 1024**2
_FIRST_READ = 256 * 1024

LENGTH = struct.Struct("<Q")

_MAGICS = (
    (b"GGUF", ""),
    (b"PK\x03\x04", "a ZIP or PyTorch file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z file"),
    (b"\x80\x02", "a Python pickle"),
    (b"%PDF", "a PDF file"),
    (b"\x7fELF", "a program"),
    ((b"ggjt", b"tjgg", b"lmgg", b"fmgg"), "a GGML file from before GGUF"),
    (b"version https://git-lfs", "a Git LFS pointer"),
)


class InvalidGGUF(UserFacingError, ValueError):
    """A file is not a GGUF model, or is broken; ``str(error)`` is a sentence for the user."""


@contextmanager
def open_regular(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """The file and its size in bytes. Never waits: a pipe or a device is refused unread.

    Raises:
        InvalidGGUF: the file does not exist, is not a regular file, is empty, or may not be read.
    """
    flags = (
        os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    )
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise InvalidGGUF(f"There is no file {path}.") from None
    except ValueError:
        raise InvalidGGUF(f"{str(path)!r} cannot be the name of a file.") from None
    except OSError as error:
        if os.path.isdir(path):  # noqa: PTH112 — never raises; Windows does not open folders
            raise InvalidGGUF(f"{path} is a folder, not a GGUF file.") from None
        raise InvalidGGUF(f"{path} cannot be read: {error.strerror}.") from None
    try:
        status = os.fstat(descriptor)
        if S_ISDIR(status.st_mode):
            raise InvalidGGUF(f"{path} is a folder, not a GGUF file.")
        if not S_ISREG(status.st_mode):
            raise InvalidGGUF(f"{path} is a device, a pipe or a socket, not a GGUF file.")
        if status.st_size == 0:
            raise InvalidGGUF(f"{path} is empty.")
        yield os.fdopen(descriptor, "rb", buffering=0, closefd=False), status.st_size
    finally:
        os.close(descriptor)


class Source:
    """The start of a file, read as far as it is needed.

    The bytes are copied, not mapped: a mapped file that is cut short kills the process that reads it.
    """

    def __init__(self, file: BinaryIO, size: int, path: Path) -> None:
        self.at = 0
        self.size = size
        self.path = path
        self._file = file
        self._data = b""

    def fail(self, what: str) -> InvalidGGUF:
        return InvalidGGUF(f"{self.path} {what}")

    def cut_short(self, where: str) -> InvalidGGUF:
        return self.fail(f"is cut short: it ends {where}. Copy or download it again.")

    def _reach(self, end: int, where: str) -> None:
        """Read up to ``end``."""
        if end > self.size:
            raise self.cut_short(where)
        if end > MAX_HEADER:
            raise self.fail(f"has a header of more than {MAX_HEADER // 1024**2} MiB, which no model has.")
        wanted = min(self.size, MAX_HEADER, max(end, 2 * len(self._data), _FIRST_READ))
        try:
            while len(self._data) < wanted:
                more = self._file.read(wanted - len(self._data))
                if not more:
                    break
                self._data += more
        except OSError as error:
            raise self.fail(f"cannot be read: {error.strerror}.") from None
        if len(self._data) < end:
            raise self.cut_short(where)

    def start(self, count: int) -> bytes:
        """The first bytes of the file, ``count`` at most; the position stays."""
        self._reach(min(count, self.size), "at once")
        return self._data[:count]

    def take(self, layout: struct.Struct, where: str) -> tuple[int | float, ...]:
        """The values of ``layout``; ``where`` completes "it ends …" if the file is too short."""
        end = self.at + layout.size
        if end > len(self._data):
            self._reach(end, where)
        values = layout.unpack_from(self._data, self.at)
        self.at = end
        return values

    def number(self, layout: struct.Struct, where: str) -> int:
        return int(self.take(layout, where)[0])

    def string(self, where: str) -> str:
        length = self.number(LENGTH, where)
        if self.at + length > self.size:
            raise self.cut_short(where)
        if length > MAX_STRING:
            raise self.fail(f"holds a text of {length:,} bytes {where}, which no model has.")
        end = self.at + length
        if end > len(self._data):
            self._reach(end, where)
        text = self._data[self.at : end].decode("utf-8", "replace")
        self.at = end
        return text

    def skip(self, length: int, where: str) -> None:
        if self.at + length > len(self._data):
            self._reach(self.at + length, where)
        self.at += length

    def skip_strings(self, count: int, where: str) -> None:
        """Pass over ``count`` strings. A vocabulary has hundreds of thousands: this loop has to be fast."""
        if self.at + count * LENGTH.size > self.size:
            raise self.cut_short(where)
        unpack, left = LENGTH.unpack_from, count
        while left:
            at, data, todo = self.at, self._data, left
            try:
                for left in range(todo, 0, -1):  # noqa: B007 — tells how many are left when the bytes end
                    at += 8 + unpack(data, at)[0]
                left = 0
            except (struct.error, OverflowError):
                self._reach(at + LENGTH.size, where)
            self.at = at
        self._reach(self.at, where)


def kind_of_file(start: bytes) -> str:
    """The kind of a file that begins with ``start``, with its article; empty for a GGUF file."""
    for magic, name in _MAGICS:
        if start.startswith(magic):
            return name
    for matches, name in _TESTS:
        if matches(start):
            return name
    return "some other file"


def _is_page(start: bytes) -> bool:
    return start.lstrip().lower().startswith((b"<!doctype html", b"<html"))


def _is_safetensors(start: bytes) -> bool:
    # The length of the JSON that follows, in eight bytes.
    return start[8:9] == b"{" and not any(start[4:8])


def _is_zeros(start: bytes) -> bool:
    return not any(start)


def _is_text(start: bytes) -> bool:
    try:
        # ``start`` may end inside a character.
        text = codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return all(letter.isprintable() or letter.isspace() for letter in text)


_TESTS = (
    (_is_page, "a web page"),
    (_is_safetensors, "a safetensors file"),
    (_is_zeros, "a file of zeros"),
    (_is_text, "a text file"),
)
