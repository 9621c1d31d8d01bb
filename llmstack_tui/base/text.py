"""Text that came from outside, made safe to show."""

from __future__ import annotations


def printable(text: str, limit: int = 300) -> str:
    """``text`` on one line with nothing in it that moves a cursor, cut to ``limit`` characters.

    Line ends and tabs become spaces; other control and invisible characters become visible escapes.
    """
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    spaced = " ".join(cut.split())
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in spaced)
