"""How values are stored: times as whole microseconds since 1970 UTC, durations as whole microseconds, bytes
as integers, mappings and lists as JSON text, unknown as NULL.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

from msgspec import Struct, convert
from msgspec.structs import asdict, fields

from llmstack_tui.base.sentences import Sentence, Sentences, quoted

if TYPE_CHECKING:
    import sqlite3

SqlValue = None | int | float | str | bytes
_S = TypeVar("_S", bound=Struct)

SLACK = timedelta(seconds=1)
"""How far the time that we record may be from the server's answer."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INTEGER_LIMIT = 2**63


def to_sql(value: object) -> SqlValue:
    """``value`` as SQLite stores it.

    An integer that is too large for SQLite cannot be a real size or count, and becomes NULL. Invalid Unicode
    (from a file name) is stored as visible escapes.

    Raises:
        TypeError: for a time without a zone, or a value that cannot be stored.
    """
    match value:
        case None | float() | bytes():
            return value
        case int():  # and bool
            return value if -_INTEGER_LIMIT <= value < _INTEGER_LIMIT else None
        case str():
            return value.encode(errors="backslashreplace").decode()
        case datetime():
            return to_stored_time(value)
        case timedelta():
            return to_sql(value // _MICROSECOND)
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
    raise TypeError(f"{value!r} cannot be stored")


def struct_of(kind: type[_S], row: sqlite3.Row, **others: object) -> _S:
    """A struct from the columns of a row that have the names of its fields; ``others`` are further fields.

    Raises:
        ValueError: when a column's value does not fit its field.
    """
    stored = {name: read(row[name]) for name, read in _readers(kind).items() if name not in others}
    return kind(**stored, **others)


@cache
def _readers(kind: type[Struct]) -> Mapping[str, Callable[[Any], object]]:
    return {field.name: _reader(field.type) for field in fields(kind)}


def _reader(kind: Any) -> Callable[[Any], object]:
    """A function from a stored value to one of this type, or None."""
    kinds = get_args(kind) or (kind,)
    if datetime in kinds:
        return to_optional_time
    if timedelta in kinds:
        return to_optional_length
    if get_origin(kind) in (Mapping, tuple):
        return lambda stored: convert(json.loads(stored), kind)
    return partial(convert, type=kind, strict=False)


def to_stored_time(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def to_time(stored: int) -> datetime:
    return _EPOCH + timedelta(microseconds=stored)


def to_optional_time(stored: int | None) -> datetime | None:
    return None if stored is None else to_time(stored)


def to_optional_length(stored: int | None) -> timedelta | None:
    return None if stored is None else timedelta(microseconds=stored)


def to_sentence(stored: str | None, text: str) -> Sentence:
    """The sentence stored as JSON; if ``stored`` is None, the ``text`` that an older version recorded.

    Raises:
        ValueError: when the JSON is not a sentence.
    """
    return quoted(text) if stored is None else convert(json.loads(stored), Sentence)


def to_sentences(stored: str | None, text: str) -> Sentences:
    """As `to_sentence`, for any number of sentences."""
    if stored is None:
        return (quoted(text),) if text else ()
    return convert(json.loads(stored), Sentences)
