"""Durations as Ollama reads and writes them: Go's "1h30m", or a bare number of seconds.

Facts from Ollama's ``api.Duration`` and Go's ``time.ParseDuration`` and ``time.Duration.String``.
The resolution here is a microsecond.
"""

from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction

FOREVER = timedelta(seconds=-1)
"""A keep-alive that never ends. Any negative one means it."""

LONGEST = timedelta(microseconds=(2**63 - 1) // 1000)
"""Go's longest duration, about 292 years: what Ollama adds to the clock for a keep-alive without end."""

_MICROSECONDS = {
    "ns": Fraction(1, 1000),
    "us": Fraction(1),
    "µs": Fraction(1),
    "μs": Fraction(1),
    "ms": Fraction(1000),
    "s": Fraction(10**6),
    "m": Fraction(60 * 10**6),
    "h": Fraction(3600 * 10**6),
}
_TERM = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)([^0-9.]*)")


class InvalidDuration(ValueError):
    """A text that is no duration. ``str`` of it is Ollama's own words, as its server sends them."""


def parse_keep_alive(value: str | float) -> timedelta:
    """The duration that a JSON ``keep_alive`` means: a number counts seconds, a text is Go's form.

    Raises:
        InvalidDuration: for any other text. A number in a text has no unit, and Ollama refuses it, too.
    """
    if isinstance(value, str):
        duration = parse_duration(value)
    elif value < 0:
        return FOREVER
    else:
        duration = timedelta(seconds=value) if value < LONGEST.total_seconds() else LONGEST
    return FOREVER if duration < timedelta(0) else duration


def parse_duration(text: str) -> timedelta:
    """A Go duration, such as "10m", "1h30m", "-1s" or "0".

    Raises:
        InvalidDuration: for any other text, or one beyond Go's range.
    """
    unsigned = text[1:] if text[:1] in ("-", "+") else text
    if unsigned == "0":
        return timedelta(0)
    total, position = Fraction(0), 0
    while term := _TERM.match(unsigned, position):
        number, unit = term.groups()
        if not unit:
            raise InvalidDuration(f"time: missing unit in duration {_quoted(text)}")
        if unit not in _MICROSECONDS:
            raise InvalidDuration(f"time: unknown unit {_quoted(unit)} in duration {_quoted(text)}")
        total, position = total + Fraction(number) * _MICROSECONDS[unit], term.end()
    if position == 0 or position < len(unsigned) or total * 1000 >= 2**63:
        raise InvalidDuration(f"time: invalid duration {_quoted(text)}")
    duration = timedelta(microseconds=int(total))
    return -duration if text.startswith("-") else duration


def format_duration(duration: timedelta) -> str:
    """Go's form: "10m0s", "1h30m0s", "1.5s", "500ms", "0s"."""
    microseconds = duration // timedelta(microseconds=1)
    sign, microseconds = ("-", -microseconds) if microseconds < 0 else ("", microseconds)
    if microseconds < 1000:
        return f"{sign}{microseconds}µs" if microseconds else "0s"
    if microseconds < 10**6:
        return f"{sign}{_decimal(microseconds, 3)}ms"
    minutes, rest = divmod(microseconds, 60 * 10**6)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{clock}{_decimal(rest, 6)}s"


def _decimal(number: int, places: int) -> str:
    whole, rest = divmod(number, 10**places)
    return f"{whole}.{rest:0{places}}".rstrip("0").rstrip(".")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
