"""Where a setting came from; and the line of each key in a TOML document, which tomllib does not report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.config.kinds import Place

# Deep enough for every setting; the keys of a document may be nested thousands deep.
_DEPTH = 8


class SettingOrigin(NamedTuple):
    """Where a setting came from. ``name`` is the name of the file, the variable or the option."""

    kind: Literal["default", "file", "environment", "option"]
    name: str | None = None
    line: int | None = None


class LineNumbers:
    """The line numbers of a valid document. It is parsed at the first question."""

    def __init__(self, text: str = "") -> None:
        self._text = text
        self._found: dict[Place, int] | None = None

    def of(self, place: Place) -> int:
        """The line of a place such as ``("hosts", 0, "url")``, or else of the nearest place around it."""
        if self._found is None:
            self._found = _first_mentions(self._text)
        known = (place[:end] for end in range(len(place), 0, -1) if place[:end] in self._found)
        return self._found.get(next(known, ()), 1)


def _first_mentions(text: str) -> dict[Place, int]:
    """The lines of the tables, of their keys, and of the items of lists."""
    found: dict[Place, int] = {}
    newest: dict[Place, int] = {}
    header: Place = ()
    for statement in _statements(text):
        signs = [part for part, _ in statement]
        if signs[0] == "[":
            keys, is_list = _keys("".join(signs))
            place = header = _numbered(keys, newest, new=is_list)
            value = []
        else:
            end = signs.index("=")
            keys, _ = _keys(f"{''.join(signs[:end])} = 0")
            place = (*header, *keys)[:_DEPTH]
            value = statement[end + 1 :]
        for length in range(1, len(place) + 1):
            found.setdefault(place[:length], statement[0][1])
        for number, line in enumerate(_items(value)):
            found[*place, number] = line
    return found


def _statements(text: str) -> Iterator[list[tuple[str, int]]]:
    """The tokens of each header or assignment with their lines, without comments and blanks."""
    from llmstack_tui.base.toml_lists import NESTING, PARTS  # noqa: PLC0415 (as for `_keys`)

    statement: list[tuple[str, int]] = []
    line, depth = 1, 0
    for part in PARTS.findall(text):
        if part.strip() and not part.startswith("#"):
            statement.append((part, line))
            depth += NESTING.get(part, 0)
        elif part == "\n" and depth == 0 and statement:
            yield statement
            statement = []
        line += part.count("\n")
    if statement:
        yield statement


def _items(value: list[tuple[str, int]]) -> Iterator[int]:
    """The lines on which the items of a list begin; none if the value is not a list."""
    from llmstack_tui.base.toml_lists import NESTING  # noqa: PLC0415 (as for `_keys`)

    depth, is_next = 0, False
    for part, line in value if value and value[0][0] == "[" else ():
        if is_next and part != "]":
            yield line
        depth += NESTING.get(part, 0)
        is_next = depth == 1 and part in ("[", ",")


def _keys(statement: str) -> tuple[tuple[str, ...], bool]:
    """The keys that a header or an assignment names, and whether it begins a table in a list."""
    import tomllib  # noqa: PLC0415 (only needed to report a problem)

    keys = []
    node: object = tomllib.loads(statement)
    while isinstance(node, dict) and node:
        key, node = next(iter(node.items()))
        keys.append(key)
    return tuple(keys[:_DEPTH]), isinstance(node, list)


def _numbered(keys: tuple[str, ...], newest: dict[Place, int], *, new: bool) -> Place:
    """The place of a header, with the index of the latest table in each list of tables."""
    place: Place = ()
    for number, key in enumerate(keys, start=1):
        place = (*place, key)
        if new and number == len(keys):
            newest[place] = newest.get(place, -1) + 1
        if place in newest:
            place = (*place, newest[place])
    return place
