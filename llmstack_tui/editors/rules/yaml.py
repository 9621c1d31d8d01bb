"""Merges settings into YAML, and keeps everything else of it.

There is no reader of YAML here: only a mapping in block style is understood, as both clients document and
write it, whose keys stand at the beginnings of their lines. Whatever has another line there is not touched.
Strings are written in double quotes, as in JSON, which YAML reads the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from llmstack_tui.editors.rules.values import NotMergeable

if TYPE_CHECKING:
    from llmstack_tui.editors.types import Value

_KEY = re.compile(r"(?P<key>[A-Za-z_][\w-]*):(?:[ ](?P<value>.*))?")
_LOOSE = re.compile(r"\s*(#.*)?")
_ITEM = re.compile(r"(?P<indent> *)- +\S")
_BEFORE_KEY = re.compile(r" *(- +)?")
_NAME = re.compile(r"(?:- +)?name: +(?P<name>.+?)\s*")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_WORDS = frozenset(["true", "false", "null", "yes", "no", "on", "off", "y", "n"])
_COMMENTED = re.compile(r"""[\w-]+:(?: +(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^#"'\s][^#]*?))?(?P<comment> +#.*)""")
_INDENT = "  "
_CLOSING = {'"': '"', "'": "'", "[": "]", "{": "}"}


def written(values: Mapping[str, Value]) -> str:
    """Settings as a new file."""
    return "".join(f"{line}\n" for line in _mapping(values))


def replaced(text: str, values: Mapping[str, Value]) -> Iterator[str]:
    """The settings that get another value in a merge.

    Raises:
        NotMergeable: as for `merged`.
    """
    entries = _entries(text.splitlines())
    for key in values.keys() & entries.keys():
        value, lines = values[key], entries[key]
        if not isinstance(value, Sequence) or isinstance(value, str):
            yield from [key] if lines != _changed(lines, key, value) else ()
            continue
        for item in value:
            assert isinstance(item, Mapping)  # noqa: S101
            begin, end = _item(lines, str(item["name"]))
            if lines[begin:end] not in ([], _shown(lines, item)):
                yield f"{key}.{item['name']}"


def merged(text: str, values: Mapping[str, Value], defaults: Mapping[str, Value]) -> str:
    """``text`` with these settings in it, and with those of ``defaults`` that it lacks.

    Raises:
        NotMergeable: it is not of the form that is understood here.
    """
    lines, end = text.splitlines(), "\r\n" if "\r\n" in text else "\n"
    entries = _entries(lines)
    missing = {key: value for key, value in defaults.items() if key not in entries}
    for key, value in {**missing, **values}.items():
        if key not in entries:
            lines = [*lines, *_mapping({key: value})]
            continue
        begin = lines.index(entries[key][0])
        rest = lines[begin + len(entries[key]) :]
        lines = [*lines[:begin], *_changed(entries[key], key, value), *rest]
    return "".join(f"{line}{end}" for line in lines)


def _entries(lines: Sequence[str]) -> dict[str, list[str]]:
    """The lines of each key, without the empty ones and the comments before the next key."""
    found: dict[str, list[str]] = {}
    loose: list[str] = []
    current: list[str] | None = None
    for number, line in enumerate(lines):
        if _LOOSE.fullmatch(line):
            loose.append(line)
            continue
        key = _KEY.fullmatch(line)
        if key is not None and key["key"] not in found and _is_whole(key["value"] or ""):
            current = found[key["key"]] = [line]
        elif current is not None and (line.startswith(" ") or _ITEM.match(line)) and "\t" not in line:
            current += [*loose, line]
        elif not (current is None and line.rstrip() == "---"):
            raise NotMergeable("editors.unusual_yaml", line=number + 1)
        loose.clear()
    return found


def _is_whole(value: str) -> bool:
    """Whether a value that begins with a quotation mark or a bracket ends on its line."""
    closing = _CLOSING.get(value[:1])
    return closing is None or (len(value) > 1 and value.partition(" #")[0].rstrip().endswith(closing))


def _changed(lines: list[str], key: str, value: Value) -> list[str]:
    """The lines of a key with another value, or with the items of a list in it."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        commented = _COMMENTED.fullmatch(lines[0])
        (line,) = _mapping({key: value})
        return [line + (commented["comment"] if commented else "")]
    head = _KEY.fullmatch(lines[0])
    assert head is not None  # noqa: S101
    inline = (head["value"] or "").partition("#")[0].strip()
    if len(lines) == 1 and inline in ("", "[]", "null", "~"):
        return [*_mapping({key: value})]
    if inline:
        raise NotMergeable("editors.unusual")
    for item in value:
        assert isinstance(item, Mapping)  # noqa: S101
        begin, end = _item(lines, str(item["name"]))
        lines = [*lines[:begin], *_shown(lines, item), *lines[end:]]
    return lines


def _item(lines: Sequence[str], name: str) -> tuple[int, int]:
    """Where the item with that name begins and ends; where it would be added, if there is none."""
    for begin, end in pairwise([*_begins(lines), len(lines)]):
        keys = [line for line in lines[begin:end] if _depth(line) == _depth(lines[begin])]
        names = (_NAME.fullmatch(line.strip()) for line in keys)
        if any(found and _unquoted(found["name"]) == name for found in names):
            return begin, max(n for n in range(begin, end) if not _LOOSE.fullmatch(lines[n])) + 1
    return len(lines), len(lines)


def _begins(lines: Sequence[str]) -> list[int]:
    """The lines on which the items of the list begin that is the value of a key."""
    rest = [number for number in range(1, len(lines)) if not _LOOSE.fullmatch(lines[number])]
    if rest and not _ITEM.match(lines[rest[0]]):
        raise NotMergeable("editors.unusual")
    return [number for number in rest if lines[number].startswith(f"{_indent(lines)}- ")]


def _indent(lines: Sequence[str]) -> str:
    """The white space before the first item of a list."""
    return next((found["indent"] for line in lines[1:] if (found := _ITEM.match(line))), _INDENT)


def _depth(line: str) -> int:
    """The column of the first key on a line, behind the dash of an item."""
    found = _BEFORE_KEY.match(line)
    return found.end() if found else 0


def _shown(lines: Sequence[str], item: Mapping[str, Value]) -> list[str]:
    """An item with the indentation of the others."""
    return [f"{_indent(lines)}{line}" for line in _listed(item)]


def _unquoted(text: str) -> str:
    if text.startswith('"'):
        try:
            return str(json.loads(text))
        except ValueError:
            return text
    return text[1:-1] if text.startswith("'") else text


def _mapping(values: Mapping[str, Value]) -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield f"{key}:"
            yield from (f"{_INDENT}{line}" for line in _mapping(value))
        elif isinstance(value, Sequence) and any(isinstance(item, Mapping) for item in value):
            yield f"{key}:"
            for item in value:
                assert isinstance(item, Mapping)  # noqa: S101
                yield from (f"{_INDENT}{line}" for line in _listed(item))
        else:
            yield f"{key}: {_scalar(value)}"


def _listed(item: Mapping[str, Value]) -> Iterator[str]:
    for number, line in enumerate(_mapping(item)):
        yield f"{_INDENT if number else '- '}{line}"


def _scalar(value: Value) -> str:
    if isinstance(value, str):
        is_plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
        return value if is_plain else json.dumps(value, ensure_ascii=False)
    if isinstance(value, Sequence):
        return f"[{', '.join(map(_scalar, value))}]"
    return str(value).lower()
