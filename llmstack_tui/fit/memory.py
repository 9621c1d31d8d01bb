"""The memory of a model for a context, a number of slots and a type of cache.

It is what a model takes once its context has been full. Before that it is less, by up to 1.3 KB a token: the
mask, the lists of cells and the copies of a request are in memory only as far as they were used.

The rules are llama.cpp's. What they give is held against real processes by ``python -m tests.bench fit``.
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
# Bits of an element: blocks of 32 with a scale of 16 bits.
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
# Whether a token of a batch sees a cell of the context (``build_attn_inp_kq_mask``).
_MASK = 2
# What is noted of a cell (``llama_kv_cells``): position, shift, place in a picture and who uses it; and once
# it is in use, a node in the set of those that are, and one in the map of its slot's positions.
_CELL = (4 + 4 + 8 + 32) + 2 * 48
# A request as long as the context: its text, its JSON and its tokens, and copies of them.
_OF_PROMPT = 180

# The interpreter, the library and its threads, as seen on Linux.
_PROCESS = 35 * _MIB
_OF_TOKEN, _OF_MERGE = 190, 185
# A node of the graph that is run and of the one that was run before, with what the scheduler notes of it.
_NODE = 1150
# Activations are quantised to q8_0 before they meet the weights: 34 bytes for 32 of them.
_QUANTISED = 34 / 32


class Basis(StrEnum):
    """What an estimate is made of, the best first."""

    MEASURED = "measured"  # This machine did load it so.
    FORMULA = "formula"
    FILE_SIZE = "file size"


class Weights(Struct, frozen=True, kw_only=True):
    """Bytes of a model's file, as memory.

    Attributes:
        twice: the part that is held in two arrangements.
        projector: of the file that lets it see.
    """

    size: int
    twice: int = 0
    projector: int = 0

    @property
    def total(self) -> int:
        return self.size + self.twice + self.projector


class LayerCache(Struct, frozen=True, kw_only=True):
    """What one layer keeps of a context.

    Attributes:
        count: how many layers are like this.
        key, value: elements that it keeps of a token, over all its heads.
        window: tokens that it looks back, None for all.
        state: bytes that it keeps of each slot, however long the context is.
    """

    key: int = 0
    value: int = 0
    window: int | None = None
    state: int = 0
    count: int = 1


class Shape(Struct, frozen=True, kw_only=True):
    """An architecture with its sizes.

    Attributes:
        context_length: tokens that it was trained for; None is unknown.
        width: elements of an embedding; ``hidden`` of what the feed-forward part makes of a token, over all
            experts that are used; ``queries`` over all heads. None is unknown.
        inner: elements that a layer with a state makes of a token; ``mixed`` are those that are mixed with
            the tokens before. 0 where there is no such layer.
        tokens: of the vocabulary; ``merges`` of its tokenizer.
        nodes: of the graph that are set aside for each token of a batch, where those are many.
        embeds: it makes embeddings: a text is computed in one go.
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
    def keeps(self) -> bool:
        """Whether it keeps anything of a context; one that only reads a text keeps nothing."""
        return any(layer.key or layer.state for layer in self.layers)


class Subject(Struct, frozen=True, kw_only=True):
    """A model, as far as it is known; None is unknown.

    Attributes:
        context_length: tokens of context that it asks for itself (``num_ctx`` among its parameters).
    """

    weights: Weights | None = None
    shape: Shape | None = None
    context_length: int | None = None

    def request(self, usual: Request) -> Request:
        """How it is loaded where others are loaded as ``usual``."""
        return replace(usual, context_length=self.context_length or usual.context_length)


class Request(Struct, frozen=True, kw_only=True):
    """How a model is to run.

    Attributes:
        context_length: tokens of each slot; no more count than the model was trained for.
        parallel: slots, requests that are computed at once.
        batch: tokens of a prompt that are computed in one go.
    """

    context_length: int
    parallel: int = 1
    cache_type: str = DEFAULT_CACHE
    batch: int = 512


class Parts(Struct, frozen=True, kw_only=True):
    """Bytes, by what takes them.

    Attributes:
        cache: keys, values and states.
        compute: the buffers for a batch, with the mask.
        process: the program, the vocabulary, the graph, what is noted of each cell, and copies of a request.
    """

    weights: int
    cache: int
    compute: int
    process: int

    @property
    def total(self) -> int:
        return self.weights + self.cache + self.compute + self.process


