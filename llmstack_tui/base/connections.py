"""Connections: their answers in pieces, the system's reason for a failure, and ``Retry-After`` in seconds."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmstack_tui.base.text import excerpt

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    import httpx

# A server can send a byte at a time, and 64 KB of such pieces at once: they take half a second.
_PIECES_A_TURN = 64


def is_packed(headers: Mapping[str, str]) -> bool:
    """Whether a body is compressed. Nobody asks for that here: 300 bytes may unpack to gigabytes."""
    return headers.get("content-encoding", "").strip().lower() not in ("", "identity")


def announced_length(headers: Mapping[str, str]) -> int | None:
    """The bytes that a body is said to have; None if that is not said, or is no number."""
    length = headers.get("content-length", "")
    # More digits would be a number that is too large for any use, and slow to read.
    return int(length[:18]) if length.isascii() and length.isdigit() else None


async def pieces(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body as it comes, never unpacked; others have their turn however fast it comes."""
    count = 0
    async for piece in response.aiter_raw():
        yield piece
        count += 1
        if count % _PIECES_A_TURN == 0:
            await asyncio.sleep(0)


def connection_error(error: BaseException) -> str:
    """Why a connection failed, in the system's words, taken from the innermost of the chained exceptions."""
    deepest = error
    while (below := deepest.__cause__ or deepest.__context__) is not None:
        deepest = below
    if isinstance(deepest, OSError):
        # Errors of name look-ups have negative numbers, which ``os.strerror`` does not know.
        number = deepest.errno or 0
        text = os.strerror(number) if number > 0 else deepest.strerror or str(deepest)
    else:
        text = str(deepest) or str(error)
    return excerpt(text).rstrip(".")


def retry_after_s(header: str | None, longest_s: float) -> float | None:
    """Seconds to wait by a ``Retry-After`` header, a number or a date; None if it is neither."""
    text = (header or "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text), longest_s)
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 (hardly any answer has one)

    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max((at - datetime.now(UTC)).total_seconds(), 0.0), longest_s)
