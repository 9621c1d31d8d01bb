"""Reads the shape of a model, for an estimate of its memory, from the metadata of a GGUF file.

The header of a file and ``/api/show`` have the same keys, but the latter leaves out long lists. How each
architecture stores its context is as in llama.cpp's ``llama-model.cpp`` and ``llama-hparams.cpp``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.structs import replace
from llmstack_tui.fit.memory import LayerCache, Shape, Subject, Weights
from llmstack_tui.gguf.header import ArrayInfo
from llmstack_tui.gguf.repacking import held_twice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.gguf.header import Header

_MOST_LAYERS = 512
_MOST = 2**31
_FLOAT = 4
# For an unknown vocabulary: more than most models have, so that the estimate is not too low.
_USUAL_TOKENS = 150_000

# Encoders: they read a text at once and have no cache.
_WITHOUT_CACHE = frozenset(
    {"bert", "eurobert", "gemma-embedding", "jina-bert-v2", "jina-bert-v3", "modern-bert", "neo-bert",
     "nomic-bert", "nomic-bert-moe", "t5encoder"}
)  # fmt: skip
# One layer in so many sees the whole context, the others only the window. An architecture that is neither
# listed here nor has a pattern in its file does not use its window.
_PERIODS = {
    "cohere2": 4, "exaone4": 4, "gemma2": 2, "gemma3": 6, "gemma3n": 5, "gpt-oss": 2, "gptoss": 2,
    "llama4": 4, "olmo2": 4, "smallthinker": 4,
}  # fmt: skip
# One layer in so many has attention, the others have a state.
_HYBRID_PERIODS = {"qwen3next": 4, "qwen35": 4, "qwen35moe": 4}
# Their states need far more nodes in the graph: so many for each token of a batch
# (``llama_context::graph_max_nodes``).
_NODES = {"kimi-linear": 40, "qwen3next": 40, "qwen35": 40, "qwen35moe": 40}
# Each layer has attention and a state.
_BOTH = frozenset({"falcon-h1"})


def shape_of(metadata: Mapping[str, object]) -> Shape | None:
    """The shape; None if the metadata do not tell the size of the cache, or make no sense."""
    read = _Reader(metadata)
    count = read.number("block_count")
    if count is None or not 1 <= count <= _MOST_LAYERS:
        return None
    width = read.number("embedding_length") or None
    heads = read.each("attention.head_count", count)
    layers = _layers(read, count, width, heads)
    if layers is None:
        return None
    most_heads = max(heads, default=0) if heads else 0
    key = read.number("attention.key_length") or (width // most_heads if width and most_heads else 0)
    tokens = read.length("tokenizer.ggml.tokens") or read.number("vocab_size") or _USUAL_TOKENS
    merges = read.length("tokenizer.ggml.merges")
    if merges is None:
        # A server's answer leaves the merges out; a file has them.
        merges = tokens if metadata.get("tokenizer.ggml.model") == "gpt2" else 0
    return Shape(
        layers=layers,
        context_length=read.number("context_length") or None,
        width=width,
        hidden=_hidden(read, count),
        queries=most_heads * key,
        inner=read.number("ssm.inner_size") or 0,
        mixed=_mixed(read),
        tokens=tokens,
        merges=merges,
        nodes=_NODES.get(read.architecture, 0),
        embeds=read.architecture in _WITHOUT_CACHE or read.has("pooling_type"),
    )


class _Reader(Struct, frozen=True):
    """Reads whole numbers from metadata that may contain anything."""

    metadata: Mapping[str, object]

    @property
    def architecture(self) -> str:
        name = self.metadata.get("general.architecture")
        return name if isinstance(name, str) else ""

    def value(self, key: str) -> object:
        return self.metadata.get(f"{self.architecture}.{key}")

    def has(self, key: str) -> bool:
        return f"{self.architecture}.{key}" in self.metadata

    def number(self, key: str) -> int | None:
        return _whole(self.value(key))

    def each(self, key: str, count: int) -> tuple[int, ...] | None:
        """One number for each layer; the value may be a list, or one number for all."""
        value = self.value(key)
        if (one := _whole(value)) is not None:
            return (one,) * count
        if not isinstance(value, Sequence) or isinstance(value, str) or len(value) < count:
            return None
        found = tuple(number for each in value[:count] if (number := _whole(each)) is not None)
        return found if len(found) == count else None

    def length(self, key: str) -> int | None:
        """The length of a list, by its full key."""
        value = self.metadata.get(key)
        if isinstance(value, ArrayInfo):
            return value.length if value.length < _MOST else None
        return len(value) if isinstance(value, Sequence) and not isinstance(value, str) and value else None


def _whole(value: object) -> int | None:
    is_number = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST
    return value if is_number else None  # type: ignore[return-value]  # mypy forgets the test


def _layers(
    read: _Reader, count: int, width: int | None, heads: tuple[int, ...] | None
) -> tuple[LayerCache, ...] | None:
    if read.architecture in _WITHOUT_CACHE:
        return (LayerCache(count=count),)
    state = _state(read, width)
    kv_heads = read.each("attention.head_count_kv", count)
    if kv_heads is None and not read.has("attention.head_count_kv"):
        kv_heads = heads
    if kv_heads is None or heads is None:
        # A list that was left out is unknown; a model without heads has only states.
        return (
            (LayerCache(state=state, count=count),)
            if state and not read.has("attention.head_count")
            else None
        )
    with_attention = _with_attention(read, kv_heads, state)
    sizes = _head_sizes(read, heads, width)
    if sizes is None:
        return (LayerCache(state=state, count=count),) if state and not any(with_attention) else None
    key, value = sizes
    windows = _windows(read, count)
    layers = Counter(
        LayerCache(
            key=kv_heads[number] * key if with_attention[number] else 0,
            value=kv_heads[number] * value if with_attention[number] else 0,
            window=windows[number],
            state=state if not with_attention[number] or read.architecture in _BOTH else 0,
        )
        for number in range(count)
    )
    if not any(layer.key or layer.state for layer in layers):
        return None  # A cache of zero bytes: the metadata cannot be right.
    return tuple(replace(layer, count=number) for layer, number in layers.items())


def _with_attention(read: _Reader, kv_heads: tuple[int, ...], state: int) -> tuple[bool, ...]:
    period = read.number("full_attention_interval") or _HYBRID_PERIODS.get(read.architecture)
    if state and period:
        return tuple((number + 1) % period == 0 for number in range(len(kv_heads)))
    return tuple(heads > 0 for heads in kv_heads)


def _head_sizes(read: _Reader, heads: tuple[int, ...], width: int | None) -> tuple[int, int] | None:
    """Elements of a key and of a value of one head."""
    most = max(heads)
    usual = width // most if width and most else None
    key = read.number("attention.key_length") or usual
    value = read.number("attention.value_length") or usual
    if not key or not value:
        return None
    if read.number("attention.key_length_mla") and read.number("attention.value_length_mla"):
        # All heads share one latent vector, from which the values are computed, too.
        return key, 0
    return key, value


def _windows(read: _Reader, count: int) -> tuple[int | None, ...]:
    window = read.number("attention.sliding_window")
    if not window:
        return (None,) * count
    pattern = read.value("attention.sliding_window_pattern")
    if isinstance(pattern, Sequence) and not isinstance(pattern, str) and len(pattern) >= count:
        return tuple(window if each else None for each in pattern[:count])
    period = _whole(pattern) or _PERIODS.get(read.architecture, 1)
    return tuple(window if number % period < period - 1 else None for number in range(count))


def _state(read: _Reader, width: int | None) -> int:
    """Bytes of the state of a layer without attention, as 32-bit floats; 0 if there is none."""
    inner, size = read.number("ssm.inner_size"), read.number("ssm.state_size")
    if inner and size:
        return _FLOAT * (((read.number("ssm.conv_kernel") or 1) - 1) * _mixed(read) + size * inner)
    if width and (head := read.number("wkv.head_size")):
        return _FLOAT * width * ((read.number("token_shift_count") or 2) + head)
    if width and (kept := read.number("shortconv.l_cache")):
        return _FLOAT * width * (kept - 1)
    return 0


def _mixed(read: _Reader) -> int:
    """Elements of a token that a layer with a state mixes with those of the tokens before."""
    groups, size = read.number("ssm.group_count") or 0, read.number("ssm.state_size") or 0
    return (read.number("ssm.inner_size") or 0) + 2 * groups * size


def _hidden(read: _Reader, count: int) -> int | None:
    """Elements per token in the widest feed-forward part; None if not known."""
    dense = read.each("feed_forward_length", count)
    widest = max(dense) if dense else None
    used = read.number("expert_used_count")
    if not used:
        return widest
    of_expert = read.number("expert_feed_forward_length") or widest
    if of_expert is None:
        return None
    shared = (read.number("expert_shared_count") or 0) * of_expert
    return max(
        widest or 0, used * of_expert + max(shared, read.number("expert_shared_feed_forward_length") or 0)
    )


# If the embeddings are a larger share of the weights, they also serve as the output layer.
_TIED_SHARE = 0.09
_BITS = {"Q4_0": 4.5, "Q4_K": 4.5, "IQ4_NL": 4.5, "MXFP4": 4.25, "Q8_0": 8.5}


def subject_of_header(
    header: Header, repacked: frozenset[str] = frozenset(), *, projector: int = 0
) -> Subject:
    """What the header of a model's file tells.

    Args:
        repacked: the types of weights that are rearranged for the CPU; empty if a graphics card computes.
        projector: bytes of the file for vision.
    """
    # An embedding model has no output layer that could share the embeddings.
    twice = 0 if header.is_embedding else held_twice(header, repacked)
    weights = Weights(size=header.weights_size, twice=twice, projector=projector)
    return Subject(weights=weights, shape=shape_of(header.metadata))


def subject_of_metadata(
    metadata: Mapping[str, object],
    size: int | None,
    *,
    quantization: str | None = None,
    repacked: frozenset[str] = frozenset(),
) -> Subject:
    """What a server tells: the metadata of the file, and the bytes of the model on disk."""
    shape = shape_of(metadata) if metadata else None
    if not size or size < 0:
        return Subject(shape=shape)
    twice = 0
    if shape is not None and shape.width and quantization in repacked and quantization in _BITS:
        embeddings = int(shape.tokens * shape.width * _BITS[quantization] / 8)
        twice = embeddings if size * _TIED_SHARE < embeddings < size else 0
    return Subject(weights=Weights(size=size, twice=twice), shape=shape)
