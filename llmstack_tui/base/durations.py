"""Lengths of time as people write them: ``90s``, ``1h30m``, ``2d``."""

from __future__ import annotations

import re
from datetime import timedelta

_MICROSECONDS = {"d": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1000}


def parse_duration(text: str) -> timedelta:
    """A length of time: ``90s``, ``1h30m``, ``2d``, or bare seconds; negative is for ever.

    Raises:
        ValueError: with a sentence that says what a duration looks like.
    """
    try:
        if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
            return timedelta(seconds=float(text))
        if re.fullmatch(r"-?([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+", text):
            parts = re.findall(r"([\d.]+)(ms|s|m|h|d)", text)
            length = timedelta(
                microseconds=sum(float(number) * _MICROSECONDS[unit] for number, unit in parts)
            )
            return -length if text.startswith("-") else length
    except OverflowError:
        pass
    shown = repr(text if len(text) <= 60 else text[:59] + "…")
    raise ValueError(f"{shown} is not a length of time: write it as 90s, 10m or 1h30m.")


def format_duration(length: timedelta) -> str:
    """The shortest text that `parse_duration` reads as ``length``."""
    rest = abs(length) // timedelta(microseconds=1)
    parts = []
    for unit, size in _MICROSECONDS.items():
        count, rest = divmod(rest, size)
        if unit == "ms" and rest:
            parts.append(f"{count}.{rest:03}ms")
        elif count:
            parts.append(f"{count}{unit}")
    return ("-" if length < timedelta() else "") + ("".join(parts) or "0s")
