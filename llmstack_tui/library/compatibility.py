"""Which published models only Ollama can load.

Some of the files that Ollama's registry offers are not laid out as llama.cpp expects them: names of values
and tensors differ, or the vision part sits in the same file. Ollama translates them while it loads
(``llama/compat`` in its source, where these marks are from). Good files of the same families have none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.gguf.header import ArrayInfo
from llmstack_tui.gguf.types import ValueType

if TYPE_CHECKING:
    from llmstack_tui.gguf.header import Header


class _OllamaOnly(Struct, frozen=True, kw_only=True):
    """Any one of these tells that a file is for Ollama alone.

    Attributes:
        keys: metadata that llama.cpp knows by other names, without the architecture in front.
        missing: metadata that llama.cpp cannot do without.
        tensors: beginnings of tensor names that llama.cpp would not claim.
        endings: endings of tensor names that llama.cpp knows by others.
    """

    keys: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    tensors: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()


# Names of architectures that only Ollama gives.
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


def needs_ollama(header: Header) -> str | None:
    """Why only Ollama can load the model, as a sentence; ``None`` if llama.cpp may."""
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
