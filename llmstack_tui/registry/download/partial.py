"""An incomplete blob: its file, and a note that lists the bytes in it.

The file, ``sha256-…-partial``, ends with the last byte received. The note, ``sha256-…-partial.json``, lists
only bytes that are safely on the disk: however the process or the machine ended, a download continues from
the note. A file gets its final name only after its sha256 was verified.
"""

from __future__ import annotations

import hashlib
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from llmstack_tui.library.blobs import remember
from llmstack_tui.library.errors import is_full
from llmstack_tui.library.files import write_whole
from llmstack_tui.library.manifest import blob_name

if TYPE_CHECKING:
    from io import FileIO
    from pathlib import Path


PARTIAL = "-partial"
_PIECE = 1024**2

Span = tuple[int, int]
"""A range of bytes: the first one, and the one after the last."""


class _Note(msgspec.Struct, kw_only=True):
    size: int
    done: list[tuple[int, int]]


class Partial:
    """The file and the note of one blob. Blocking, for use in threads; the caller sets ``done``.

    Attributes:
        done: the bytes that are in the file.
        size: bytes of the whole blob.
        hashed: how many bytes, from the first on, are in the sha256 already.
        folder: where the file is.
    """

    def __init__(self, blobs: Path, digest: str, size: int) -> None:
        self.size = size
        self.done: list[Span] = []
        self.hashed = 0
        self.folder = blobs
        self._final = blobs / blob_name(digest)
        self._path = blobs / (self._final.name + PARTIAL)
        self._note = blobs / (self._path.name + ".json")
        self._files: tuple[FileIO, ...] = ()
        self._writing = threading.Lock()
        self._sha256 = hashlib.sha256()

    def open(self) -> None:
        """Create the file, or continue with the one there. Raises OSError if the folder cannot be written."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self.done = self.saved_spans()
        self._path.touch()
        self._files = self._path.open("r+b", buffering=0), self._path.open("rb", buffering=0)

    def write(self, at: int, data: bytes) -> None:
        view = memoryview(data)
        with self._writing:
            self._writer.seek(at)
            while view:
                view = view[self._writer.write(view) :]

    def hash_to(self, end: int) -> None:
        """Hash the bytes up to ``end``. They are read back, mostly from the system's cache."""
        buffer = memoryview(bytearray(_PIECE))
        while self.hashed < end:
            count = self._files[1].readinto(buffer[: min(_PIECE, end - self.hashed)])
            if not count:
                raise OSError("bytes that were written are gone")
            self._sha256.update(buffer[:count])
            self.hashed += count

    def save(self, done: list[Span]) -> None:
        """Write the note, once the bytes that it lists are on the disk."""
        os.fsync(self._writer.fileno())
        content = msgspec.json.encode(_Note(size=self.size, done=done))
        try:
            write_whole(self._note, content)
        except OSError as error:
            if not is_full(error):
                raise
            # No room for a second note: overwrite the first. A half-written note is ignored.
            with self._note.open("r+b", buffering=0) as note:
                note.write(content)
                note.truncate()
                os.fsync(note.fileno())

    def matches_digest(self) -> bool:
        """Whether the content, which has to be hashed to its end, matches the digest."""
        return f"sha256-{self._sha256.hexdigest()}" == self._final.name

    def finish(self) -> None:
        """Give the file its final name."""
        self._writer.truncate(self.size)
        os.fsync(self._writer.fileno())
        self.close()
        self._path.replace(self._final)
        remember(self._final)
        self._note.unlink(missing_ok=True)

    def discard(self) -> None:
        self.close()
        self._note.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        for file in self._files:
            file.close()

    def saved_spans(self) -> list[Span]:
        """The spans in the note that fit the file and the blob; none without a note."""
        done: list[Span] = []
        with suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError):
            length = self._path.stat().st_size
            note = msgspec.json.decode(self._note.read_bytes(), type=_Note)
            if note.size == self.size:
                for first, end in note.done:
                    if 0 <= first < end <= min(length, self.size):
                        done = add_span(done, (first, end))
        return done

    @property
    def _writer(self) -> FileIO:
        return self._files[0]


def add_span(spans: list[Span], new: Span) -> list[Span]:
    """``spans``, which are sorted and do not touch, with ``new`` merged in."""
    before = [span for span in spans if span[1] < new[0]]
    after = [span for span in spans if span[0] > new[1]]
    touched = [new, *spans[len(before) : len(spans) - len(after)]]
    return [*before, (min(span[0] for span in touched), max(span[1] for span in touched)), *after]


def missing_spans(spans: list[Span], size: int) -> list[Span]:
    """The gaps between ``spans``, up to ``size``."""
    edges = [0, *(edge for span in spans for edge in span), size]
    return [(first, end) for first, end in zip(edges[::2], edges[1::2], strict=True) if first < end]


def count_bytes(spans: list[Span]) -> int:
    return sum(end - first for first, end in spans)


def leading_bytes(spans: list[Span]) -> int:
    """How many bytes there are before the first gap."""
    return spans[0][1] if spans and spans[0][0] == 0 else 0


def split_spans(spans: list[Span], size: int) -> list[Span]:
    """``spans`` split into pieces of at most ``size`` bytes, in order."""
    return [(at, min(at + size, end)) for first, end in spans for at in range(first, end, size)]
