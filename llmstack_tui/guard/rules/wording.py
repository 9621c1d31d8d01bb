"""Figures in the guard's sentences. Pure."""

from __future__ import annotations

from llmstack_tui.base.units import bytes_text, duration_text


def lasted(seconds: float) -> str:
    """A length of time; the figure and its unit are not broken over two lines."""
    return duration_text(seconds).replace(" ", "\N{NO-BREAK SPACE}")


def size(count: int) -> str:
    """Bytes; the figure and its unit are not broken over two lines."""
    return bytes_text(count).replace(" ", "\N{NO-BREAK SPACE}")


def models(count: int) -> str:
    return f"{count} model" if count == 1 else f"{count} models"


def are_loaded(count: int) -> str:
    return f"{models(count)} {'is' if count == 1 else 'are'} loaded"


def listed(names: list[str]) -> str:
    """Names in a sentence: a, b and c."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
