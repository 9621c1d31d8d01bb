"""Changes single values in the text of a TOML document; comments, order and formatting stay."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

from llmstack_tui.base.toml_lists import array_with, change_tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tomlkit.container import Container, OutOfOrderTableProxy
    from tomlkit.items import AbstractTable, Array, Item, Key

Path = tuple[str, ...]
"""The keys from the top of a document to a value."""


class Unchangeable(ValueError):
    """A document that is written in a way that a change would spoil."""


def changed(text: str, values: Mapping[Path, str | None]) -> str:
    """A valid document with other values at some places, each written as TOML; None removes the value.

    A new value goes behind the last one of its table, or behind a comment such as ``#key = 1``. A list is
    changed entry by entry.

    Raises:
        Unchangeable: as it says. What was made is read again, and must be what was wanted.
    """
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415

    wanted: dict[str, object] = tomllib.loads(text)
    try:
        after = text
        for path, value in values.items():
            _put(wanted, path, None if value is None else tomllib.loads(f"v = {value}")["v"])
            after = _change(after, path, value)
    except (TOMLKitError, TypeError, AttributeError, IndexError, KeyError, ValueError):
        raise Unchangeable from None
    if "\r\n" in text:
        after = re.sub(r"(?<!\r)\n", "\r\n", after)
    try:
        is_right = _without_empty(tomllib.loads(after)) == _without_empty(wanted)
    except tomllib.TOMLDecodeError:
        is_right = False
    if not is_right:
        raise Unchangeable
    return after


def _change(text: str, path: Path, value: str | None) -> str:
    import tomlkit  # noqa: PLC0415  # 40 ms, for who edits a file
    from tomlkit.container import OutOfOrderTableProxy  # noqa: PLC0415
    from tomlkit.items import AbstractTable, AoT, Array, Table  # noqa: PLC0415

    document = tomlkit.parse(text)
    here: Container | AbstractTable | OutOfOrderTableProxy = document
    for number, key in enumerate(path[:-1], start=1):
        if key not in here:
            if value is None:
                return text
            here[key] = tomlkit.table(is_super_table=number < len(path) - 1)
        inner = here[key]
        if not isinstance(inner, AbstractTable | OutOfOrderTableProxy):
            raise Unchangeable
        here = inner
    last = path[-1]
    present = here.get(last)
    if isinstance(present, AoT) and not isinstance(here, OutOfOrderTableProxy):
        body = here.value.body if isinstance(here, AbstractTable) else here.body
        change_tables(body, present, present.unwrap(), tomlkit.value(value or "[]").unwrap())
    elif value is None:
        if last in here:
            del here[last]
    elif last in here or isinstance(here, OutOfOrderTableProxy):
        here[last] = _list_with(present, value) if isinstance(present, Array) else tomlkit.value(value)
    else:
        body = here.value.body if isinstance(here, AbstractTable) else here.body
        trivia = [each.trivia for _, each in body if isinstance(each, AbstractTable)]
        indents = [each.indent for each in trivia]
        if isinstance(here, Table) and here.is_super_table():
            here.trivia.indent = "\n"  # Its header is written from now on.
        here.append(last, tomlkit.value(value))
        if _settle(body, last, is_top=here is document):
            for each, indent in zip(trivia, indents, strict=True):
                each.indent = indent
    after = document.as_string()
    return after if text.startswith("\n") else after.lstrip("\n")


def _list_with(present: Array, value: str) -> Item:
    import tomlkit  # noqa: PLC0415  # as above
    from tomlkit.items import Array  # noqa: PLC0415

    wanted = tomlkit.value(value)
    if not isinstance(wanted, Array):
        return wanted
    literals = [each.as_string() for each in wanted.value]
    return tomlkit.value(array_with(present.as_string(), present.unwrap(), wanted.unwrap(), literals))


def _settle(body: list[tuple[Key | None, Item]], name: str, *, is_top: bool) -> bool:
    """Move a new key in front of the comments before it, which are about the next; False if it stays."""
    at = next(number for number, (key, _) in enumerate(body) if key is not None and key.key == name)
    example = re.compile(rf"\s*#\s*{re.escape(name)}\s*=")
    found = [number + 1 for number, (_, each) in enumerate(body[:at]) if example.match(each.as_string())]
    place = at
    while place and body[place - 1][0] is None:
        place -= 1
    if found:
        place = found[0]
    elif is_top and place == 0:  # The comments at the top are about the file.
        return False
    body.insert(place, body.pop(at))
    return place != at


def _put(values: dict[str, object], path: Path, value: object) -> None:
    for key in path[:-1]:
        inner = values.setdefault(key, {})
        if not isinstance(inner, dict):
            raise Unchangeable
        values = inner
    if value is None:
        values.pop(path[-1], None)
    else:
        values[path[-1]] = value


def _without_empty(value: object) -> object:
    """Without tables that have nothing in them: a removed value may leave one."""
    if not isinstance(value, dict):
        return value
    inner = {key: _without_empty(each) for key, each in value.items()}
    return {key: each for key, each in inner.items() if each != {}}
