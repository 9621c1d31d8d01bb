"""Vectors of many texts: asked for in batches whose answers stay small."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from llmstack_tui.hosts.decoding import MAX_VALUES
from llmstack_tui.providers.errors import BadAnswer
from llmstack_tui.providers.types import Vectors
from llmstack_tui.providers.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    Batch = tuple[Sequence[Sequence[float]], int | None]

_FIRST, _MOST = 16, 256


async def in_batches(
    texts: Sequence[str],
    ask: Callable[[Sequence[str]], Awaitable[Batch]],
    *,
    provider: str,
    most: int = _MOST,
) -> Vectors:
    """The vectors of all texts. How many go into a batch follows from the first one's dimensions.

    Args:
        ask: returns the vectors of some texts, and how many tokens they were, if that is known.
        most: texts in a batch.
    """
    began_s, size = time.monotonic(), _FIRST
    found: list[tuple[float, ...]] = []
    tokens: int | None = 0
    while len(found) < len(texts):
        batch = texts[len(found) : len(found) + size]
        vectors, counted = await ask(batch)
        if len(vectors) != len(batch):
            raise BadAnswer("providers.vectors_missing", provider=provider)
        found += map(tuple, vectors)
        tokens = None if tokens is None or counted is None else tokens + counted
        size = max(1, min(most, MAX_VALUES // 2 // max(len(found[0]), 1)))
    return Vectors(
        vectors=tuple(found), usage=Usage(prompt_tokens=tokens, total_s=time.monotonic() - began_s)
    )
