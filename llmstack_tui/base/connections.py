"""Failed connections: the operating system's reason as text, and ``Retry-After`` in seconds."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from llmstack_tui.base.text import excerpt


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
        return min(float(text[:9]), longest_s)
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 (hardly any answer has one)

    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max((at - datetime.now(UTC)).total_seconds(), 0.0), longest_s)
