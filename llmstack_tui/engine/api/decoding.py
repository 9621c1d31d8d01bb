"""Bodies of requests, read as leniently as Ollama reads them (Go's ``encoding/json``).

Editors and scripts send what Go lets pass: keys in another case, null for a value that they do not set, half
a character where a text was cut. Go takes a key whatever its case, null for a value that is absent, and
U+FFFD for what is no text.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, TypeVar, get_args, get_type_hints

import msgspec
from msgspec import Struct
from msgspec.structs import fields

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

# A pair of escapes that is one character, or half of one. An even number of backslashes before it is a text.
_HALVES = re.compile(
    rb"(?<!\\)((?:\\\\)*)(?:(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F]..)"
)


def decode(data: bytes, kind: type[T]) -> T:
    """The JSON of a body as ``kind``, a `Struct`.

    Raises:
        msgspec.ValidationError: a value has the wrong type.
        msgspec.DecodeError: it is not JSON.
        RecursionError: it is nested too deeply.
    """
    try:
        value = msgspec.json.decode(data)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        value = msgspec.json.decode(_repaired(data))
    return msgspec.convert({} if value is None else _folded(value, kind), kind)


def _repaired(data: bytes) -> bytes:
    """The same with U+FFFD for each byte, or escape, that is no character."""
    text = data.decode(errors="replace").encode()
    return _HALVES.sub(lambda found: found[1] + (found[2] or rb"\ufffd"), text)


def _folded(value: object, kind: type) -> object:
    """The value with the keys of ``kind``, and without those that are null or unknown."""
    if isinstance(value, list):
        return [_folded({} if each is None else each, kind) for each in value]
    if not isinstance(value, dict):
        return value
    known = _keys(kind)
    folded = {}
    for key, each in value.items():
        if each is not None and (found := known.get(key) or known.get(key.lower())):
            name, inner = found
            folded[name] = each if inner is None else _folded(each, inner)
    return folded


@cache
def _keys(kind: type) -> Mapping[str, tuple[str, type | None]]:
    """By lower-case key: the key itself, and the struct in its value or in the list that is its value."""
    hints = get_type_hints(kind)
    return {
        field.encode_name.lower(): (field.encode_name, _struct(hints[field.name])) for field in fields(kind)
    }


def _struct(hint: object) -> type | None:
    """The struct within a type such as ``list[Struct] | None``."""
    if isinstance(hint, type) and issubclass(hint, Struct):
        return hint
    return next((found for each in get_args(hint) if (found := _struct(each))), None)
