"""What the catalog's figures tell: memory, hardware and servers of a model; and the search. Pure."""

from __future__ import annotations

from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.kinds import DEFAULT_CACHE
from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.names import DEFAULT_HOST, ModelName
from llmstack_tui.base.structs import replace
from llmstack_tui.catalog.types import Use
from llmstack_tui.fit import memory
from llmstack_tui.fit.memory import LayerCache, Request, Shape, Subject, Weights
from llmstack_tui.gguf.checks import OLLAMA_LAYOUTS
from llmstack_tui.gguf.others import OTHER_ARCHITECTURES
from llmstack_tui.hardware.profile import smallest_card_gb, smallest_ram_gb

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmstack_tui.catalog.types import Attention, Entry, File
    from llmstack_tui.fit.memory import Estimate

SHORT, LONG = 4096, 32768
"""The context lengths, in tokens, for which the catalog shows the memory."""


class EntryFit(StrEnum):
    """Whether a model fits into a budget of memory."""

    LONG = later("fits")  # with 32k tokens, or with its own maximum if that is less
    SHORT = later("at 4k")
    NO = later("no")
    UNKNOWN = "?"


def subject_of(entry: Entry, file: File) -> Subject:
    """The weights and the shape of a variant, for an estimate."""
    shape = None if entry.attention is None else _shape(entry.attention, entry.most_tokens)
    return Subject(weights=Weights(size=file.bytes), shape=shape)


def estimate(entry: Entry, file: File, context: int, cache_type: str = DEFAULT_CACHE) -> Estimate | None:
    """The memory of a variant with ``context`` tokens, or its own maximum if that is less.

    Where no source tells its shape, it is estimated from the size of the file, which is rather too much.
    """
    subject, tokens = subject_of(entry, file), min(context, entry.most_tokens or context)
    return memory.estimate(
        subject.weights, subject.shape, Request(context_length=tokens, cache_type=cache_type)
    )


class Needs(Struct, frozen=True):
    """Bytes of memory that a variant takes with 4k and with 32k tokens, as estimated; None is not known."""

    short: int | None
    long: int | None

    def fit(self, budget: int | None) -> EntryFit:
        """Whether it alone fits into ``budget`` bytes; unknown without a budget."""
        if budget is None:
            return EntryFit.UNKNOWN
        if self.long is not None and self.long <= budget:
            return EntryFit.LONG
        return EntryFit.SHORT if self.short is not None and self.short <= budget else EntryFit.NO


def needs(entry: Entry, file: File) -> Needs:
    """What a variant needs. Takes 0.2 ms, so a list of many is made once."""
    short, long = (estimate(entry, file, context) for context in (SHORT, LONG))
    return Needs(short.total if short else None, long.total if long else None)


def fit(entry: Entry, file: File | None, budget: int | None) -> EntryFit:
    """Whether the variant alone fits into ``budget`` bytes; unknown without a budget, or without a file."""
    return EntryFit.UNKNOWN if file is None else needs(entry, file).fit(budget)


class Hardware(Struct, frozen=True):
    """The smallest usual graphics card and main memory that hold a model, in GB as they are sold.

    None: no usual one does.
    """

    card_gb: int | None
    ram_gb: int | None


def hardware(entry: Entry, file: File, context: int = SHORT) -> Hardware:
    """What a variant wants for ``context`` tokens, each with the reserve that its profile keeps."""
    known = estimate(entry, file, context)
    return hardware_for(known.total) if known else Hardware(None, None)


def hardware_for(size: int) -> Hardware:
    return Hardware(smallest_card_gb(size), smallest_ram_gb(size))


def engine_runs(entry: Entry) -> bool:
    """Whether the built-in engine runs all of a model. Ollama runs every model of the catalog.

    The engine reads no pictures and calls no cloud; of some architectures, Ollama's registry has files in a
    layout of its own.
    """
    if not entry.files or Use.VISION in entry.uses or entry.architecture is None:
        return False
    architecture, of_ollama = entry.architecture.value, ModelName.parse(entry.name).host == DEFAULT_HOST
    return architecture not in (OLLAMA_LAYOUTS if of_ollama else OTHER_ARCHITECTURES)


def _shape(attention: Attention, context: int | None) -> Shape:
    """A shape with the KV cache only: the catalog has no figures for the buffers of computing."""
    heads = 0 if attention.encoder else attention.kv_heads
    key, value = heads * attention.key, heads * attention.value
    whole = LayerCache(key=key, value=value, count=attention.layers - attention.window_layers)
    windowed = replace(whole, window=attention.window, count=attention.window_layers)
    return Shape(layers=(whole, windowed), context_length=context)


def search(entries: Iterable[Entry], text: str) -> tuple[Entry, ...]:
    """The entries that contain all words of ``text``, in any case; all entries if it is empty.

    Matches in the name come first, then in the family, the uses, the licence and the description; within
    each, by priority. Uses and descriptions match in English and in the present language.
    """
    words = text.casefold().split()
    ranked = [(ranks, entry) for entry in entries if None not in (ranks := _ranks(entry, words))]
    ranked.sort(key=lambda each: (sum(rank or 0 for rank in each[0]), each[1].priority))
    return tuple(entry for _, entry in ranked)


def _ranks(entry: Entry, words: list[str]) -> list[int | None]:
    """The rank of the best match of each word, 0 for the whole name; None for a word without a match."""
    name = entry.name.casefold()
    places = (
        name,
        entry.family.casefold(),
        " ".join((*entry.uses, *map(tr, entry.uses))).casefold(),
        entry.license.value.casefold() if entry.license else "",
        f"{entry.good_for} {tr(entry.good_for)} {entry.size}".casefold(),
    )
    return [_rank(word, name, places) for word in words]


def _rank(word: str, name: str, places: tuple[str, ...]) -> int | None:
    if word in (name, name.partition(":")[0]):
        return 0
    if name.startswith(word):
        return 1
    return next((number for number, place in enumerate(places, 2) if word in place), None)


_FITTING = (EntryFit.LONG, EntryFit.SHORT)
_SUGGESTED = (Use.GENERAL, Use.CODE, Use.SMALL)
# Each token reads all weights: of main memory, with its 20 to 50 GB a second, as fast as people read.
_MOST_ON_CPU = 3_000_000_000


def suggested(
    entries: Iterable[Entry], *, budget: int | None, disk: int | None = None, on_cpu: bool = False
) -> dict[Use, Entry]:
    """What to begin with: the best general model for a machine, the best for code, and a small one.

    Of two that are recommended alike, the larger is the better one. A model that fits with a long context
    comes before one that fits with a short one; one that does not fit, or cannot chat, is left out.

    Args:
        budget: bytes of memory that models may take; without it, none is known to fit.
        disk: bytes that a download may take; None means not known.
        on_cpu: models run on the processor, where large ones are slow.
    """
    most = min(disk if disk is not None else inf, _MOST_ON_CPU if on_cpu else inf)
    sizes = {each: each.file.bytes for each in entries if each.file and Use.EMBEDDING not in each.uses}
    fits = {each: fit(each, each.file, budget) for each, size in sizes.items() if size <= most}
    can = [each for each, how in fits.items() if how in _FITTING]
    found: dict[Use, Entry] = {}
    for use in _SUGGESTED:
        sign = 1 if use is Use.SMALL else -1
        best = sorted(
            (each for each in can if use in each.uses and each not in found.values()),
            key=lambda each: (_FITTING.index(fits[each]), each.priority, sign * sizes[each]),
        )
        if best:
            found[use] = best[0]
    return found
