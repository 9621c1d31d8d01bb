"""A text in Markdown, cut into parts that are each drawn by themselves. Pure.

Textual parses and lays out the last block of a text again for each piece that comes. So that this costs the
same at the end of a long answer as at its beginning, a part is closed before it gets large: where nothing
is seen of it if there is such a place, else inside a list or a block of code, which goes on in the next one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

# Characters from which on a part ends at the next blank line, at the next line, or anywhere.
_SOFT, _HARD, _HARDEST = 600, 1_000, 2_500
# An item of a list is four widgets, which are all made anew for each piece: here a part ends earlier.
_LIST = 250
_ITEM = re.compile(r"(?:[-*+]|\d{1,9}[.)]) ")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^`\n]*)")


class PartEnd(Struct, frozen=True):
    """Where a part ends, and what the next one begins with beside the rest of the text."""

    at: int
    prefix: str = ""


def cut(source: str, start: int) -> PartEnd | None:
    """The first place from ``start`` on where the part may end; None while it need not, or there is none yet.

    Args:
        start: how many characters are drawn already: they are not taken back.
    """
    if len(source) <= _LIST:
        return None
    fence, was_blank, at = "", False, 0
    for line in source.splitlines(keepends=True):
        marker = _FENCE.match(line)
        closes = marker is not None and bool(fence) and _closes(marker, fence)
        if not fence and max(start, _LIST) <= at and _ITEM.match(line):
            return PartEnd(at)
        if max(start, _SOFT) <= at < len(source):
            is_outside = not fence and not line[0].isspace()
            if (is_outside and was_blank) or (at >= _HARD and (is_outside or (fence and not closes))):
                return PartEnd(at, fence)
        if closes:
            fence = ""
        elif marker is not None and not fence:
            fence = f"{line.rstrip()}\n"
        was_blank = not line.strip()
        at += len(line)
    if len(source) <= _HARDEST:
        return None
    latest = max(start, _HARDEST)
    space = source.rfind(" ", max(start, _HARD), latest)
    return PartEnd(space + 1 if space > 0 else latest, fence)


def parts(text: str) -> Iterator[str]:
    """The parts of a whole text."""
    while (found := cut(text, 0)) is not None:
        yield text[: found.at]
        text = found.prefix + text[found.at :]
    if text.strip():
        yield text


def goes_on(part: str) -> bool:
    """Whether the last block of a part may go on in the next one, so that no space belongs between them."""
    return bool(part) and not part.endswith("\n\n")


def code_blocks(text: str) -> tuple[str, ...]:
    """The blocks of code, without their fences; the last one may not be closed yet."""
    found: list[list[str]] = []
    fence = ""
    for line in text.splitlines():
        marker = _FENCE.match(line)
        if marker is not None and not fence:
            fence = line
            found.append([])
        elif marker is not None and _closes(marker, fence):
            fence = ""
        elif fence:
            found[-1].append(line)
    return tuple("\n".join(lines) for lines in found)


def _closes(marker: re.Match[str], fence: str) -> bool:
    """A fence ends with the sign that it began with, as often at least, and nothing behind."""
    return (
        not marker[2].strip()
        and fence.lstrip().startswith(marker[1][:3])
        and len(marker[1]) >= _length(fence)
    )


def _length(fence: str) -> int:
    opening = fence.strip()
    return len(opening) - len(opening.lstrip(opening[0]))
