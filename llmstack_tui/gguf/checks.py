"""Valid GGUF files that llama.cpp cannot load, or that would crash it. Pure: only the header is looked at.

Some files in Ollama's registry do not have the layout that llama.cpp expects: names of values and tensors
differ, or the vision part is in the same file. Ollama translates them while it loads (``llama/compat`` in
its source, from which `needs_ollama` takes its marks). Files of the same families in the usual layout have
none of these marks.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.gguf.header import ArrayInfo, Header
from llmstack_tui.gguf.others import other_kind
from llmstack_tui.gguf.types import ValueType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.gguf.parsing import Value


# LLAMA_MAX_LAYERS and LLAMA_MAX_EXPERTS: with more, or with none, the process ends (``llama-model.cpp``).
_MAX_LAYERS = 512
_MAX_EXPERTS = 512
_MAX_CONTEXT = 2**31 - 1
# Many times what models have. With more, it would be said that the machine lacks terabytes of memory.
_MAX_WIDTH = 2**18
_WIDTHS = (
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.value_length",
    "ssm.inner_size",
    "ssm.state_size",
)

_PYTHON = {ValueType.STRING: str, ValueType.F32: float, ValueType.I32: int}
# The types that llama.cpp takes no other for.
_KINDS = (
    (re.compile(r"general\.file_type|tokenizer\.ggml\.\w+_token_id"), int),
    (re.compile(r"tokenizer\.ggml\.add_\w+"), bool),
)
_EPSILONS = (
    "attention.layer_norm_rms_epsilon",
    "attention.layer_norm_epsilon",
    "attention.group_norm_epsilon",
)


class _OllamaOnly(Struct, frozen=True, kw_only=True):
    """The marks of files that only Ollama can load. A file needs only one of them.

    Attributes:
        keys: metadata for which llama.cpp has other names; without the architecture in front.
        missing: metadata that llama.cpp requires, and the file lacks.
        tensors: beginnings of tensor names that llama.cpp does not use.
        endings: endings of tensor names for which llama.cpp has others.
    """

    keys: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    tensors: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()


# Names of architectures that only Ollama uses.
_ARCHITECTURES = frozenset(
    {"deepseekocr", "glm4moelite", "glmocr", "gptoss", "mllama", "nemotron_h_omni", "olmo3", "qwen25vl"}
)
_VISION = ("v.", "mm.")
_MARKS = {
    "gemma3": _OllamaOnly(
        keys=("mm.tokens_per_image", "rope.global.freq_base", "rope.local.freq_base"),
        missing=("attention.layer_norm_rms_epsilon",),
        tensors=(*_VISION, "dense.0."),
    ),
    "gemma4": _OllamaOnly(tensors=(*_VISION, "a.", "model.vision_tower.")),
    "laguna": _OllamaOnly(
        keys=("rope.swa.dimension_count", "rope.swa.freq_base"), endings=(".attn_g.weight",)
    ),
    "llama4": _OllamaOnly(tensors=_VISION),
    "mistral3": _OllamaOnly(
        keys=("rope.scaling.beta_fast", "rope.scaling.mscale_all_dim", "rope.scaling_beta"), tensors=_VISION
    ),
    "nemotron_h_moe": _OllamaOnly(tensors=("mtp.", "blk.0.ffn_latent_in", "blk.1.ffn_latent_in")),
    "qwen35": _OllamaOnly(keys=("ssm.v_head_reordered", "vision.block_count"), tensors=(*_VISION, "mtp.")),
    "qwen35moe": _OllamaOnly(keys=("ssm.v_head_reordered", "vision.block_count"), tensors=(*_VISION, "mtp.")),
    "qwen3next": _OllamaOnly(endings=(".ssm_dt",)),
    "qwen3vl": _OllamaOnly(missing=("rope.dimension_sections",), tensors=_VISION),
    "qwen3vlmoe": _OllamaOnly(missing=("rope.dimension_sections",), tensors=_VISION),
}

OLLAMA_LAYOUTS = _ARCHITECTURES | _MARKS.keys() | {"gemma3n", "lfm2"}
"""The architectures of which Ollama's registry has files that only Ollama loads."""


def check_loadable(header: Header) -> Sentence | None:
    """Why llama.cpp cannot load the model; ``None`` if no such fault is found.

    llama.cpp finds all other faults itself, and survives them.
    """
    return next(_faults(header), None)


def _faults(header: Header) -> Iterator[Sentence]:
    if kind := other_kind(header):
        yield Sentence(kind)
    if not header.architecture:
        yield _fault("general.architecture")
    if not header.tensors:
        yield Sentence("gguf.no_weights")
    yield from _number_faults(header)
    yield from _vocabulary_faults(header)
    for key in _EPSILONS:
        epsilon = header.value(key)
        if epsilon is not None and not (isinstance(epsilon, float) and isfinite(epsilon) and epsilon >= 0):
            yield _fault(key, epsilon)


