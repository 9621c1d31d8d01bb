"""The start of a file, read value by value. Any value may be wrong, and the file may be of another kind."""

from __future__ import annotations

import codecs
import os
import struct
from contextlib import contextmanager
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING, BinaryIO

from llmstack_tui.base.sentences import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from io import FileIO
    from pathlib import Path

    from llmstack_tui.base.sentences import Param

# A vocabulary of 262,144 tokens with its merges takes 16 MiB.
MAX_HEADER = 64 * 1024**2
# The longest texts in a header are chat templates and licences.
MAX_STRING = 16 * 1024**2
_FIRST_READ = 256 * 1024

LENGTH = struct.Struct("<Q")

# Files of other formats, by their beginning.
_FORMATS: Mapping[bytes | tuple[bytes, ...], str] = {
    b"PK\x03\x04": "ZIP (PyTorch)",
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"\x80\x02": "pickle (PyTorch)",
    b"%PDF": "PDF",
    b"\x7fELF": "ELF",
    (b"ggjt", b"tjgg", b"lmgg", b"fmgg"): "GGML",
}


class InvalidGGUF(Failure, ValueError):
    """A file is not a GGUF model, or is broken."""

    def of(self, name: str) -> InvalidGGUF:
        """The same about a file that is known by ``name`` and not by its path."""
        return InvalidGGUF(self.kind, hint=self.hint, **{**self.params, "path": name})


@contextmanager
def open_regular(path: Path) -> Iterator[tuple[FileIO, int]]:
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
        raise InvalidGGUF("gguf.missing", path=str(path)) from None
    except ValueError:
        raise InvalidGGUF("gguf.bad_path", path=str(path)) from None
    except OSError as error:
        if os.path.isdir(path):  # noqa: PTH112 — never raises; Windows does not open folders
            raise InvalidGGUF("gguf.folder", path=str(path)) from None
        raise InvalidGGUF("gguf.unreadable", path=str(path), why=error.strerror) from None
    try:
        status = os.fstat(descriptor)
        if S_ISDIR(status.st_mode):
            raise InvalidGGUF("gguf.folder", path=str(path))
        if not S_ISREG(status.st_mode):
            raise InvalidGGUF("gguf.device", path=str(path))
        if status.st_size == 0:
            raise InvalidGGUF("gguf.empty", path=str(path))
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

    def fail(self, kind: str, **params: Param) -> InvalidGGUF:
        return InvalidGGUF(kind, hint="", path=str(self.path), **params)

    def broken(self, fault: str, at: str) -> InvalidGGUF:
        return self.fail("gguf.broken", fault=fault, at=at)

    def cut_short(self) -> InvalidGGUF:
        return self.fail("gguf.cut_in_header")

    def _reach(self, end: int) -> None:
        """Read up to ``end``."""
        if end > self.size:
            raise self.cut_short()
        if end > MAX_HEADER:
            raise self.fail("gguf.too_large")
        wanted = min(self.size, MAX_HEADER, max(end, 2 * len(self._data), _FIRST_READ))
        try:
            while len(self._data) < wanted:
                more = self._file.read(wanted - len(self._data))
                if not more:
                    break
                self._data += more
        except OSError as error:
            raise self.fail("gguf.unreadable", why=error.strerror) from None
        if len(self._data) < end:
            raise self.cut_short()

    def start(self, count: int) -> bytes:
        """The first bytes of the file, ``count`` at most; the position stays."""
        self._reach(min(count, self.size))
        return self._data[:count]

    def take(self, layout: struct.Struct) -> tuple[int | float, ...]:
        end = self.at + layout.size
        if end > len(self._data):
            self._reach(end)
        values = layout.unpack_from(self._data, self.at)
        self.at = end
        return values

    def number(self, layout: struct.Struct) -> int:
        return int(self.take(layout)[0])

    def string(self) -> str:
        length = self.number(LENGTH)
        if self.at + length > self.size:
            raise self.cut_short()
        if length > MAX_STRING:
            raise self.fail("gguf.too_large")
        end = self.at + length
        if end > len(self._data):
            self._reach(end)
        text = self._data[self.at : end].decode("utf-8", "replace")
        self.at = end
        return text

    def skip(self, length: int) -> None:
        if self.at + length > len(self._data):
            self._reach(self.at + length)
        self.at += length

    def skip_strings(self, count: int) -> None:
        """Pass over ``count`` strings. A vocabulary has hundreds of thousands: this loop has to be fast."""
        if self.at + count * LENGTH.size > self.size:
            raise self.cut_short()
        unpack, left = LENGTH.unpack_from, count
        while left:
            at, data, todo = self.at, self._data, left
            try:
                for left in range(todo, 0, -1):  # noqa: B007 — tells how many are left when the bytes end
                    at += 8 + unpack(data, at)[0]
                left = 0
            except (struct.error, OverflowError):
                self._reach(at + LENGTH.size)
            self.at = at
        self._reach(self.at)

    def repeats(self, at: int, count: int) -> bool:
        """Whether one of ``count`` strings, passed over before, is not empty and there twice."""
        unpack, data, seen, empty = LENGTH.unpack_from, self._data, set[bytes](), 0
        for _ in range(count):
            begin = at + 8
            at = begin + unpack(data, at)[0]
            seen.add(data[begin:at])
            empty += begin == at
        return len(seen) < count - max(empty - 1, 0)


def check_format(start: bytes, path: Path) -> None:
    """Raise InvalidGGUF unless the file, which begins with ``start``, begins as GGUF does."""
    if start.startswith(b"GGUF"):
        return
    for magic, name in _FORMATS.items():
        if start.startswith(magic):
            raise InvalidGGUF("gguf.other_format", path=str(path), format=name)
    kind = next((kind for kind, matches in _KINDS.items() if matches(start)), "other")
    raise InvalidGGUF(f"gguf.is_{kind}", path=str(path))


def _is_pointer(start: bytes) -> bool:
    return start.startswith(b"version https://git-lfs")


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


_KINDS = {
    "pointer": _is_pointer,
    "page": _is_page,
    "safetensors": _is_safetensors,
    "zeros": _is_zeros,
    "text": _is_text,
}
