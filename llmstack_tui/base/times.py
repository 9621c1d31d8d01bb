"""Times as Go writes them in JSON: RFC 3339 with up to nine digits of a second, and "Z" or an offset.

Python keeps six digits; the rest is cut off.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})", flags=re.ASCII
)


def parse_time(text: str) -> datetime:
    """The aware time that ``text`` says.

    Raises:
        ValueError: when it is no such time.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a time in the form of RFC 3339.")
    day, clock, fraction, zone = found.groups()
    offset = "+00:00" if zone in "Zz" else zone
    return datetime.fromisoformat(f"{day}T{clock}.{(fraction or '0')[:6]:0<6}{offset}")


def format_time(time: datetime) -> str:
    """As Go writes it: no trailing zeros in the fraction, "Z" for UTC.

    Raises:
        ValueError: for a time without a zone, which says nothing to another machine.
    """
    offset = time.utcoffset()
    if offset is None:
        raise ValueError("A time without a zone cannot be sent.")
    text = time.replace(tzinfo=UTC).isoformat(timespec="microseconds").removesuffix("+00:00")
    minutes = round(offset.total_seconds() / 60)
    zone = (
        "Z"
        if minutes == 0
        else f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    )
    return text.rstrip("0").rstrip(".") + zone