def _fault(key: str, value: object = None) -> Sentence:
    """A value that is wrong; None is one that is missing."""
    if value is None:
        return Sentence("gguf.no_value", {"key": key})
    return Sentence("gguf.bad_value", {"key": key, "value": str(value)})


def _number_faults(header: Header) -> Iterator[Sentence]:
    layers, context = header.block_count, header.context_length
    if layers is None or not 1 <= layers <= _MAX_LAYERS:
        yield _fault("block_count", layers)
    if context is None or not 1 <= context <= _MAX_CONTEXT:
        yield _fault("context_length", context)
    if not header.embedding_length:
        yield _fault("embedding_length", header.embedding_length)
    if header.number("attention.head_count") == 0:
        yield _fault("attention.head_count", 0)
    for key in _WIDTHS:
        if (width := header.number(key) or 0) > _MAX_WIDTH:
            yield _fault(key, width)
    experts, used = header.number("expert_count") or 0, header.number("expert_used_count") or 0
    if experts > _MAX_EXPERTS:
        yield _fault("expert_count", experts)
    if used > experts or (experts and not used):
        yield _fault("expert_used_count", used)


def _vocabulary_faults(header: Header) -> Iterator[Sentence]:
    model = header.text("tokenizer.ggml.model")
    if model in {"", "none", "no_vocab"}:
        # llama.cpp loads those without a vocabulary, and ends at the first text.
        yield _fault("tokenizer.ggml.model", model or None)
        return
    tokens = header.metadata.get("tokenizer.ggml.tokens")
    count = _length(tokens, ValueType.STRING)
    if not count:
        yield _fault("tokenizer.ggml.tokens")
    if model == "gpt2" and not _has_texts(header.metadata.get("tokenizer.ggml.merges")):
        yield _fault("tokenizer.ggml.merges")
    for key, value in header.metadata.items():
        if any(mark.fullmatch(key) and type(value) is not taken for mark, taken in _KINDS):
            yield _fault(key, value)
    # llama.cpp gives an empty token another text.
    named = [token for token in tokens if token] if isinstance(tokens, tuple) else []
    if len(set(named)) < len(named) or (isinstance(tokens, ArrayInfo) and tokens.repeats):
        yield Sentence("gguf.token_twice")
    for key, kind in (("scores", ValueType.F32), ("token_type", ValueType.I32)):
        found = header.metadata.get(f"tokenizer.ggml.{key}")
        # llama.cpp reads one for each token; that there are more does no harm.
        if found is not None and _length(found, kind) < count:
            yield Sentence("gguf.bad_vocabulary", {"key": f"tokenizer.ggml.{key}", "tokens": count})


def _has_texts(value: Value | None) -> bool:
    """Whether it is a list of texts, which may be empty."""
    return value == () or _length(value, ValueType.STRING) > 0


def _length(value: Value | None, kind: ValueType) -> int:
    """How many values of that kind an array has; 0 for what is none."""
    if isinstance(value, ArrayInfo):
        return value.length if value.type == kind else 0
    if isinstance(value, tuple) and all(type(each) is _PYTHON[kind] for each in value):
        return len(value)
    return 0


def needs_ollama(header: Header) -> Sentence | None:
    """Why only Ollama can load the model; ``None`` if llama.cpp can, too."""
    if header.architecture in _ARCHITECTURES or _is_marked(header) or _is_special(header):
        return Sentence("gguf.needs_ollama", {"architecture": header.architecture})
    return None


def _is_marked(header: Header) -> bool:
    marks = _MARKS.get(header.architecture)
    return marks is not None and (
        any(header.value(key) is not None for key in marks.keys)
        or any(header.value(key) is None for key in marks.missing)
        or any(name.startswith(marks.tensors) or name.endswith(marks.endings) for name in header.tensor_names)
    )


def _is_special(header: Header) -> bool:
    match header.architecture:
        case "bert":
            characters = header.metadata.get("tokenizer.ggml.precompiled_charsmap")
            return isinstance(characters, ArrayInfo) and characters.type == ValueType.STRING
        case "gemma3n":
            rows = {
                tensor.shape[-1]
                for tensor in header.tensors
                if tensor.name in {"token_embd.weight", "per_layer_token_embd.weight"}
            }
            return len(rows) > 1
        case "gemma4":
            return header.text("tokenizer.ggml.model") == "llama"
        case "lfm2":
            return (
                "output_norm.weight" in header.tensor_names
                and "token_embd_norm.weight" not in header.tensor_names
            )
    return False
