"""How much memory a model of the catalog takes: an estimate from its figures, before it is there. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import DEFAULT_CACHE
from llmstack_tui.base.structs import replace
from llmstack_tui.fit import memory
from llmstack_tui.fit.memory import Request, Subject, Weights
from llmstack_tui.fit.shape import LayerCache, Shape

if TYPE_CHECKING:
    from llmstack_tui.catalog.types import Attention, Entry, File
    from llmstack_tui.fit.memory import Estimate

SHORT, LONG = 4096, 32768
"""The contexts, in tokens, that the catalog tells the memory of."""


class EntryFit(StrEnum):
    """Whether a model has room within a budget."""

    LONG = "fits"  # with 32k tokens, or with all that it was made for
    SHORT = "at 4k"
    NO = "no"
    UNKNOWN = "?"


def subject_of(entry: Entry, file: File) -> Subject:
    """What is known of a variant."""
    shape = None if entry.attention is None else _shape(entry.attention, entry.context.value)
    return Subject(weights=Weights(size=file.bytes), shape=shape)


def estimate(entry: Entry, file: File, context: int, cache_type: str = DEFAULT_CACHE) -> Estimate | None:
    """The memory of a variant with ``context`` tokens, or as many as it was made for if those are fewer.

    None if its shape is not known.
    """
    subject = subject_of(entry, file)
    if subject.shape is None:
        return None
    return memory.estimate(
        subject.weights, subject.shape, Request(context_length=context, cache_type=cache_type)
    )


def fit(entry: Entry, file: File, budget: int | None) -> EntryFit:
    """Whether the variant, alone, has room in ``budget`` bytes; not known without a budget."""
    if budget is None:
        return EntryFit.UNKNOWN
    long, short = estimate(entry, file, LONG), estimate(entry, file, SHORT)
    if long is None or short is None:
        # Without a shape its weights alone tell that it is too large, and never that it is not.
        return EntryFit.NO if file.bytes > budget else EntryFit.UNKNOWN
    if long.total <= budget:
        return EntryFit.LONG
    return EntryFit.SHORT if short.total <= budget else EntryFit.NO


def _shape(attention: Attention, context: int) -> Shape:
    """What is known of the shape: what it keeps, and not how wide it is where it computes."""
    heads = 0 if attention.encoder else attention.kv_heads
    key, value = heads * attention.key, heads * attention.value
    whole = LayerCache(key=key, value=value, count=attention.layers - attention.window_layers)
    windowed = replace(whole, window=attention.window, count=attention.window_layers)
    return Shape(layers=(whole, windowed), context_length=context)
