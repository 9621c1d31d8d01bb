"""Spans of bytes, from the first to the one after the last: which are there, and which are missing. Pure."""

from __future__ import annotations

Span = tuple[int, int]


def added(spans: list[Span], new: Span) -> list[Span]:
    """``spans``, which are sorted and apart from each other, and ``new``."""
    before = [span for span in spans if span[1] < new[0]]
    after = [span for span in spans if span[0] > new[1]]
    touched = [new, *spans[len(before) : len(spans) - len(after)]]
    return [*before, (min(span[0] for span in touched), max(span[1] for span in touched)), *after]


def missing(spans: list[Span], size: int) -> list[Span]:
    """What lies between them, up to ``size``."""
    edges = [0, *(edge for span in spans for edge in span), size]
    return [(first, end) for first, end in zip(edges[::2], edges[1::2], strict=True) if first < end]


def count(spans: list[Span]) -> int:
    return sum(end - first for first, end in spans)


def beginning(spans: list[Span]) -> int:
    """How many bytes are there from the first one on without a gap."""
    return spans[0][1] if spans and spans[0][0] == 0 else 0


def parts(spans: list[Span], size: int) -> list[Span]:
    """The same in spans of at most ``size`` bytes, in order."""
    return [(at, min(at + size, end)) for first, end in spans for at in range(first, end, size)]
