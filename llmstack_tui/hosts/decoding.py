"""JSON of a server as values: what is wrong in it spoils itself alone, and its size is known first.

An answer with a few bytes for each value takes fifty times as much memory when it is decoded, so its values
are counted before. What does not decode as a whole is read piece by piece: a wrong field is absent, a model
that is no object is left out, and so is what is nested too deeply for any decoder. ``NaN`` and numbers beyond
64 bits, which some servers write, are absent, too.
"""

from __future__ import annotations

import json
import math
import re
from contextlib import suppress
from functools import cache
from types import UnionType
from typing import TypeVar, cast, get_args, get_origin

import msgspec
from msgspec import Struct

from llmstack_tui.base.sentences import Failure, Sentence, Sentences

Answer = TypeVar("Answer")
T = TypeVar("T")

MAX_VALUES = 250_000
"""A list of 10,000 models has as many; they take some 40 MB."""

# An error of the engine has two or three sentences, of some 200 bytes each.
_MOST_SENTENCES_BYTES = 4096
_DEEPEST = 32
_DEEPEST_SENTENCE = 8
_LARGEST_NUMBER = 2**53
_MOST_DIGITS = 18
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[][{}]', re.DOTALL)


class Wire(Struct, kw_only=True, omit_defaults=True):
    """The base class of requests and answers: every field may be absent, and None is not sent."""


class StreamLine(Wire):
    """A line of a stream. A stream that fails ends with a line that is only an ``error``."""

    error: str | dict[str, object] | None = None
    sentences: list[object] | None = None
    """The built-in engine's error as data, for `sentences_of`."""


class ErrorResponse(StreamLine):
    """The body of a 4xx or 5xx. ``error`` is a text, or an object on ``/v1`` routes.

    Some servers say ``message`` (vLLM before 0.10) or ``detail`` (all that are made with FastAPI) instead.
    """

    message: str | None = None
    detail: str | None = None


class WrongShape(Failure):
    """An answer has the right types, but lacks its main field."""


def decode(content: bytes, kind: type[Answer]) -> Answer:
    """The JSON document in ``content``, or as much of it as makes sense.

    Raises:
        WrongShape: it has more than `MAX_VALUES`.
        ValueError, RecursionError: it is no JSON, or not of this kind at all.
    """
    if content.count(b",") + content.count(b"[") + content.count(b"{") > MAX_VALUES:
        raise WrongShape("answer.too_large")
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, RecursionError):
        text = _without_depths(content).decode(errors="replace")
    value = json.loads(text, parse_int=_whole, parse_float=_finite, parse_constant=lambda _: None)
    answer = _readable(value, kind)
    if answer is None:
        raise ValueError("The document is of another kind.")
    return cast("Answer", answer)


def sentences_of(given: list[object] | None) -> Sentences:
    """The sentences that come with a text; none if they are too large or nested too deeply, or are others.

    Whether their kinds are known is seen when they are shown: see `QUOTED`.
    """
    if not given or len(msgspec.json.encode(given)) > _MOST_SENTENCES_BYTES:
        return ()
    try:
        found = msgspec.convert(given, Sentences)
    except msgspec.ValidationError:
        return ()
    return found if all(map(_is_plain, found)) else ()


def _is_plain(value: object, depth: int = 0) -> bool:
    """Whether a value is a text or a number that can be written out, or holds only such."""
    if isinstance(value, Sentence):
        deeper = depth + 1
        return deeper <= _DEEPEST_SENTENCE and all(_is_plain(each, deeper) for each in value.params.values())
    if isinstance(value, tuple):
        return all(_is_plain(each, depth) for each in value)
    if isinstance(value, int | float):
        return not isinstance(value, bool) and abs(value) <= _LARGEST_NUMBER
    return isinstance(value, str)


def _without_depths(content: bytes) -> bytes:
    """The document with ``null`` in the place of everything below the deepest level."""
    kept, start, depth = bytearray(), 0, 0
    for token in _TOKEN.finditer(content):
        if token[0] in (b"[", b"{"):
            depth += 1
            if depth == _DEEPEST + 1:
                kept += content[start : token.start()] + b"null"
        elif token[0] in (b"]", b"}"):
            depth -= 1
            if depth == _DEEPEST:
                start = token.end()
    return bytes(kept) if depth > _DEEPEST else bytes(kept + content[start:])


def _readable(value: object, kind: object) -> object:
    """As much of ``value`` as is of this kind; None if nothing is."""
    kind, items = _form(kind)
    if isinstance(kind, type) and issubclass(kind, Wire):
        return _readable_fields(value, kind) if isinstance(value, dict) else None
    if items is not None and isinstance(value, list):
        found = [item for each in value if (item := _readable(each, items)) is not None]
        # A list without a single readable thing is something else.
        return found if found or not value else None
    try:
        return _sendable(msgspec.convert(value, kind))
    except (msgspec.ValidationError, UnicodeEncodeError):
        return None


@cache
def _form(kind: object) -> tuple[object, object]:
    """A kind without the None that a field may be, and the kind of the items if it is a list, else None."""
    if isinstance(kind, UnionType):
        # Several beside None, as of ``error``, are no objects of ours.
        one, *others = (each for each in get_args(kind) if each is not type(None))
        kind = kind if others else one
    return kind, get_args(kind)[0] if get_origin(kind) is list else None


def _readable_fields(value: dict[str, object], kind: type[Wire]) -> Wire | None:
    with suppress(msgspec.ValidationError, UnicodeEncodeError):
        return _sendable(msgspec.convert(value, kind))
    fields = _fields(kind)
    given = {name: _readable(value[key], of) for key, (name, of) in fields.items() if key in value}
    # Of something else, nothing is readable.
    return kind(**given) if not given or any(each is not None for each in given.values()) else None


@cache
def _fields(kind: type[Wire]) -> dict[str, tuple[str, object]]:
    """The names in JSON of the fields of a struct, each with its own name and its kind."""
    return {each.encode_name: (each.name, each.type) for each in msgspec.structs.fields(kind)}


def _sendable(value: T) -> T:
    """The value, if it can be encoded again: half of a pair of code points cannot.

    Raises:
        UnicodeEncodeError: it cannot.
    """
    msgspec.json.encode(value)
    return value


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) <= _MOST_DIGITS else None


def _finite(digits: str) -> float | None:
    return number if math.isfinite(number := float(digits)) else None
