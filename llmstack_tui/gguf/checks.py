"""What llama.cpp would not survive, or could not run, although the file is a whole GGUF file."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from llmstack_tui.gguf.header import ArrayInfo
from llmstack_tui.gguf.types import ValueType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.gguf.header import Header

# LLAMA_MAX_LAYERS and LLAMA_MAX_EXPERTS: more than that, or none, ends the process (``llama-model.cpp``).
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


def check_loadable(header: Header) -> str | None:
    """Why llama.cpp cannot load the model, as a sentence; ``None`` if nothing speaks against it.

    Pure: looks at the header only. Other faults llama.cpp finds itself, and survives.
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
