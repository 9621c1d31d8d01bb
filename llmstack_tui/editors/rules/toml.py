"""Merges settings into TOML, line by line, and keeps everything else of it.

What was made is read again, and must be what a merge of the values gives: a file whose lines are not what
they seem to be is not touched.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from llmstack_tui.config.kinds import quoted
from llmstack_tui.editors.rules.values import NotMergeable, combined

if TYPE_CHECKING:
    from llmstack_tui.editors.types import Value

_HEADER = re.compile(r"\s*\[")
_COMMENTED = re.compile(r"""[^#"'=]*=\s*(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^#"']*?)(?P<comment>\s*#.*)""")


def written(values: Mapping[str, Value]) -> str:
    """Settings as a new file."""
    return "".join(f"{line}\n" for line in _lines(values, ""))


def read(text: str) -> dict[str, object]:
    """The values of TOML.

    Raises:
        NotMergeable: it is none; ``why`` is in the words of the reader.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NotMergeable("editors.not_toml", why=str(error)) from None
    except RecursionError:
        raise NotMergeable("editors.unusual") from None


def merged(text: str, values: Mapping[str, Value]) -> str:
    """``text`` with these settings in it.

    Raises:
        NotMergeable: it is not TOML, or is written in a way that would be lost.
    """
    before, end = read(text), "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines()
    for path, table in _tables(values):
        lines = _with_table(lines, path, table)
    after = "".join(f"{line}{end}" for line in lines)
    try:
        is_right = read(after) == combined(before, values)
    except NotMergeable:
        is_right = False
    if not is_right:
        raise NotMergeable("editors.unusual")
    return after


def _tables(values: Mapping[str, Value], path: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    """The tables of values that are no tables, as TOML, by their paths; that at the top first."""
    plain = {key: _toml(value) for key, value in values.items() if not isinstance(value, Mapping)}
    if plain:
        yield path, plain
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _tables(value, f"{path}.{key}" if path else key)


def _lines(values: Mapping[str, Value], path: str) -> Iterator[str]:
    for name, table in _tables(values, path):
        if name:
            yield ""
            yield f"[{name}]"
        yield from (f"{key} = {value}" for key, value in table.items())


def _with_table(lines: list[str], path: str, table: Mapping[str, str]) -> list[str]:
    """The lines with these keys in the table at ``path``; "" is the one at the top."""
    begin = 0
    if path:
        header = re.compile(
            r"\s*\[\s*" + r"\s*\.\s*".join(map(re.escape, path.split("."))) + r"\s*\]\s*(#.*)?"
        )
        found = next((number for number, line in enumerate(lines) if header.fullmatch(line)), None)
        if found is None:
            gap = [""] if lines and lines[-1].strip() else []
            return [*lines, *gap, f"[{path}]", *(f"{key} = {value}" for key, value in table.items())]
        begin = found + 1
    end = next((n for n in range(begin, len(lines)) if _HEADER.match(lines[n])), len(lines))
    body, added = lines[begin:end], []
    for key, value in table.items():
        pattern = re.compile(rf"\s*{re.escape(key)}\s*=")
        at = next((number for number, line in enumerate(body) if pattern.match(line)), None)
        if at is None:
            added.append(f"{key} = {value}")
        else:
            commented = _COMMENTED.fullmatch(body[at])
            body[at] = f"{key} = {value}{commented['comment'] if commented else ''}"
    filled = next((number for number in range(len(body), 0, -1) if body[number - 1].strip()), 0)
    gap = [""] if added and end < len(lines) and filled == len(body) else []
    return [*lines[:begin], *body[:filled], *added, *gap, *body[filled:], *lines[end:]]


def _toml(value: Value) -> str:
    return quoted(value) if isinstance(value, str) else str(value).lower()
