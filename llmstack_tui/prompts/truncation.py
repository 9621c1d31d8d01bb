"""Cuts a text to a number of tokens, where a reader would cut it, and says so in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from llmstack_tui.prompts.types import WrongArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Kept = Literal["head", "tail"]
_BORDERS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"(?<=[.!?…])\s"), re.compile(r"\s"))
"""Where to cut, the best first: between paragraphs, lines, sentences, words."""
# How much of what would fit may be given up for a better border.
_GIVEN_UP = 0.25


class Truncated(Struct, frozen=True, kw_only=True):
    """A text that is no longer than a number of tokens. Its ``str`` is that text.

    Attributes:
        tokens: of the text, as they were counted.
        left_out_tokens, left_out_characters: of what was cut; 0 if nothing was.
    """

    text: str
    tokens: int
    left_out_tokens: int = 0
    left_out_characters: int = 0

    def __str__(self) -> str:
        return self.text


def truncate_prompt(
    text: str, most_tokens: int, count: Callable[[str], int | Sequence[object]], *, keep: Kept = "head"
) -> Truncated:
    """The text, cut to at most ``most_tokens``, with a line that says how much was left out.

    It is cut between paragraphs, lines, sentences or words, where one of these is near enough. Some twenty
    texts are counted, none if the limit is wrong.

    >>> def words(text: str) -> list[str]:
    ...     return text.split()
    >>> cut = truncate_prompt("one two three\\n\\nfour five six\\n\\nseven eight nine ten", 9, words)
    >>> cut.text
    'one two three\\n\\n[… 7 tokens left out …]'
    >>> cut.left_out_tokens
    7

    Args:
        count: the model's own tokens of a text, or how many these are.
        keep: "head" keeps the beginning, "tail" the end.

    Raises:
        WrongArgument: ``most_tokens`` is not above 0.
    """
    if most_tokens < 1:
        raise WrongArgument("prompts.no_limit")

    def tokens_of(part: str) -> int:
        found = count(part)
        return found if isinstance(found, int) else len(found)

    whole = tokens_of(text)
    if whole <= most_tokens:
        return Truncated(text=text, tokens=whole)

    def cut(length: int) -> str:
        return text[:length] if keep == "head" else text[len(text) - length :]

    # The longest mark that there can be: that of all tokens. Too little room for it, and there is none.
    room = most_tokens - tokens_of(_joined("", _mark(whole), keep))
    marked = room > 0
    length = _longest(len(text), lambda tried: tokens_of(cut(tried)) <= (room if marked else most_tokens))
    length = _at_border(text, length, keep)
    while True:
        part = cut(length).strip()
        left_out = whole - tokens_of(part)
        shown = _joined(part, _mark(left_out), keep) if marked and part else part
        tokens = tokens_of(shown)
        if tokens <= most_tokens or not length:
            break
        length -= max(length // 50, 1)  # A tokenizer may need more for a part than for the whole.
    return Truncated(
        text=shown, tokens=tokens, left_out_tokens=left_out, left_out_characters=len(text) - len(part)
    )


def _mark(tokens: int) -> str:
    return f"[… {tokens:,} tokens left out …]"


def _joined(part: str, mark: str, keep: Kept) -> str:
    return f"{part}\n\n{mark}" if keep == "head" else f"{mark}\n\n{part}"


def _longest(limit: int, fits: Callable[[int], bool]) -> int:
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _at_border(text: str, length: int, keep: Kept) -> int:
    """The length at the best border that is near."""
    least = int(length * (1 - _GIVEN_UP))
    if keep == "head":
        near = [found.start() for each in _BORDERS if (found := _last(each, text, least, length))]
    else:
        size = len(text)
        matches = (each.search(text, size - length, size - least) for each in _BORDERS)
        near = [size - found.end() for found in matches if found]
    return near[0] if near else length


def _last(border: re.Pattern[str], text: str, start: int, end: int) -> re.Match[str] | None:
    found = None
    for found in border.finditer(text, start, min(end + 1, len(text))):  # noqa: B007  # the last one counts
        pass
    return found
