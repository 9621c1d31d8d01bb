"""How values are kept: a time as whole microseconds since 1970 UTC, a length of time as whole microseconds,
bytes as integers, mappings and lists as JSON text, unknown as NULL.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from msgspec import Struct, convert
from msgspec.structs import asdict

from llmstack_tui.base.sentences import Sentence, Sentences, quoted

SqlValue = None | int | float | str

SLACK = timedelta(seconds=1)
"""Between an answer of the server and the time that we write down for it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INTEGER_LIMIT = 2**63


def bound(value: object) -> SqlValue:
    """``value`` as SQLite keeps it.

    An integer that SQLite has no room for is no size or count of anything, so it becomes NULL. What is not
    valid Unicode (a file name of other bytes) is kept as visible escapes.

    Raises:
        TypeError: for a time without a zone, or something that cannot be kept.
    """
    match value:
        case None | float():
            return value
        case int():  # and bool
            return value if -_INTEGER_LIMIT <= value < _INTEGER_LIMIT else None
        case str():
            return value.encode(errors="backslashreplace").decode()
        case datetime():
            return (value - _EPOCH) // _MICROSECOND
        case timedelta():
            return bound(value // _MICROSECOND)
        case _:
            return document(value)


def document(value: object) -> str:
    """``value`` as JSON text."""
    return json.dumps(value, default=_plain, separators=(",", ":"))


def _plain(value: object) -> object:
    if isinstance(value, Struct):
        return asdict(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{value!r} cannot be kept")


def to_time(kept: int) -> datetime:
    return _EPOCH + timedelta(microseconds=kept)


def to_optional_time(kept: int | None) -> datetime | None:
    return None if kept is None else to_time(kept)


def to_optional_length(kept: int | None) -> timedelta | None:
    return None if kept is None else timedelta(microseconds=kept)


def to_mapping(kept: str) -> dict[str, object]:
    """The JSON object that ``kept`` is.

    Raises:
        ValueError: when it is none.
    """
    value = json.loads(kept)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def to_sentence(kept: str | None, text: str) -> Sentence:
    """What ``kept`` says; the ``text`` where an older version recorded that.

    Raises:
        ValueError: when it says nothing that is known.
    """
    return quoted(text) if kept is None else convert(json.loads(kept), Sentence)


def to_sentences(kept: str | None, text: str) -> Sentences:
    """As `to_sentence`, for any number of them."""
    if kept is None:
        return (quoted(text),) if text else ()
    return convert(json.loads(kept), Sentences)
