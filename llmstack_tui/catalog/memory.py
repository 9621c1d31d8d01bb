"""How much memory a model of the catalogue takes: an estimate from its figures, before it is there. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.catalog.entries import Attention, Entry, File

SHORT, LONG = 4096, 32768
"""The contexts, in tokens, that the catalogue tells the memory of."""

_MIB = 2**20
_CACHE_BYTES = {"f16": 2.0, "q8_0": 1.0625, "q4_0": 0.5625}
_PROCESS = 35 * _MIB


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """Bytes, by what takes them.

    Attributes:
        overhead: the process and the buffers for computing: 35 MiB, and a tenth of the weights, which is at
            least 32 and at most 512 MiB.
    """

    weights: int
    cache: int
    overhead: int

    @property
    def total(self) -> int:
        return self.weights + self.cache + self.overhead


class Fit(StrEnum):
    """Whether a model has room within a budget."""

    LONG = "fits"  # with 32k tokens, or with all that it was made for
    SHORT = "at 4k"
    NO = "no"
    UNKNOWN = "?"


def estimate(entry: Entry, file: File, context: int, cache_type: str = "f16") -> MemoryEstimate | None:
    """The memory of a variant with ``context`` tokens, or as many as it was made for if those are fewer.

    None if its shape is not known.
    """
    if entry.attention is None:
        return None
    tokens = min(context, entry.context.value)
    return MemoryEstimate(
        weights=file.bytes,
        cache=_cache(entry.attention, tokens, _CACHE_BYTES[cache_type]),
        overhead=_PROCESS + min(max(file.bytes // 10, 32 * _MIB), 512 * _MIB),
    )


def fit(entry: Entry, file: File, budget: int | None) -> Fit:
    """Whether the variant, alone, has room in ``budget`` bytes; not known without a budget."""
    if budget is None:
        return Fit.UNKNOWN
    long, short = estimate(entry, file, LONG), estimate(entry, file, SHORT)
    if long is None or short is None:
        # Without a shape its weights alone tell that it is too large, and never that it is not.
        return Fit.NO if file.bytes > budget else Fit.UNKNOWN
    if long.total <= budget:
        return Fit.LONG
    return Fit.SHORT if short.total <= budget else Fit.NO


def _cache(attention: Attention, context: int, element: float) -> int:
    """Bytes of the keys and values of ``context`` tokens."""
    if attention.encoder:
        return 0
    windowed = attention.window_layers * min(context, attention.window)
    whole = (attention.layers - attention.window_layers) * context
    return int((windowed + whole) * attention.kv_heads * (attention.key + attention.value) * element)
