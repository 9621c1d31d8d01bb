"""Why a connection failed, and how long a server wants to be left alone."""

from __future__ import annotations

import errno
import os
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from llmstack_tui.base.connections import connection_error, retry_after_s


def wrapped(error: Exception) -> Exception:
    try:
        try:
            raise error
        except Exception as inner:
            raise RuntimeError("All connection attempts failed") from inner
    except RuntimeError as outer:
        return outer


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.ECONNREFUSED, "Connect call failed"), os.strerror(errno.ECONNREFUSED)),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (ValueError("certificate\nhas expired."), "certificate has expired"),
        (ValueError(""), "All connection attempts failed"),
    ],
)
def test_the_words_of_the_system_are_found_below_the_wrappers(error: Exception, text: str) -> None:
    assert connection_error(wrapped(error)) == text


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        *((None, None), ("", None), ("soon", None), ("7", 7.0), (" 0 ", 0.0), ("9" * 30, 120.0), ("٣", None)),
        *(("0" * 20 + "7", 7.0), ("9" * 400, 120.0), ("-5", None), ("1.5", None), ("nan", None)),
        *((f"Sun, 06 Nov 1994 08:49:37 +{'9' * n}", None) for n in (20, 400)),
        (f"Sun, {'9' * 20} Nov 1994 08:49:37 GMT", None),
        (f"Sun, 06 Nov 1994 {'9' * 20}:49:37 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 120.0),
    ],
)
def test_when_to_ask_again(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header, 120.0) == seconds


@pytest.mark.parametrize(("after_s", "low", "high"), [(-60, 0, 0), (30, 25, 30), (9999, 120, 120)])
def test_when_to_ask_again_as_a_date(after_s: float, low: float, high: float) -> None:
    at = datetime.now(UTC) + timedelta(seconds=after_s)
    seconds = retry_after_s(format_datetime(at, usegmt=True), 120.0)
    assert seconds is not None
    assert low <= seconds <= high
