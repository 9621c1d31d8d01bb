"""Bytes and durations as text for people, the same on every screen and in every command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.languages import number, tr, tr_n

if TYPE_CHECKING:
    from datetime import datetime

UNKNOWN = "?"


def bytes_text(count: int | None, *, tenths_below: float = 99.95) -> str:
    """``4.7 GB``: always decimal units, as Ollama's, so that disk, memory and model can be compared.

    ``tenths_below`` this many gigabytes or terabytes, there is a decimal place.
    """
    if count is None:
        return UNKNOWN
    value = float(count)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(value) < 999.5 or unit == "TB":
            # Below gigabytes, tenths do not matter to anybody.
            digits = 1 if unit in {"GB", "TB"} and abs(value) < tenths_below else 0
            return number(f"{value:.{digits}f} {unit}")
        value /= 1000
    raise AssertionError("unreachable")


def parameters_text(count: int) -> str:
    """A number of parameters as people write it: "135M", "7.2B"; the same in every language, as in names."""
    for size, unit in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K")):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return str(count)


def duration_text(seconds: float) -> str:
    """A duration in one unit, rounded: ``12 s``, ``3 min``, ``2 h``, ``5 days``."""
    seconds = max(seconds, 0)
    if seconds < 119.5:
        return f"{seconds:.0f} s"
    if seconds < 119.5 * 60:
        return f"{seconds / 60:.0f} min"
    hours = seconds / 3600
    return f"{hours:.0f} h" if hours < 71.5 else tr_n("{count} day", "{count} days", round(hours / 24))


def exact_duration_text(seconds: float) -> str:
    """A duration that somebody chose, exactly: ``1 min 30 s``."""
    rest, parts = seconds, list[str]()
    for unit, size in (("day", 86_400), ("h", 3600), ("min", 60)):
        count, rest = divmod(rest, size)
        if count:
            whole = int(count)
            parts.append(tr_n("{count} day", "{count} days", whole) if unit == "day" else f"{whole} {unit}")
    return " ".join([*parts, number(f"{rest:g} s")] if rest or not parts else parts)


def seconds_text(seconds: float) -> str:
    """A measured duration: as `duration_text`, with tenths below ten seconds."""
    return number(f"{max(seconds, 0):.1f} s") if seconds < 9.95 else duration_text(seconds)


def ago_text(at: datetime, now: datetime) -> str:
    """How long ago something was: ``just now`` (also for the future), ``3 min ago``, ``5 days ago``."""
    minutes = int((now - at).total_seconds()) // 60
    if minutes < 1:
        return tr("just now")
    if minutes < 120:
        return tr("{count} min ago", count=minutes)
    if minutes < 2 * 24 * 60:
        return tr("{count} h ago", count=minutes // 60)
    return tr("{count} days ago", count=minutes // (24 * 60))
