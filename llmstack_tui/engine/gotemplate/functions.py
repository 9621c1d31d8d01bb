"""The functions of a template, and how Go prints and compares: those of Go, and those that Ollama adds.

Where Go would end with an error over a missing value, it is empty here.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from llmstack_tui.engine.gotemplate.errors import TemplateFailure
from llmstack_tui.engine.gotemplate.values import FieldValues

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from llmstack_tui.engine.gotemplate.nodes import Value

    Arguments = Sequence[Value]

# Those of which not every argument is computed, and those that need the day.
LAZY = frozenset({"and", "or"})
DATES = frozenset({"currentDate", "yesterdayDate"})

# Go's JSON escapes these, for the sake of browsers.
_ESCAPED = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
_VERB = re.compile(r"%(?P<flags>[-+# 0]*)(?P<width>\d{0,3})(?:\.(?P<most>\d{0,3}))?(?P<verb>[a-zA-Z%])")


def is_true(value: Value) -> bool:
    return bool(value)


def printed(value: Value) -> str:
    """A value as it is written; lists and objects as JSON, as Ollama has it for tools and arguments."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return as_json(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def as_json(value: Value) -> str:
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":")).translate(_ESCAPED)


def _ordered(value: Value) -> Value:
    """The value with its keys in Go's order: those of fields as they are declared, others by the alphabet."""
    match value:
        case FieldValues():
            return {name: _ordered(each) for name, each in value.as_json().items()}
        case dict():
            return {key: _ordered(each) for key, each in sorted(value.items())}
        case list():
            return [_ordered(each) for each in value]
    return value


def _wrong(function: str) -> TemplateFailure:
    return TemplateFailure("template.wrong_value", function=function)


def _equal(values: Arguments) -> bool:
    if len(values) < 2:
        raise _wrong("eq")
    return any(_same(values[0], other) for other in values[1:])


def _same(one: Value, other: Value) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _order(function: str) -> Callable[[Arguments], bool]:
    def compared(values: Arguments) -> bool:
        match values:
            case [str() as one, str() as other]:
                below, equal = one < other, one == other
            case [int() | float() as first, int() | float() as second]:
                below, equal = first < second, first == second
            case _:
                raise _wrong(function)
        return {"lt": below, "le": below or equal, "gt": not below and not equal, "ge": not below}[function]

    return compared


def _not_equal(values: Arguments) -> bool:
    if len(values) != 2:
        raise _wrong("ne")
    return not _same(values[0], values[1])


def _negated(values: Arguments) -> bool:
    if len(values) != 1:
        raise _wrong("not")
    return not is_true(values[0])


def _length(values: Arguments) -> int:
    match values:
        case [None]:
            return 0
        case [str() as text]:
            return len(text.encode())
        case [list() | dict() as many]:
            return len(many)
    raise _wrong("len")


def _indexed(values: Arguments) -> Value:
    found, *keys = values or [None]
    for key in keys:
        match found, key:
            case list(), int() if not isinstance(key, bool) and 0 <= key < len(found):
                found = found[key]
            case dict(), str():
                found = found.get(key)
            case str(), int() if not isinstance(key, bool) and 0 <= key < len(raw := found.encode()):
                found = raw[key]
            case None, _:
                return None
            case _:
                raise _wrong("index")
    return found


def _sliced(values: Arguments) -> Value:
    found, *bounds = values or [None]
    if found is None:
        return []
    if not isinstance(found, str | list) or len(bounds) > 2:
        raise _wrong("slice")
    whole = found.encode() if isinstance(found, str) else found
    limits = [each for each in (0, *bounds, len(whole)) if isinstance(each, int)]
    if len(limits) < len(bounds) + 2 or limits != sorted(limits):
        raise _wrong("slice")
    low, high = (*limits[1:-1], *(0, len(whole))[len(bounds) :])
    part = whole[low:high]
    return part.decode(errors="replace") if isinstance(part, bytes) else part


def _joined(values: Arguments) -> str:
    """As Go's Sprint: a space stands between two values neither of which is a text."""
    parts: list[str] = []
    for number, value in enumerate(values):
        if number and not isinstance(value, str) and not isinstance(values[number - 1], str):
            parts.append(" ")
        parts.append(printed(value))
    return "".join(parts)


def _line(values: Arguments) -> str:
    return " ".join(map(printed, values)) + "\n"


def _formatted(values: Arguments) -> str:
    if not values or not isinstance(values[0], str):
        raise _wrong("printf")
    rest = list(values[1:])

    def put(match: re.Match[str]) -> str:
        verb = match["verb"]
        if verb == "%":
            return "%"
        if not rest:
            return f"%!{verb}(MISSING)"
        text = _verb(verb, rest.pop(0), match["most"])
        width = int(match["width"] or 0)
        if "-" in match["flags"]:
            return text.ljust(width)
        return text.rjust(width, "0" if "0" in match["flags"] and verb in "dfx" else " ")

    return _VERB.sub(put, values[0])


def _verb(verb: str, value: Value, most: str | None) -> str:
    match verb, value:
        case (("s" | "v"), _):
            text = printed(value)
            return text if most is None or not isinstance(value, str) else text[: int(most or 0)]
        case "q", str():
            return json.dumps(value, ensure_ascii=False)
        case "d", int():
            return str(int(value))
        case "x", int():
            return f"{value:x}"
        case (("f" | "g" | "e"), int() | float()):
            return f"{value:.{6 if most is None else int(most or 0)}{verb}}"
        case "t", bool():
            return printed(value)
    raise _wrong("printf")


def _json(values: Arguments) -> str:
    if len(values) != 1:
        raise _wrong("json")
    return as_json(values[0])


def _script_type(values: Arguments) -> str:
    """The type of a tool's property in TypeScript (``ToTypeScriptType`` in Ollama)."""
    kinds: list[str] = []
    match values:
        case [{"AnyOf": [*schemas]}] if schemas:
            kinds = [_script_type([schema]) for schema in schemas]
        case [{"Type": [*names]}]:
            kinds = [_SCRIPT_TYPES.get(printed(name), "any") for name in names]
        case [{"Type": str() as name}]:
            kinds = [_SCRIPT_TYPES.get(name, "any")]
    return " | ".join(dict.fromkeys(kinds)) or "any"


_SCRIPT_TYPES = {
    "string": "string",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "array": "any[]",
    "object": "Record<string, any>",
    "null": "null",
}

PLAIN: dict[str, Callable[[Arguments], Value]] = {
    "eq": _equal,
    "ne": _not_equal,
    "lt": _order("lt"),
    "le": _order("le"),
    "gt": _order("gt"),
    "ge": _order("ge"),
    "not": _negated,
    "len": _length,
    "index": _indexed,
    "slice": _sliced,
    "print": _joined,
    "println": _line,
    "printf": _formatted,
    "json": _json,
    "toTypeScriptType": _script_type,
}
FUNCTIONS = frozenset({*PLAIN, *LAZY, *DATES})
