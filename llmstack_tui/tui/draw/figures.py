"""Numbers for people to read; an unknown number is shown as unknown."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.durations import ENDLESS
from llmstack_tui.base.languages import later, number, tr, tr_n
from llmstack_tui.base.units import UNKNOWN, bytes_text, seconds_text

if TYPE_CHECKING:
    from collections.abc import Iterable

NEVER = later("never")
# Those of strftime depend on the locale.
_MONTHS = (
    later("Jan"), later("Feb"), later("Mar"), later("Apr"), later("May"), later("Jun"),
    later("Jul"), later("Aug"), later("Sep"), later("Oct"), later("Nov"), later("Dec"),
)  # fmt: skip


def about_text(count: int) -> str:
    """An estimate, in at most seven characters: ``~4.9 GB``, ``~45 GB``."""
    return f"~{bytes_text(count, tenths_below=9.95)}"


def used_text(used: int | None, total: int | None) -> str:
    """``5.6 of 8.6 GB``; with the unit only once if it is the same."""
    one, other = bytes_text(used), bytes_text(total)
    if used is None and total is None:
        return UNKNOWN
    figure, _, unit = one.partition(" ")
    return tr("{used} of {total}", used=figure if unit and other.endswith(f" {unit}") else one, total=other)


def total_of(counts: Iterable[int | None]) -> int | None:
    """The sum; None if there are no counts, or one of them is not known."""
    total = None
    for count in counts:
        if count is None:
            return None
        total = (total or 0) + count
    return total


def on_cpu_text(percent: int) -> str:
    """Says that a part of a model runs on the CPU."""
    return tr("{percent} % on the CPU: slow", percent=percent)


def percent_text(percent: float | None) -> str:
    return UNKNOWN if percent is None else f"{percent:.0f} %"


def left_text(left: timedelta | None) -> str:
    """How long until a model leaves: ``4:12``, ``2 h 05``, ``3 days``, ``never``.

    A time in the past means that a request is running: the server sets a new time when the request ends.
    """
    if left is None:
        return UNKNOWN
    if left > ENDLESS:
        return tr(NEVER)
    if left < timedelta(0):
        return tr("in use")
    return clock_text(left.total_seconds())


def clock_text(seconds: float) -> str:
    """A duration, coarser the longer it is, so that a long one is not painted again every second."""
    whole = int(seconds)
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02}"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02}"
    days = whole // 86400
    return tr_n("{count} day", "{count} days", days)


def rate_text(per_second: float) -> str:
    """A rate per second, in at most five characters: ``7.3``, ``128``."""
    return number(f"{per_second:.1f}") if per_second < 99.95 else f"{min(per_second, 99_999):.0f}"


def latency_text(seconds: float) -> str:
    """How long an answer takes: ``12 ms``, ``1.3 s``."""
    if seconds >= 0.9995:
        return seconds_text(seconds)
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.001 else "<1 ms"


def count_text(count: int | None) -> str:
    """A whole number with thousands separators."""
    return UNKNOWN if count is None else number(f"{count:,}")


def day_text(at: datetime) -> str:
    """``20 Nov``."""
    return f"{at.day} {tr(_MONTHS[at.month - 1])}"


def when_text(at: datetime, now: datetime | None = None) -> str:
    """A moment in the viewer's zone: ``11:02`` today, ``20 Nov 11:02`` this year, else ``2025-11-20``."""
    try:
        at = at.astimezone(now.tzinfo if now else None)
    except (OverflowError, ValueError):  # Near datetime.min and .max no other zone exists.
        return f"{at:%Y-%m-%d}"
    if now is not None and at.date() == now.date():
        return f"{at:%H:%M}"
    if now is not None and at.year == now.year:
        return f"{day_text(at)} {at:%H:%M}"
    return f"{at:%Y-%m-%d}"
