"""From a GGUF file to a model in the engine's own folder, and what such a model may be called."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llmstack_tui.base.names import DEFAULT_TAG, ModelName
from llmstack_tui.gguf.checks import check_loadable, needs_ollama
from llmstack_tui.gguf.header import read_header
from llmstack_tui.library.copying import stage
from llmstack_tui.library.folders import blobs_folder
from llmstack_tui.library.manifest import BLOB_NAME, Layer, MediaType, encode, manifest_content
from llmstack_tui.library.storage import LibraryError, explained, locked, staging, write_model

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from llmstack_tui.gguf.header import Header
    from llmstack_tui.library.copying import OnProgress
    from llmstack_tui.library.storage import WriteLayer

_MAX_PART = 80
# How files are named after their quantisation: "-Q4_K_M", ".IQ3_XXS", "-UD-Q4_K_XL", ".i1-Q4_K_M", "-bf16".
_QUANTIZATION = re.compile(
    r"[-._]((?:ud-|i1-)?(?:i?q[1-8](?:_[a-z0-9]+)*|tq[12]_0|bf16|f16|f32|fp16|fp32|mxfp4(?:_moe)?|nvfp4))$"
)
_NOT_IN_NAMES = re.compile(r"[^a-z0-9_.-]+")


def suggest_name(path: Path, header: Header | None = None) -> str:
    """A name for the model in the file at ``path``, such as "smollm2-135m-instruct:q4_1".

    Raises:
        InvalidGGUF: if ``header`` is not given, and the file has none.
    """
    header = header or read_header(path)
    stem = path.name.lower().removesuffix(".gguf")
    if BLOB_NAME.fullmatch(stem):  # Such a name says nothing about the model.
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


def import_gguf(models: Path, source: Path, name: ModelName, progress: OnProgress) -> None:
    """Make ``name`` in the folder ``models`` from ``source``, which is linked where possible, else copied.

    Raises:
        LibraryError: with one sentence. Nothing half written stays.
    """
    progress("parsing GGUF", None, None)
    with explained(f"{source} cannot be imported into {models}"):
        header = read_header(source)
        if fault := check_loadable(header) or needs_ollama(header):
            raise LibraryError(f"{source} cannot be imported: {fault}")
        with staging(models) as staged:
            digest, path = stage(source, blobs_folder(models), header.file_size, progress)
            staged[digest] = path
            weights = Layer(media_type=MediaType.MODEL, digest=digest, size=header.file_size)

            def make(write: WriteLayer) -> bytes:
                return manifest_content(write(MediaType.CONFIG, encode(_config(header))), [weights])

            with locked(models):
                progress("writing manifest", None, None)
                write_model(models, name, staged, make)


def _config(header: Header) -> Mapping[str, object]:
    """The config layer that Ollama makes of the same file."""
    return {
        "model_format": "gguf",
        "model_family": header.architecture,
        "model_families": [header.architecture],
        "model_type": parameter_size(header.parameter_count),
        "file_type": header.quantization,
        "architecture": "amd64",
        "os": "linux",
    }
