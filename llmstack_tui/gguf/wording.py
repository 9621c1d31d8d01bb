"""Why a file is no GGUF model that can be used: one sentence for each kind of fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    "gguf.missing": "There is no file {path}.",
    "gguf.bad_path": "{path:quoted} cannot be the name of a file.",
    "gguf.folder": "{path} is a folder, not a GGUF file.",
    "gguf.unreadable": "{path} cannot be read: {why}.",
    "gguf.device": "{path} is a device, a pipe or a socket, not a GGUF file.",
    "gguf.empty": "{path} is empty.",
    # Files of another kind.
    "gguf.other_format": "{path} is no GGUF model: it is a file of the format {format}.",
    "gguf.is_safetensors": "{path} is a safetensors file, not a GGUF model: convert it first.",
    "gguf.is_pointer": "{path} is a Git LFS pointer, not a GGUF model: get the file itself (git lfs pull).",
    "gguf.is_page": "{path} is a web page, not a GGUF model.",
    "gguf.is_zeros": "{path} is a file of zeros, not a GGUF model.",
    "gguf.is_text": "{path} is a text file, not a GGUF model.",
    "gguf.is_other": "{path} is some other file, not a GGUF model.",
    "gguf.big_endian": "{path} is a big-endian GGUF file, which only machines of that kind can run.",
    "gguf.version_1": "{path} is a GGUF file of version 1, which llama.cpp no longer reads: get a newer one.",
    "gguf.version": "{path} is a GGUF file of version {version}; versions 2 and 3 are known.",
    "gguf.split": "{path} is one of {count} parts: join them first (llama-gguf-split --merge).",
    # Files that are broken. {fault} is a word for reports, {at} the key or the tensor.
    "gguf.cut_in_header": "{path} is cut short: it ends in its header. Copy or download it again.",
    "gguf.cut_in_tensors": "{path} is cut short by {missing:,} bytes. Copy or download it again.",
    "gguf.too_large": "{path} has a larger header than any model.",
    "gguf.tensor_type": "{path} has a tensor of the unknown type {type}, perhaps a newer one.",
    "gguf.broken": "{path} is broken at {at:quoted} ({fault}). Copy or download it again.",
    # Why a whole file cannot be run.
    "gguf.needs_ollama": "This {architecture} model is packaged for Ollama alone, so it needs Ollama.",
    "gguf.image_tensors": "{path} is a part of an image model, not a language model.",
    "gguf.image": "The file is an image or video model (diffusion), not a language model.",
    "gguf.image_part": "The file is a part of an image model (its VAE), not a language model.",
    "gguf.text_encoder": "The file is the text encoder of an image model, not a language model.",
    "gguf.sound": "The file is a model for speech or sound, not a language model.",
    "gguf.control_vector": "The file is a control vector, not a model that can run by itself.",
    "gguf.no_adapter": "The file is no LoRA adapter.",
    "gguf.adapter_of_other": "The adapter is for models of the architecture {for_}, and this one is {base}.",
    "gguf.adapter_misfit": "The adapter does not fit this model at {tensor}: it is for another one.",
    "gguf.adapter": "The file is a LoRA adapter, not a model that can run by itself.",
    "gguf.projector": "The file is a projector for images, not a model that can run by itself.",
    "gguf.matrix": "The file is an importance matrix, not a model that can run by itself.",
    "gguf.vocabulary": "The file is a vocabulary without weights, not a model that can run by itself.",
    "gguf.no_weights": "The file holds no weights.",
    "gguf.token_twice": "The file has a vocabulary with the same token twice.",
    "gguf.bad_vocabulary": (
        "The file has {tokens:,} tokens, and {key} does not fit them: with that no model can be loaded."
    ),
    "gguf.no_value": "The file does not give {key}, without which no model can be loaded.",
    "gguf.bad_value": "The file gives {key} as {value}, with which no model can be loaded.",
}
