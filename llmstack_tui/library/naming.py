"""What a model is called when it comes from a file: a name to suggest, and its size in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llmstack_tui.base.names import DEFAULT_TAG, ModelName
from llmstack_tui.gguf.header import read_header

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.gguf.header import Header

_MAX_PART = 80
# How files are named after their quantisation: "-Q4_K_M", ".IQ3_XXS", "-UD-Q4_K_XL", ".i1-Q4_K_M", "-bf16".
_QUANTIZATION = re.compile(
    r"[-._]((?:ud-|i1-)?(?:i?q[1-8](?:_[a-z0-9]+)*|tq[12]_0|bf16|f16|f32|fp16|fp32|mxfp4(?:_moe)?|nvfp4))$"
)
# An Ollama blob says nothing about what is in it.
_BLOB = re.compile(r"sha256-[0-9a-f]{64}")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9_.-]+")


def suggest_name(path: Path, header: Header | None = None) -> str:
    """A name for the model in the file at ``path``, such as "smollm2-135m-instruct:q4_1".

    Raises:
        InvalidGGUF: if ``header`` is not given, and the file has none.
    """
    header = header or read_header(path)
    stem = path.name.lower().removesuffix(".gguf")
    if _BLOB.fullmatch(stem):
        stem = header.name.lower()
    match = _QUANTIZATION.search(stem)
    if match:
        stem, tag = stem[: match.start()], match[1]
    else:
        tag = header.quantization.lower()
    model = _NOT_IN_NAMES.sub("-", stem).strip("-._")[:_MAX_PART].strip("-._")
    return ModelName(model=model or "model", tag=DEFAULT_TAG if tag == "unknown" else tag).short


def parameter_size(count: int) -> str:
    """The number of weights as Ollama writes it: "134.52M", "1.2B", "8B" (``format/format.go``)."""
    if count >= 10**9:
        return f"{count / 10**9:.0f}B" if count % 10**9 == 0 else f"{count / 10**9:.1f}B"
    if count >= 10**6:
        return f"{count / 10**6:.0f}M" if count % 10**6 == 0 else f"{count / 10**6:.2f}M"
    if count >= 1000:
        return f"{count / 1000:.0f}K"
    return str(count)
