"""Changes a list in a TOML document entry by entry: the comments and the form of those that stay are kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tomlkit.container import Container
    from tomlkit.items import AoT, Item, Key

    Body = list[tuple[Key | None, Item]]

PARTS = re.compile(
    r"""
    ["]{3} (?: \\. | [^\\] )*? ["]{3,5}
    | [']{3} .*? [']{3,5}
    | " (?: \\. | [^"\\] )* "
    | ' [^']* '
    | [#] [^\n]*
    | [\[\]{}=,\n]
    | [^"'#\[\]{}=,\n]+
    """,
    re.VERBOSE | re.DOTALL,
)
"""The tokens of a document: four kinds of strings, comments, punctuation, and what is between."""

NESTING = {"[": 1, "{": 1, "]": -1, "}": -1}


def array_with(array: str, old: Sequence[object], new: Sequence[object], literals: Sequence[str]) -> str:
    """The text of an array, with ``new`` entries instead of the ``old`` ones.

    A comment in the line of an entry goes with it; one in a line of its own stays.

    Args:
        literals: the new ones as TOML.
    """
    entries, foot = _entries(array.replace("\r\n", "\n")[1:-1])
    if not entries:
        if "#" not in foot:
            return f"[{', '.join(literals)}]"
        lines = "".join(f"\n    {each}," for each in literals)
        return f"[{foot.rstrip()}{lines}\n]"
    for first, last, begin, end in _steps(old, new):
        for number in range(min(last - first, end - begin)):
            there, wanted, entry = old[first + number], new[begin + number], entries[first + number]
            if there != wanted:
                entry.value = _value_with(entry.value, there, wanted, literals[begin + number])
        for literal in reversed(literals[begin + last - first : end]):
            _add(entries, last, literal)
        for number in reversed(range(first + end - begin, last)):
            foot = _remove(entries, number, foot)
    return f"[{_written(entries, foot)}]"


def change_tables(body: Body, tables: AoT, old: Sequence[object], new: Sequence[object]) -> None:
    """Make the tables of a list what they should be; what is between the last one and the next header stays.

    Args:
        body: of the table that has the list. It is to be drawn next, as its indices are no more right.

    Raises:
        ValueError: a new entry is no table.
    """
    for first, last, begin, end in _steps(old, new):
        for number in range(min(last - first, end - begin)):
            inner = tables.body[first + number].value
            rest = _rest(inner.body)
            _change_table(inner, new[begin + number])
            inner.body.extend(rest)
        for wanted in reversed(new[begin + last - first : end]):
            _add_table(tables, last, wanted)
        for number in reversed(range(first + end - begin, last)):
            _remove_table(body, tables, number)


def _change_table(table: Container, wanted: object) -> None:
    """Give a table other values, key by key.

    Raises:
        ValueError: it is to be no table.
    """
    import tomlkit  # noqa: PLC0415  # 40 ms, for who edits a file

    if not isinstance(wanted, dict):
        raise ValueError
    for key in [key for key in table if key not in wanted]:
        del table[key]
    for key, value in wanted.items():
        if key not in table or table[key] != value:
            table[key] = tomlkit.item(value)


@dataclass(slots=True)
class _ListPart:
    """``head`` is before the value, back to the line of the last entry; ``comment`` behind it in its line."""

    head: str
    value: str
    before_comma: str = ""
    comma: bool = False
    comment: str = ""

    @property
    def tail(self) -> str:
        return f"{self.before_comma}{',' if self.comma else ''}{self.comment}"

    @property
    def indent(self) -> str:
        """What begins another entry beside it."""
        return "\n" + self.head.rpartition("\n")[2] if "\n" in self.head else " "


def _entries(inner: str) -> tuple[list[_ListPart], str]:
    """The entries of an array or an inline table, and what is behind the last."""
    entries: list[_ListPart] = []
    gap, depth = "", 0
    is_open = is_behind = False  # In a value; behind one in its line.
    for part in PARTS.findall(inner):
        if depth or not (part.startswith("#") or part in ",\n" or not part.strip()):
            if not is_open:
                lead = part[: len(part) - len(part.lstrip())]
                entries.append(_ListPart(gap + lead, ""))
                gap, part, is_open = "", part.lstrip(), True  # noqa: PLW2901
            end = "" if depth else part[len(part.rstrip()) :]
            entries[-1].value += gap + part.removesuffix(end)
            gap = end
            depth += NESTING.get(part, 0)
        elif part == ",":
            entries[-1].before_comma = entries[-1].comment + gap
            entries[-1].comma, entries[-1].comment, gap = True, "", ""
            is_open, is_behind = False, True
        elif part.startswith("#") and (is_open or is_behind) and "\n" not in gap:
            entries[-1].comment, gap = gap + part, ""
        else:
            gap += part
            is_behind = is_behind and part != "\n"
    return entries, gap


def _add(entries: list[_ListPart], at: int, literal: str) -> None:
    if at:
        before = entries[at - 1]
        entries.insert(at, _ListPart(before.indent, literal, comma=before.comma))
        before.comma = True
        return
    first = entries[0]
    line, newline, rest = first.head.partition("\n")
    head, first.head = (line + first.indent, newline + rest) if newline else (first.head, " ")
    entries.insert(0, _ListPart(head, literal, comma=True))


def _remove(entries: list[_ListPart], at: int, foot: str) -> str:
    """Take one out; what is behind the last one then."""
    removed = entries.pop(at)
    end = removed.head.rstrip() if "#" in removed.head else ""
    if at == len(entries):
        if entries and "\n" not in removed.head:
            entries[-1].comma = removed.comma
        return _joined([end, foot])
    following = entries[at]
    following.head = _joined([end, following.head]) if "\n" in following.head else removed.head
    return foot


def _value_with(text: str, old: object, new: object, literal: str) -> str:
    """The text of an entry that has another value; of an inline table only what differs is another."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return literal
    entries, foot = _entries(text[1:-1])
    wanted = dict(zip(new, _entries(literal[1:-1])[0], strict=True))
    for number, key in reversed([*enumerate(old)]):
        if key not in new:
            foot = _remove(entries, number, foot)
        elif old[key] != new[key]:
            name, equals, value = entries[number].value.partition("=")
            blanks = value[: len(value) - len(value.lstrip())]
            entries[number].value = name + equals + blanks + wanted[key].value.partition("=")[2].strip()
    for key in new:
        if key not in old:
            _add(entries, len(entries), wanted[key].value)
    return f"{{{_written(entries, foot)}}}"


def _written(entries: Sequence[_ListPart], foot: str) -> str:
    return _joined([*(piece for each in entries for piece in (each.head, each.value, each.tail)), foot])


def _joined(pieces: Sequence[str]) -> str:
    """The pieces, none of them in the comment with which another ends."""
    text = ""
    for piece in (*pieces, ""):
        last = text.rpartition("\n")[2]
        if piece and not piece.lstrip(" \t").startswith("\n") and _ends_in_comment(last):
            text += "\n"
        text += piece
    return text + "\n" if _ends_in_comment(text.rpartition("\n")[2]) else text


def _ends_in_comment(line: str) -> bool:
    return any(part.startswith("#") for part in PARTS.findall(line))


def _steps(old: Sequence[object], new: Sequence[object]) -> Iterator[tuple[int, int, int, int]]:
    """What of the old ones is where in the new ones, from the last to the first."""
    steps = SequenceMatcher(None, [*map(_name, old)], [*map(_name, new)], autojunk=False).get_opcodes()
    for _, first, last, begin, end in reversed(steps):
        yield first, last, begin, end


def _name(entry: object) -> str:
    """What an entry is known by while the rest of it changes."""
    return repr(entry.get("url") if isinstance(entry, dict) else entry)


def _add_table(tables: AoT, at: int, wanted: object) -> None:
    from tomlkit import ws  # noqa: PLC0415  # 40 ms, for who edits a file
    from tomlkit.container import Container  # noqa: PLC0415
    from tomlkit.items import Table, Trivia  # noqa: PLC0415

    made = Table(Container(), Trivia(), is_aot_element=True, name=tables.name)
    _change_table(made.value, wanted)
    if at:
        before = tables.body[at - 1].value.body
        made.value.body.extend(_rest(before))
        for _, each in before[-1:]:
            each.trivia.trail = each.trivia.trail or "\n"
        before.append((None, ws("\n")))
    else:
        made.value.body.append((None, ws("\n")))
    tables.body.insert(at, made)


def _remove_table(body: Body, tables: AoT, at: int) -> None:
    here = next(number for number, (_, each) in enumerate(body) if each is tables)
    rest = _rest(tables.body.pop(at).value.body)
    before = tables.body[at - 1].value.body if at else body[:here]
    if before and _is_blank(before[-1]) and (_is_blank(rest[0]) if rest else at == len(tables.body)):
        before.pop()
    before.extend(rest)
    if at == 0:
        body[:here] = before
    if not tables.body:
        body[:] = [each for each in body if each[1] is not tables]


def _is_blank(part: tuple[Key | None, Item]) -> bool:
    return part[0] is None and not part[1].as_string().strip()


def _rest(body: Body) -> Body:
    """Take what is behind the last value out of a table."""
    at = max((number for number, (key, _) in enumerate(body, start=1) if key is not None), default=0)
    rest = body[at:]
    del body[at:]
    return rest
