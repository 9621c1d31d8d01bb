"""Tables: columns side by side, made to fit the width of a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_GAP = 2
# Narrower than this, neither a wrapped text nor what is left of a name can be read.
_LEAST_TEXT, _LEAST_NAME = 20, 8


def lines(
    heads: Sequence[str], rows: Sequence[Sequence[str]], width: int | None, dots: str = "…"
) -> list[list[str]]:
    """The lines of a table, each as its cells, padded to the width of their columns.

    Args:
        heads: one that begins with ">" is of a column aligned to the right. One that ends with "?" is of a
            column that is left out where there is no room.
        width: cells of the terminal; None for as much as is needed. To fit it, the sentences of the last
            column are wrapped, else columns are left out, the last first, and then the widest is shortened.
    """
    table = [[head.strip(">?") for head in heads], *rows]
    shown = [*range(len(heads))]
    widths = [max(cells(row[each]) for row in table) for each in shown]

    def over() -> int:
        return 0 if width is None else sum(widths[each] + _GAP for each in shown) - _GAP - width

    if any(" " in row[-1] for row in rows) and widths[-1] - over() >= _LEAST_TEXT:
        widths[-1] -= max(over(), 0)
    for each in reversed(range(len(heads))):
        if over() > 0 and heads[each].endswith("?"):
            shown.remove(each)
    widest = max(shown, key=lambda each: widths[each])
    widths[widest] = max(widths[widest] - max(over(), 0), min(widths[widest], _LEAST_NAME))
    return [
        [_padded(part, widths[each], heads[each]) for each, part in zip(shown, line, strict=True)]
        for row in table
        for line in _fitted([row[each] for each in shown], [widths[each] for each in shown], dots)
    ]


def cells(text: str) -> int:
    """The cells that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width  # noqa: PLC0415  # most names are ASCII

    return sum(0 if combining(sign) else 2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def clipped(text: str, width: int) -> str:
    """As much of a text as fits into ``width`` cells."""
    while cells(text) > width:
        text = text[:-1]
    return text


def _fitted(row: Sequence[str], widths: Sequence[int], dots: str) -> Iterator[list[str]]:
    """The lines of one row: several if the last cell is wrapped."""
    *most, last = row
    first = [shortened(each, width, dots) for each, width in zip(most, widths, strict=False)]
    parts = [*_wrapped(last, widths[-1])] if " " in last else [shortened(last, widths[-1], dots)]
    for number, part in enumerate(parts):
        yield [*(["" for _ in first] if number else first), part]


def _wrapped(text: str, width: int) -> Iterator[str]:
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if line and cells(longer) > width:
            yield line
            longer = word
        line = longer
    yield line


def shortened(text: str, width: int, dots: str = "…") -> str:
    """A text without its middle, if it is too wide: names differ at their beginnings and ends."""
    room = width - len(dots)
    if cells(text) <= width:
        return text
    end = text[-(room // 3) :] if room >= 3 else ""
    return clipped(text, room - cells(end)) + dots + end


def _padded(text: str, width: int, head: str) -> str:
    space = " " * (width - cells(text))
    return space + text if head.startswith(">") else text + space
