"""Estimates the memory of a model for a context length, a number of slots and a type of cache.

The estimate is for a context that has been full once. Before that a model takes up to 1.3 KB less per token:
of the mask, the lists of cells and the copies of a request, only the used part is in memory.

The rules follow llama.cpp. ``python -m tests.bench fit`` compares the estimates with real processes.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from llmstack_tui.base.kinds import DEFAULT_CACHE
from llmstack_tui.base.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MIB = 2**20
_MOST = 2**53
# Bits per element; a quantised block of 32 elements has scales of 16 bits.
_CACHE_BITS = {
    "f32": 32.0,
    "f16": 16.0,
    "bf16": 16.0,
    "q8_0": 8.5,
    "q5_1": 6.0,
    "q5_0": 5.5,
    "q4_1": 5.0,
    "q4_0": 4.5,
}
_PADDING = 256
_FLOAT = 4
# Bytes that tell whether a token of a batch sees a cell of the context (``build_attn_inp_kq_mask``).
_MASK = 2
# Bytes per cell (``llama_kv_cells``): position, shift, place in a picture and users; and for a cell in use, a
# node in the set of used cells, and one in the map of its slot's positions.
_CELL = (4 + 4 + 8 + 32) + 2 * 48
# Bytes per token of a prompt: its text, JSON and tokens, and copies of them.
_PER_PROMPT_TOKEN = 180

# The interpreter, the library and its threads, as seen on Linux.
_PROCESS = 35 * _MIB
# Bytes per token, and per merge, of the vocabulary.
_PER_TOKEN, _PER_MERGE = 190, 185
# Bytes per node, which both the present graph and the last one have, with the scheduler's notes.
_NODE = 1150
# Activations are quantised to q8_0 before they meet the weights: 34 bytes for 32 of them.
_QUANTISED = 34 / 32


class Basis(StrEnum):
    """The basis of an estimate, the best first."""

    MEASURED = "measured"  # From a load on this machine with the same parameters.
    FORMULA = "formula"
    FILE_SIZE = "file size"


class Weights(Struct, frozen=True, kw_only=True):
    """Bytes of memory that the files of a model take.

    Attributes:
        size: of the model's file.
        twice: the part of it that is held twice, once rearranged for the CPU.
        projector: of the file for vision.
    """

    size: int
    twice: int = 0
    projector: int = 0

    @property
    def total(self) -> int:
        return self.size + self.twice + self.projector


class LayerCache(Struct, frozen=True, kw_only=True):
    """What a layer stores of a context.

    Attributes:
        key, value: elements per token, over all its heads.
        window: how many tokens it looks back; None is all.
        state: bytes per slot, independent of the length of the context.
        count: how many layers are like this one.
    """

    key: int = 0
    value: int = 0
    window: int | None = None
    state: int = 0
    count: int = 1


class Shape(Struct, frozen=True, kw_only=True):
    """The sizes of a model's architecture.

    Attributes:
        context_length: tokens that it was trained for; None is unknown.
        width: elements of an embedding; None is unknown.
        hidden: elements per token in the feed-forward part, over all active experts; None is unknown.
        queries: elements of the queries of a token, over all heads.
        inner: elements per token in a layer with a state; 0 if there is none.
        mixed: those of them that are mixed with the tokens before.
        tokens: of the vocabulary.
        merges: of the tokenizer.
        nodes: of the graph per token of a batch, for the architectures where these matter.
        embeds: it makes embeddings, so a whole text is one batch.
    """

    layers: tuple[LayerCache, ...]
    context_length: int | None = None
    width: int | None = None
    hidden: int | None = None
    queries: int = 0
    inner: int = 0
    mixed: int = 0
    tokens: int = 0
    merges: int = 0
    nodes: int = 0
    embeds: bool = False

    @property
    def has_cache(self) -> bool:
        """Whether it has a cache or a state; a pure encoder has neither."""
        return any(layer.key or layer.state for layer in self.layers)


class Subject(Struct, frozen=True, kw_only=True):
    """What is known of a model; None is unknown.

    Attributes:
        context_length: the tokens of context that its own parameters ask for (``num_ctx``).
    """

    weights: Weights | None = None
    shape: Shape | None = None
    context_length: int | None = None

    def request(self, usual: Request) -> Request:
        """How it is loaded by default, if models without parameters of their own are loaded as ``usual``."""
        return replace(usual, context_length=self.context_length or usual.context_length)


class Request(Struct, frozen=True, kw_only=True):
    """How a model is to be loaded.

    Attributes:
        context_length: tokens per slot; limited to what the model was trained for.
        parallel: slots, that is requests computed at once.
        batch: tokens of a prompt computed at once.
    """

    context_length: int
    parallel: int = 1
    cache_type: str = DEFAULT_CACHE
    batch: int = 512


class Parts(Struct, frozen=True, kw_only=True):
    """The parts of an estimate, in bytes.

    Attributes:
        cache: keys, values and states.
        compute: the buffers for a batch, with the mask.
        process: the program, the vocabulary, the graph, the lists of cells, and copies of a request.
    """

    weights: int
    cache: int
    compute: int
    process: int

    @property
    def total(self) -> int:
        return self.weights + self.cache + self.compute + self.process


class Estimate(Struct, frozen=True, kw_only=True):
    """The bytes of memory that a model takes.

    Attributes:
        parts: by the formula, even if the total was measured; None is unknown.
        context_length: the tokens per slot that the estimate is for.
    """

    total: int
    basis: Basis
    parts: Parts | None
    context_length: int


class Load(Protocol):
    """A measured load, such as `store.tables.figures.Measured`."""

    @property
    def context_length(self) -> int | None: ...
    @property
    def cache_type(self) -> str | None: ...
    @property
    def parallel(self) -> int | None: ...
    @property
    def server_bytes(self) -> int | None: ...
    @property
    def device_bytes(self) -> Mapping[str, int]: ...


def estimate(
    weights: Weights | None, shape: Shape | None, request: Request, loads: Iterable[Load] = ()
) -> Estimate | None:
    """Estimate the memory of a model on the best basis there is; None is unknown.

    Args:
        shape: None if not known: then the estimate is made from the size of the weights.
        loads: the measured loads of this version of the model on this host, the newest first.
    """
    context = request.context_length
    if shape is not None and shape.context_length is not None:
        context = min(context, shape.context_length)
    if shape is not None and shape.embeds:
        request = replace(request, batch=context)
    if context < 1 or request.parallel < 1 or request.cache_type not in _CACHE_BITS:
        return None
    parts, basis = None, Basis.FORMULA
    if weights is not None and 0 < weights.total < _MOST:
        parts = None if shape is None else _by_formula(weights, shape, request, context)
        if parts is None or not parts.total < _MOST:
            parts, basis = _by_size(weights, request, context), Basis.FILE_SIZE
        if not parts.total < _MOST:
            parts = None
    if (measured := _measured(loads, request, context)) is not None:
        return Estimate(total=measured, basis=Basis.MEASURED, parts=parts, context_length=context)
    if parts is None:
        return None
    return Estimate(total=parts.total, basis=basis, parts=parts, context_length=context)


def largest_context(
    weights: Weights, shape: Shape, request: Request, budget: int, *, most: int | None = None
) -> int | None:
    """The longest context, in tokens, with which a model takes no more than ``budget`` bytes.

    Zero if not even the shortest context fits, None if that is not known. ``most`` is the upper limit for a
    model that does not tell its trained context length.
    """
    limit = shape.context_length or most
    if limit is None:
        return None

    def fits(context: int) -> bool | None:
        found = estimate(weights, shape, replace(request, context_length=context))
        return None if found is None or found.basis is Basis.FILE_SIZE else found.total <= budget

    if (all_of_it := fits(limit)) is not False:
        return None if all_of_it is None else limit
    low, high = 0, -(-limit // _PADDING)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle * _PADDING) else (low, middle)
    return low * _PADDING


def _measured(loads: Iterable[Load], request: Request, context: int) -> int | None:
    """The most bytes that a load with these parameters took. Unknown parameters count as f16 and one slot."""
    found = [
        sum(load.device_bytes.values()) or load.server_bytes or 0
        for load in loads
        if load.context_length == context
        and (load.cache_type or DEFAULT_CACHE) == request.cache_type
        and (load.parallel or 1) == request.parallel
    ]
    return max((size for size in found if 0 < size < _MOST), default=None)


def _by_formula(weights: Weights, shape: Shape, request: Request, context: int) -> Parts:
    cells = _cells(shape, request, context)
    # Without a cache, the mask is over the text itself.
    mask = (cells if shape.has_cache else _padded(context)) * min(request.batch, context) * _MASK
    return Parts(
        weights=weights.total,
        cache=sum(_layer(layer, request, context) for layer in shape.layers),
        compute=_compute(shape, request, context, weights) + mask,
        process=_PROCESS
        + _PER_TOKEN * shape.tokens
        + _PER_MERGE * shape.merges
        + _NODE * shape.nodes * min(request.batch, context)
        + (_CELL * cells + _PER_PROMPT_TOKEN * context) * request.parallel,
    )


def _by_size(weights: Weights, request: Request, context: int) -> Parts:
    """A rule of thumb: the cache of 32k tokens takes as much as the weights, but at most 10 GiB."""
    of_token = min(weights.size / 32768, 320 * 1024) * _CACHE_BITS[request.cache_type] / 16
    return Parts(
        weights=weights.total,
        cache=int(of_token * context * request.parallel),
        compute=_usual_compute(weights),
        process=_PROCESS,
    )


def _layer(layer: LayerCache, request: Request, context: int) -> int:
    """Bytes of the keys, values and states of all layers of one kind.

    Windows and states count twice: llama.cpp copies them at the end of a prompt, to return to that point, as
    they cannot be truncated like a full cache.
    """
    tokens = _seen(layer.window, request, context) + min(layer.window or 0, context)
    kept = tokens * (layer.key + layer.value) * _CACHE_BITS[request.cache_type] / 8
    return (int(kept) + 2 * layer.state) * layer.count * request.parallel


def _seen(window: int | None, request: Request, context: int) -> int:
    """Tokens of a slot that a layer keeps in memory: a window, and the batch that it moves over."""
    tokens = _padded(context)
    return tokens if window is None else min(tokens, _padded(window + min(request.batch, context)))


def _cells(shape: Shape, request: Request, context: int) -> int:
    """Cells of a slot, in all lists of cells: layers with the same window share one list."""
    windows = {layer.window for layer in shape.layers if layer.key and layer.count}
    return sum(_seen(window, request, context) for window in windows)


def _compute(shape: Shape, request: Request, context: int, weights: Weights) -> int:
    """Bytes of the buffers for computing a batch, without the mask.

    This is the widest point of the graph as llama.cpp's allocator lays it out. With attention: the input and
    the residual, plus gate, up and product of the feed-forward part, or the queries and the attention's
    output, or at the end the logits. With a state (``build_mamba_layer``): the residual, the mixed elements
    before, after and during the convolution, plus gate, time steps, output and product.
    """
    if shape.width is None or shape.hidden is None:
        return _usual_compute(weights)
    batch = min(request.batch, context)
    # The last layer computes only the tokens whose output is wanted.
    hidden = shape.hidden if sum(layer.count for layer in shape.layers) > 1 or shape.embeds else 0
    # Tokens whose output is wanted: for an embedding, all.
    outputs = batch if shape.embeds else request.parallel
    # A generating model computes logits, even if embeddings are wanted.
    logits = outputs * shape.tokens if shape.has_cache else 0
    floats = max(
        batch * (5 * shape.width + max(3 * hidden, 2 * shape.queries)),
        batch * 5 * shape.width + logits,
        batch * (shape.width + 4 * shape.inner + 3 * shape.mixed),
    )
    # The buffer that outputs are copied to is cleared, and so in memory, even if unused (``output_reserve``).
    floats += outputs * (shape.tokens + shape.width)
    return floats * _FLOAT + int(batch * max(shape.width, hidden, shape.queries) * _QUANTISED)


def _usual_compute(weights: Weights) -> int:
    """If the shape is only partly known: a tenth of the weights, at least 32 and at most 512 MiB."""
    return min(max(weights.size // 10, 32 * _MIB), 512 * _MIB)


def _padded(tokens: int) -> int:
    return -(-tokens // _PADDING) * _PADDING
