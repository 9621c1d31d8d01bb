"""Durations and times as text: as a person writes them, and as Go does, whose forms Ollama uses.

A person writes ``90s``, ``1h30m``, ``2d``. Go's durations are ``1h30m0s`` (``api.Duration`` of Ollama,
``time.ParseDuration`` and ``time.Duration.String``), its times in JSON are RFC 3339 with up to nine decimal
places and "Z" or an offset. Here all have a resolution of a microsecond; further digits are cut off.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from llmstack_tui.base.sentences import Failure

FOREVER = timedelta(seconds=-1)
"""A keep-alive that never ends, as any negative one."""

LONGEST = timedelta(microseconds=(2**63 - 1) // 1000)
"""Go's longest duration, about 292 years: what Ollama adds to the clock for a keep-alive without end."""

ENDLESS = timedelta(days=3650)
"""A model with more time left than this stays for ever, which servers write as a date in the far future."""

LATEST = datetime(9000, 1, 1, tzinfo=UTC)
"""No time from outside is later, as the last ones of the calendar cannot be told in every zone."""

_EARLIEST_S = -(2**31)  # In 1901, before all files.
_MICROSECONDS = {"d": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1000}
_NANOSECONDS = {unit: 1000 * size for unit, size in _MICROSECONDS.items() if unit != "d"}
_NANOSECONDS |= {"us": 1000, "µs": 1000, "μs": 1000, "ns": 1}
_GO_TERM = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([^0-9.]*)")
_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})", flags=re.ASCII
)


class InvalidLength(Failure, ValueError):
    """A text that is not a length of time as a person writes it."""


class InvalidDuration(ValueError):
    """A text that is not a Go duration. Its ``str`` is the message that Ollama's server sends."""


def parse_duration(text: str) -> timedelta:
    """A length of time as a person writes it: ``90s``, ``1h30m``, ``2d``, or bare seconds; maybe negative.

    Raises:
        InvalidLength: for any other text.
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
    raise InvalidLength("time.invalid", text=text)


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


def parse_keep_alive(value: str | float) -> timedelta:
    """The duration of a JSON ``keep_alive``: a number is seconds, a text a Go duration.

    Raises:
        InvalidDuration: for any other text. "300" has no unit; Ollama refuses it, too.
    """
    if isinstance(value, str):
        duration = parse_go_duration(value)
    elif value < 0:
        return FOREVER
    else:
        duration = timedelta(seconds=value) if value < LONGEST.total_seconds() else LONGEST
    return FOREVER if duration < timedelta(0) else duration


def parse_go_duration(text: str) -> timedelta:
    """A Go duration, such as "10m", "1h30m", "-1s" or "0".

    Raises:
        InvalidDuration: for any other text, or one beyond Go's range.
    """
    unsigned = text[1:] if text[:1] in ("-", "+") else text
    if unsigned == "0":
        return timedelta(0)
    nanoseconds, position = 0, 0
    while term := _GO_TERM.match(unsigned, position):
        number, unit = term.groups()
        if not unit:
            raise InvalidDuration(f"time: missing unit in duration {_quoted(text)}")
        if unit not in _NANOSECONDS:
            raise InvalidDuration(f"time: unknown unit {_quoted(unit)} in duration {_quoted(text)}")
        whole, _, fraction = number.partition(".")
        # Further digits change nothing, and Python refuses to read thousands of them.
        whole, fraction = whole.lstrip("0")[:30], fraction[:18]
        nanoseconds += int(f"0{whole}{fraction}") * _NANOSECONDS[unit] // 10 ** len(fraction)
        position = term.end()
    if position == 0 or position < len(unsigned) or nanoseconds >= 2**63:
        raise InvalidDuration(f"time: invalid duration {_quoted(text)}")
    duration = timedelta(microseconds=nanoseconds // 1000)
    return -duration if text.startswith("-") else duration


def format_go_duration(duration: timedelta) -> str:
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


def parse_time(text: str) -> datetime:
    """The aware time that ``text`` gives in RFC 3339.

    Raises:
        ValueError: if it is not in that form.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a time in the form of RFC 3339.")
    day, clock, fraction, zone = found.groups()
    offset = "+00:00" if zone in "Zz" else zone
    return datetime.fromisoformat(f"{day}T{clock}.{(fraction or '0')[:6]:0<6}{offset}")


def time_at(unix_s: float) -> datetime:
    """The time of a file or an answer in seconds since 1970, which can be any number."""
    return datetime.fromtimestamp(min(max(unix_s, _EARLIEST_S), LATEST.timestamp()), UTC)


def format_time(time: datetime) -> str:
    """A time as Go writes it: no trailing zeros in the fraction, "Z" for UTC.

    Raises:
        ValueError: for a time without a zone, which another machine could not interpret.
    """
    if time.utcoffset() is None:
        raise ValueError("A time without a zone cannot be sent.")
    text = time.isoformat(timespec="microseconds")
    moment, zone = text[:-6], text[-6:]
    return moment.rstrip("0").rstrip(".") + ("Z" if zone == "+00:00" else zone)


def _decimal(number: int, places: int) -> str:
    whole, rest = divmod(number, 10**places)
    return f"{whole}.{rest:0{places}}".rstrip("0").rstrip(".")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
