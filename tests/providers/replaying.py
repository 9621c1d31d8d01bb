"""Recorded answers, sent again in pieces of any size.

A file of ``replay/`` begins with lines of ``#``, which name its public source; what follows are the bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.scripted_server import Reply, Then

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDER = Path(__file__).parent / "replay"

SIZES = (1, 7, 4096)
"""A byte at a time; pieces that end within letters and events; all at once."""


def recorded(name: str) -> bytes:
    content = (_FOLDER / f"{name}.txt").read_bytes()
    while content.startswith(b"#"):
        content = content.partition(b"\n")[2]
    return content


def in_pieces(content: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def replay(name: str, size: int = 4096, *, status: int = 200, then: Then = Then.END) -> Reply:
    """A file as an answer in pieces of ``size`` bytes."""
    kind = "text/event-stream" if b"data:" in recorded(name) else "application/x-ndjson"
    return Reply(tuple(in_pieces(recorded(name), size)), status, kind, then)
