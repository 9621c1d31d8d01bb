"""What memory a model of the catalog takes, by its figures before it is there; and finding models. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import DEFAULT_CACHE
from llmstack_tui.base.structs import replace
from llmstack_tui.fit import memory
from llmstack_tui.fit.memory import LayerCache, Request, Shape, Subject, Weights

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def search(entries: Iterable[Entry], text: str) -> tuple[Entry, ...]:
    """The entries that have all words of ``text`` somewhere; all of them if there are no words.

    Those come first that have them in the name, then in the family, the uses, the licence and last in what
    they are good for; of equals the one with the higher priority. Upper and lower case do not count.
    """
    words = text.casefold().split()
    ranked = [(ranks, entry) for entry in entries if None not in (ranks := _ranks(entry, words))]
    ranked.sort(key=lambda each: (sum(rank or 0 for rank in each[0]), each[1].priority))
    return tuple(entry for _, entry in ranked)


def _ranks(entry: Entry, words: list[str]) -> list[int | None]:
    """For each word where it was found, 0 for the whole name; None for a word that is nowhere."""
    name = entry.name.casefold()
    places = (
        name,
        entry.family.casefold(),
        " ".join(entry.uses),
        entry.license.value.casefold() if entry.license else "",
        f"{entry.good_for} {entry.parameters.value}".casefold(),
    )
    return [_rank(word, name, places) for word in words]


def _rank(word: str, name: str, places: tuple[str, ...]) -> int | None:
    if word in (name, name.partition(":")[0]):
        return 0
    if name.startswith(word):
        return 1
    return next((number for number, place in enumerate(places, 2) if word in place), None)
