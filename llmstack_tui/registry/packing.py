"""Bodies that a server compresses although nobody asked for it."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from llmstack_tui.base.connections import is_packed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_GZIP = 16 + zlib.MAX_WBITS
_GZIP_BEGINS = b"\x1f"  # Neither JSON, nor a page, nor a GGUF file does.
_MOST_AT_ONCE = 256 * 1024


class Unpacking:
    """A body, piece by piece: unpacked if it says so and begins as gzip does, else as it is."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._gzip = zlib.decompressobj(_GZIP) if is_packed(headers) else None
        self._begun = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What a piece unpacks to, in pieces that stay small. Raises zlib.error if it is damaged."""
        if not self._begun and not data.startswith(_GZIP_BEGINS):
            self._gzip = None
        self._begun = True
        if self._gzip is None:
            yield data
            return
        while not self._gzip.eof:
            piece = self._gzip.decompress(data, _MOST_AT_ONCE)
            data = self._gzip.unconsumed_tail
            if piece:
                yield piece
            if not data and len(piece) < _MOST_AT_ONCE:
                return
