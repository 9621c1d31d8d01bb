"""Merges settings into JSON with comments and trailing commas, and keeps every other character of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.editors.rules.values import NotMergeable, combined, is_list, place_in

if TYPE_CHECKING:
    from llmstack_tui.editors.types import Value

_BETWEEN = re.compile(r"(?:[ \t\r\n\ufeff]|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_REST_OF_LINE = re.compile(r"(?:[ \t\r]|//[^\n]*|/\*[^\n]*?\*/)*(?=\n|\Z)")
_INDENT = "  "


class _Member(Struct, frozen=True):
    """A member of an object, or an item of a list, whose key is ""."""

    key: str
    start: int
    node: Node


class Node(Struct, frozen=True):
    """A value, and where its text begins and ends; ``value`` of an object or a list is of its members."""

    start: int
    end: int
    value: object
    members: tuple[_Member, ...] = ()


class Edit(Struct, frozen=True):
    """A text in place of another."""

    start: int
    end: int
    text: str


def written(values: Mapping[str, Value]) -> str:
    """Settings as a new file."""
    return json.dumps(values, indent=len(_INDENT), ensure_ascii=False) + "\n"


def read(text: str) -> object:
    """The value of JSON with comments; None for a text that has only such.

    Raises:
        NotMergeable: it is not JSON; ``line`` says where.
    """
    node = _parsed(text)
    return None if node is None else node.value


def merged(text: str, values: Mapping[str, Value]) -> str:
    """``text`` with these settings in it.

    Raises:
        NotMergeable: it is not JSON, or no object.
    """
    node = _parsed(text)
    if node is None:
        return f"{text.rstrip()}\n{written(values)}".lstrip()
    if not isinstance(node.value, Mapping):
        raise NotMergeable("editors.no_object")
    edits = sorted(_edits(text, node, values), key=lambda each: each.start, reverse=True)
    result = text
    for edit in edits:
        changed = edit.text.replace("\n", "\r\n") if "\r\n" in text else edit.text
        result = result[: edit.start] + changed + result[edit.end :]
    if read(result) != combined(node.value, values):
        raise NotMergeable("editors.unusual")  # Such as a key that is there twice.
    return result


def _edits(text: str, node: Node, new: Value) -> Iterator[Edit]:
    """What turns a value into the one merged with ``new``."""
    if isinstance(node.value, Mapping) and isinstance(new, Mapping):
        by_key = {member.key: member.node for member in node.members}
        for key in new.keys() & by_key.keys():
            yield from _edits(text, by_key[key], new[key])
        added = {key: value for key, value in new.items() if key not in by_key}
        if added:
            yield from _added(text, node, [(f"{json.dumps(key)}: ", value) for key, value in added.items()])
    elif isinstance(node.value, Sequence) and is_list(node.value) and is_list(new):
        assert isinstance(new, Sequence)  # noqa: S101
        more = []
        for item in new:
            index = place_in(node.value, item)
            if index is None:
                more.append(("", item))
            else:
                yield from _edits(text, node.members[index].node, item)
        if more:
            yield from _added(text, node, more)
    elif node.value != new:
        yield Edit(node.start, node.end, _dumped(new, _indent_at(text, node.start)))


def _added(text: str, node: Node, members: Sequence[tuple[str, Value]]) -> Iterator[Edit]:
    """New members behind the last one, on lines of their own where the others are."""
    outer = _indent_at(text, node.start)
    if not node.members:
        close = node.end - 1
        begin = len(text[:close].rstrip())
        inner = outer + _INDENT
        lines = ",".join(f"\n{inner}{key}{_dumped(value, inner)}" for key, value in members)
        yield Edit(begin, close, f"{lines}\n{outer}")
        return
    last = node.members[-1]
    after = _skip(text, last.node.end)
    has_comma = text[after] == ","
    if "\n" not in text[node.start : node.members[0].start]:
        lines = ", ".join(key + json.dumps(value, ensure_ascii=False) for key, value in members)
        place = after + 1 if has_comma else last.node.end
        yield Edit(place, place, f" {lines}," if has_comma else f", {lines}")
        return
    place = after + 1 if has_comma else last.node.end
    rest = _REST_OF_LINE.match(text, place)
    end = rest.end() if rest else place
    end -= text[place:end].endswith("\r")
    inner = _indent_at(text, last.start)
    lines = ",".join(f"\n{inner}{key}{_dumped(value, inner)}" for key, value in members)
    comma = "" if has_comma else ","
    if end == place:
        yield Edit(place, place, f"{comma}{lines}" + ("," if has_comma else ""))
    else:
        yield Edit(place, place, comma)
        yield Edit(end, end, lines + ("," if has_comma else ""))


def _dumped(value: Value, indent: str) -> str:
    return json.dumps(value, indent=len(_INDENT), ensure_ascii=False).replace("\n", f"\n{indent}")


def _indent_at(text: str, place: int) -> str:
    """The white space at the beginning of the line."""
    line = text[text.rfind("\n", 0, place) + 1 : place]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _skip(text: str, place: int) -> int:
    found = _BETWEEN.match(text, place)
    assert found is not None  # noqa: S101  # It may be empty.
    return found.end()


def _parsed(text: str) -> Node | None:
    start = _skip(text, 0)
    if start == len(text):
        return None
    try:
        node = _value(text, start)
        end = _skip(text, node.end)
    except RecursionError:
        raise NotMergeable("editors.unusual") from None
    if end != len(text):
        raise _wrong(text, end)
    return node


def _value(text: str, start: int) -> Node:
    if text[start : start + 1] in ("{", "["):
        return _compound(text, start)
    try:
        value, end = json.JSONDecoder().raw_decode(text, start)
    except ValueError:
        raise _wrong(text, start) from None
    return Node(start, end, value)


def _compound(text: str, start: int) -> Node:
    """An object or a list; either may end with a comma."""
    is_object = text[start] == "{"
    close = "}" if is_object else "]"
    members: list[_Member] = []
    place = _skip(text, start + 1)
    while text[place : place + 1] != close:
        begin, key = place, ""
        if is_object:
            name = _value(text, place) if text[place : place + 1] == '"' else None
            colon = _skip(text, name.end) if name else place
            if name is None or text[colon : colon + 1] != ":":
                raise _wrong(text, colon)
            key, place = str(name.value), _skip(text, colon + 1)
        node = _value(text, place)
        members.append(_Member(key, begin, node))
        place = _skip(text, node.end)
        if text[place : place + 1] == ",":
            place = _skip(text, place + 1)
        elif text[place : place + 1] != close:
            raise _wrong(text, place)
    values = {each.key: each.node.value for each in members} if is_object else [m.node.value for m in members]
    return Node(start, place + 1, values, tuple(members))


def _wrong(text: str, place: int) -> NotMergeable:
    return NotMergeable("editors.not_json", line=text.count("\n", 0, place) + 1)