class Estimate(Struct, frozen=True, kw_only=True):
    """Bytes that a model takes.

    Attributes:
        parts: as they are reckoned, also where the total was measured; None where they are not known.
        context_length: tokens of each slot that it is for.
    """

    total: int
    basis: Basis
    parts: Parts | None
    context_length: int


class Load(Protocol):
    """A load that was measured, as `store.measured.Measured` has it."""

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
    """The memory that a model takes, from the best of what is known; None is unknown.

    Args:
        shape: None if it is not known: then the size of the weights has to do.
        loads: of this version of the model on this host, the newest first.
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

    Zero if it has no room however short the context is, None if that cannot be told. ``most`` is for a model
    of which it is not known what it was trained for.
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
    """The most that a load with these settings took. What nobody said counts as the usual: f16, one slot."""
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
    # What keeps nothing sees the text that it reads.
    mask = (cells if shape.keeps else _padded(context)) * min(request.batch, context) * _MASK
    return Parts(
        weights=weights.total,
        cache=sum(_layer(layer, request, context) for layer in shape.layers),
        compute=_compute(shape, request, context, weights) + mask,
        process=_PROCESS
        + _OF_TOKEN * shape.tokens
        + _OF_MERGE * shape.merges
        + _NODE * shape.nodes * min(request.batch, context)
        + (_CELL * cells + _OF_PROMPT * context) * request.parallel,
    )


def _by_size(weights: Weights, request: Request, context: int) -> Parts:
    """A rule of thumb: the keys and values of 32k tokens take as much as the weights, and at most 10 GiB."""
    of_token = min(weights.size / 32768, 320 * 1024) * _CACHE_BITS[request.cache_type] / 16
    return Parts(
        weights=weights.total,
        cache=int(of_token * context * request.parallel),
        compute=_usual_compute(weights),
        process=_PROCESS,
    )


def _layer(layer: LayerCache, request: Request, context: int) -> int:
    """Bytes of the keys and values of layers of a kind, and of their states.

    What is in a window, and a state, are copied at the end of a prompt, to go back to: they cannot be cut off
    like the rest.
    """
    tokens = _seen(layer.window, request, context) + min(layer.window or 0, context)
    kept = tokens * (layer.key + layer.value) * _CACHE_BITS[request.cache_type] / 8
    return (int(kept) + 2 * layer.state) * layer.count * request.parallel


def _seen(window: int | None, request: Request, context: int) -> int:
    """Tokens of a slot that a layer has in memory: also those that the first one of a batch looks back at."""
    tokens = _padded(context)
    return tokens if window is None else min(tokens, _padded(window + min(request.batch, context)))


def _cells(shape: Shape, request: Request, context: int) -> int:
    """Cells of a slot, in all lists of them: layers with the same window have one together."""
    windows = {layer.window for layer in shape.layers if layer.key and layer.count}
    return sum(_seen(window, request, context) for window in windows)


def _compute(shape: Shape, request: Request, context: int, weights: Weights) -> int:
    """Bytes of the buffers for computing a batch, without the mask.

    As the allocator of llama.cpp lays them out at the widest place. With attention: what comes in and goes
    around, and gate, up and product of the feed-forward part, or queries and their answers, or at the end
    what might follow. With a state (``build_mamba_layer``): what goes around, what is mixed before, after and
    as it is read, and beside it the gate, the steps, the answer and its product.
    """
    if shape.width is None or shape.hidden is None:
        return _usual_compute(weights)
    batch = min(request.batch, context)
    # The last layer goes on with no more tokens than are asked for.
    hidden = shape.hidden if sum(layer.count for layer in shape.layers) > 1 or shape.embeds else 0
    # Of each token that somebody asks for: of an embedding, all.
    outputs = batch if shape.embeds else request.parallel
    # One that writes computes what might follow, also where embeddings are wanted.
    follows = outputs * shape.tokens if shape.keeps else 0
    floats = max(
        batch * (5 * shape.width + max(3 * hidden, 2 * shape.queries)),
        batch * 5 * shape.width + follows,
        batch * (shape.width + 4 * shape.inner + 3 * shape.mixed),
    )
    # And the place to copy it to, which is cleared, also where nothing is computed (``output_reserve``).
    floats += outputs * (shape.tokens + shape.width)
    return floats * _FLOAT + int(batch * max(shape.width, hidden, shape.queries) * _QUANTISED)


def _usual_compute(weights: Weights) -> int:
    """Where the shape is known in part only: a tenth of the weights, at least 32 and at most 512 MiB."""
    return min(max(weights.size // 10, 32 * _MIB), 512 * _MIB)


def _padded(tokens: int) -> int:
    return -(-tokens // _PADDING) * _PADDING
