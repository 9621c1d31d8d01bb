"""Figures in the guard's sentences. Pure."""

from __future__ import annotations

# A figure and its unit are not broken over two lines.
_SPACE = "\N{NO-BREAK SPACE}"


def lasted(seconds: float) -> str:
    """A length of time as people say it: 40 s, 12 min, 3 h."""
    if seconds < 100:
        return f"{max(seconds, 0):.0f}{_SPACE}s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f}{_SPACE}min"
    return f"{seconds / 3600:.0f}{_SPACE}h"


def size(count: int) -> str:
    """Bytes in powers of 1000, as they are shown everywhere."""
    if count < 1_000_000_000:
        return f"{count / 1_000_000:.0f}{_SPACE}MB"
    return f"{count / 1_000_000_000:.1f}{_SPACE}GB"


def models(count: int) -> str:
    return f"{count} model" if count == 1 else f"{count} models"


def are_loaded(count: int) -> str:
    return f"{models(count)} {'is' if count == 1 else 'are'} loaded"


def listed(names: list[str]) -> str:
    """Names in a sentence: a, b and c."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
