"""Valid GGUF files that llama.cpp cannot load, or that would crash it. Pure: only the header is looked at.

Some files in Ollama's registry do not have the layout that llama.cpp expects: names of values and tensors
differ, or the vision part is in the same file. Ollama translates them while it loads (``llama/compat`` in
its source, from which `needs_ollama` takes its marks). Files of the same families in the usual layout have
none of these marks.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.gguf.header import ArrayInfo, Header
from llmstack_tui.gguf.types import ValueType

if TYPE_CHECKING:
    from collections.abc import Iterator


# LLAMA_MAX_LAYERS and LLAMA_MAX_EXPERTS: with more, or with none, the process ends (``llama-model.cpp``).
_MAX_LAYERS = 512
_MAX_EXPERTS = 512
_MAX_CONTEXT = 2**31 - 1

_EPSILONS = (
    "attention.layer_norm_rms_epsilon",
    "attention.layer_norm_epsilon",
    "attention.group_norm_epsilon",
)
_OTHER_KINDS = {
    "adapter": "a LoRA adapter",
    "mmproj": "a projector for images",
    "projector": "a projector for images",
    "imatrix": "an importance matrix",
    "vocab": "a vocabulary without weights",
}


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


def check_loadable(header: Header) -> str | None:
    """Why llama.cpp cannot load the model, as a sentence; ``None`` if no such fault is found.

    llama.cpp finds all other faults itself, and survives them.
    """
    return next(_faults(header), None)


def _faults(header: Header) -> Iterator[str]:
    kind = _OTHER_KINDS.get(header.text("general.type"))
    if header.architecture == "clip":
        kind = _OTHER_KINDS["mmproj"]
    if kind:
        yield f"The file is {kind}, not a model that can run by itself."
    if not header.architecture:
        yield "The file does not say which architecture the model has."
    if not header.tensors:
        yield "The file holds no weights."
    yield from _layer_faults(header)
    yield from _expert_faults(header)
    yield from _vocabulary_faults(header)
    for key in _EPSILONS:
        epsilon = header.value(key)
        if epsilon is not None and not (isinstance(epsilon, float) and isfinite(epsilon) and epsilon >= 0):
            yield f"The file says that {key} is {epsilon!r}; it has to be a small positive number."


def _layer_faults(header: Header) -> Iterator[str]:
    layers = header.block_count
    if layers is None or not 1 <= layers <= _MAX_LAYERS:
        yield f"The file says that the model has {layers or 'no'} layers; 1 to {_MAX_LAYERS} can be loaded."
    context = header.context_length
    if context is None or not 1 <= context <= _MAX_CONTEXT:
        yield f"The file says that the model was trained on a context of {context or 'no'} tokens."
    if not header.embedding_length:
        yield "The file says that the model's embeddings have no length."
    heads = header.number("attention.head_count")
    if heads == 0:
        yield "The file says that the model has no attention heads."


def _expert_faults(header: Header) -> Iterator[str]:
    experts, used = header.number("expert_count") or 0, header.number("expert_used_count") or 0
    if experts > _MAX_EXPERTS:
        yield f"The file says that the model has {experts:,} experts; {_MAX_EXPERTS} can be loaded."
    if used > experts:
        yield f"The file says that the model uses {used:,} of {experts:,} experts."
    if experts and not used:
        yield f"The file says that the model uses none of its {experts:,} experts."


def _vocabulary_faults(header: Header) -> Iterator[str]:
    model = header.text("tokenizer.ggml.model")
    if not model:
        yield "The file has no tokenizer."
    if model in {"", "none", "no_vocab"}:
        return
    tokens = header.metadata.get("tokenizer.ggml.tokens")
    count = (
        tokens.length if isinstance(tokens, ArrayInfo) else len(tokens) if isinstance(tokens, tuple) else 0
    )
    if not count or (isinstance(tokens, ArrayInfo) and tokens.type != ValueType.STRING):
        yield "The file has a tokenizer without a vocabulary."
    if isinstance(tokens, tuple) and len(set(tokens)) < count:
        yield "The file has a vocabulary with the same token twice."


def needs_ollama(header: Header) -> str | None:
    """Why only Ollama can load the model, as a sentence; ``None`` if llama.cpp can, too."""
    if header.architecture in _ARCHITECTURES or _is_marked(header) or _is_special(header):
        return f"This {header.architecture} model is packaged for Ollama alone, so it needs Ollama."
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
