"""Text from outside, made fit for a terminal: no control characters, measured in cells."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

if TYPE_CHECKING:
    from collections.abc import Sequence

# Controls, lone surrogates and line ends would move the terminal's cursor; the directional ones would turn
# the rest of the row around.
_HARMFUL = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Joiners and variation selectors have no width of their own, but change the width of their neighbours in some
# terminals and not in others.
_INVISIBLE = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufe0e\ufe0f\ufeff")
_MOST_NAMED = 8
_PLAIN = re.compile(r"[\x20-\x7e]*")


def clean(text: str, *, limit: int = 1000) -> str:
    """``text`` on one line of at most ``limit`` characters, with a harmless sign for each harmful one."""
    text = text[:limit]
    if _PLAIN.fullmatch(text):
        return text
    return "".join(_harmless(character) for character in text)


def plain_spaces(text: str) -> str:
    """``text`` without no-break spaces, which are not ASCII: for what does not break lines by itself."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


def clean_lines(text: str, *, limit: int = 4000) -> str:
    """As `clean`, with the line ends kept."""
    return "\n".join(clean(line, limit=limit) for line in text[:limit].splitlines())


def fit(text: str, width: int, *, right: bool = False, ellipsis: str = "…") -> str:
    """``text`` in exactly ``width`` cells: cut with an ellipsis, or filled up (left if ``right``)."""
    if width <= 0:
        return ""
    length = cell_len(text)
    if length > width:
        # Half of a wide character cannot be shown: `set_cell_size` puts a blank there.
        return set_cell_size(text, width - 1) + ellipsis
    padding = " " * (width - length)
    return padding + text if right else text + padding


def fit_name(name: str, width: int, *, ellipsis: str = "…") -> str:
    """As `fit`, for the name of a model: where it is from, which others are too, is cut first."""
    of_model = name.rpartition("/")[2]
    if of_model == name or width <= 0 or cell_len(name) <= width:
        return fit(name, width, ellipsis=ellipsis)
    while len(name) > len(of_model) and cell_len(name) > width - 1:
        name = name[1:]
    return ellipsis + fit(name, width - 1, ellipsis=ellipsis)


def names_text(names: Sequence[str]) -> str:
    """A line for each of the first few."""
    return lines_text([clean(name, limit=60) for name in names])


def lines_text(lines: Sequence[str]) -> str:
    """The first few of them."""
    more = len(lines) - _MOST_NAMED
    return "\n".join([*lines[:_MOST_NAMED], *([f"and {more} more"] if more > 0 else [])])


def _harmless(character: str) -> str:
    if character in _INVISIBLE:
        return ""
    if character in _DIRECTIONAL or unicodedata.category(character) in _HARMFUL:
        return " " if character in "\t\n\r" else "\N{REPLACEMENT CHARACTER}"
    return character
