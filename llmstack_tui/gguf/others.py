"""GGUF files that are no language models: what they are, by their headers; and what fits to a model. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.gguf.types import IMAGE_TENSORS

if TYPE_CHECKING:
    from llmstack_tui.gguf.header import Header

_BY_TYPE = {
    "adapter": "gguf.adapter",
    "mmproj": "gguf.projector",
    "projector": "gguf.projector",
    "imatrix": "gguf.matrix",
    "vocab": "gguf.vocabulary",
}
_IMAGES = "aura chroma cosmos flux hidream lumina2 pig qwen_image sd1 sd2 sd3 sdxl z_image"
_VIDEOS = "hunyuan_video hyvid ltxv wan"
OTHER_ARCHITECTURES = {
    "clip": "gguf.projector",
    **dict.fromkeys((*_IMAGES.split(), *_VIDEOS.split()), "gguf.image"),
    "vae": "gguf.image_part",
    "controlvector": "gguf.control_vector",
    **dict.fromkeys(("snac", "wavtokenizer-dec", "whisper"), "gguf.sound"),
}
"""Kinds of sentences by architectures, as ComfyUI, stable-diffusion.cpp and llama.cpp name them."""
_VAE = "first_stage_model."
_LORA = (".lora_a", ".lora_b")


def other_kind(header: Header) -> str | None:
    """The kind of the sentence that says what a file is that is no language model; None if it may be one."""
    if is_projector(header):
        sees = header.metadata.get("clip.has_vision_encoder") or header.metadata.get("clip.has_audio_encoder")
        return (
            "gguf.text_encoder"
            if header.metadata.get("clip.has_text_encoder") and not sees
            else "gguf.projector"
        )
    if kind := _BY_TYPE.get(header.text("general.type")) or OTHER_ARCHITECTURES.get(header.architecture):
        return kind
    names = header.tensor_names
    if any(name.endswith(_LORA) for name in names):
        return "gguf.adapter"
    if any(name.startswith(IMAGE_TENSORS) for name in names):
        return "gguf.image_part" if all(name.startswith(_VAE) for name in names) else "gguf.image"
    if not names and "tokenizer.ggml.tokens" in header.metadata:
        return "gguf.vocabulary"
    return None


def is_projector(header: Header) -> bool:
    """Whether it turns images or sound into what a language model reads."""
    return header.architecture == "clip" or header.text("general.type") in ("mmproj", "projector")


def adapter_fault(adapter: Header, base: Header) -> Sentence | None:
    """Why llama.cpp cannot apply the adapter to the model ``base``; None if no such fault is found."""
    if (kind := other_kind(adapter)) not in (None, "gguf.adapter"):
        return Sentence(kind)
    if (
        adapter.text("general.type") != "adapter"
        or adapter.text("adapter.type") != "lora"
        or not adapter.tensors
    ):
        return Sentence("gguf.no_adapter")
    if adapter.architecture != base.architecture:
        return Sentence("gguf.adapter_of_other", {"for_": adapter.architecture, "base": base.architecture})
    shapes = {tensor.name: tensor.shape for tensor in base.tensors}
    for tensor in adapter.tensors:
        name, _, end = tensor.name.rpartition(".lora_")
        shape = shapes.get(name)
        # The embeddings are looked up, not multiplied by: their adapter has its sides changed.
        side = {"a": 0, "b": 1}.get(end) if name != "token_embd.weight" else None
        if shape is None or (side is not None and tensor.shape[side : side + 1] != shape[side : side + 1]):
            return Sentence("gguf.adapter_misfit", {"tensor": name or tensor.name})
    return None
