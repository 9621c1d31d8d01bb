"""Bodies of requests, read as leniently as Ollama reads them (Go's ``encoding/json``).

Editors and scripts send what Go lets pass: keys in another case, null for a value that they do not set, half
a character where a text was cut. Go takes a key whatever its case, null for a value that is absent, and
U+FFFD for what is no text.
"""

from __future__ import annotations

import re
import zlib
from functools import cache
from typing import TYPE_CHECKING, TypeVar, get_args, get_type_hints

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from llmstack_tui.engine.api.limits import check_size
from llmstack_tui.engine.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

_EXPECTED = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_FOUND = {"int": "a number", "float": "a fraction"}
_WRONG_TYPE = re.compile(r"Expected `(.*?)`, got `(\w+)`(?: - at `\$(.*)`)?")
# It counts the byte that it could not use.
_REST = re.compile(r"trailing characters \(byte (\d+)\)")
_GZIP_OR_DEFLATE = zlib.MAX_WBITS | 32

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
        value = _first_value(data)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        value = _first_value(_repaired(data))
    return msgspec.convert({} if value is None else _folded(value, kind), kind)


def fault(error: msgspec.ValidationError) -> str:
    """What is wrong with a value, as a sentence."""
    if "out of range" in str(error):
        return "A number in the JSON is too large."
    if (found := _WRONG_TYPE.fullmatch(str(error))) is None:
        return f"The JSON cannot be read: {error}."
    kinds = [each for each in found[1].split(" | ") if each != "null"]
    expected = " or ".join(_EXPECTED[each] for each in kinds if each != "int" or "float" not in kinds)
    place = (found[3] or "").removeprefix(".") or "The request"
    return f"{place} must be {expected}, and is {_FOUND.get(found[2]) or _EXPECTED[found[2]]}."


def unpacked(data: bytes, encoding: str, most_bytes: int) -> bytes:
    """The body without its ``Content-Encoding``, over which a body that is plain JSON prevails, as in Ollama.

    Raises:
        ApiError: it is in another one than gzip or deflate, is damaged, or larger than ``most_bytes``.
    """
    if encoding.lower() in ("", "identity") or data.startswith(b"{"):
        return data
    if encoding.lower() not in ("gzip", "x-gzip", "deflate"):
        raise ApiError(415, f"A body in {encoding[:20]} is not read here: send it plain, or in gzip.")
    unpacking = zlib.decompressobj(_GZIP_OR_DEFLATE)
    try:
        found = unpacking.decompress(data, most_bytes + 1)
    except zlib.error:
        raise ApiError(400, f"The body is no {encoding}, as its Content-Encoding says.") from None
    check_size(len(found), most_bytes)
    if not unpacking.eof:
        raise ApiError(400, "unexpected EOF")
    return found


def _first_value(data: bytes) -> object:
    """What comes after it is passed over, as by Go's decoder."""
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        if (found := _REST.search(str(error))) is None:
            raise
        return msgspec.json.decode(data[: int(found[1]) - 1])


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
    known = known_keys(kind)
    folded = {}
    for key, each in value.items():
        if each is not None and (found := known.get(key) or known.get(key.lower())):
            name, inner = found
            folded[name] = each if inner is None else _folded(each, inner)
    return folded


@cache
def known_keys(kind: type) -> Mapping[str, tuple[str, type | None]]:
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
