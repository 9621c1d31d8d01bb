"""From a GGUF file to a model in the engine's own folder, and what such a model may be called."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llmstack_tui.base.names import DEFAULT_TAG, ModelName
from llmstack_tui.gguf.checks import check_loadable, needs_ollama
from llmstack_tui.gguf.header import InvalidGGUF, read_header
from llmstack_tui.library.copying import CopyCancelled, copy, link, read_through
from llmstack_tui.library.folders import blob_path, blobs_folder, is_whole, manifest_path
from llmstack_tui.library.manifest import BLOB_NAME, Layer, MediaType, blob_name, encode, manifest_content
from llmstack_tui.library.storage import (
    LibraryError,
    blobs_of,
    locked,
    reason,
    remove_unfinished,
    remove_unused,
    unfinished_path,
    write_layer,
    write_whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from llmstack_tui.gguf.header import Header
    from llmstack_tui.library.copying import OnProgress

_MAX_PART = 80
# How files are named after their quantisation: "-Q4_K_M", ".IQ3_XXS", "-UD-Q4_K_XL", ".i1-Q4_K_M", "-bf16".
_QUANTIZATION = re.compile(
    r"[-._]((?:ud-|i1-)?(?:i?q[1-8](?:_[a-z0-9]+)*|tq[12]_0|bf16|f16|f32|fp16|fp32|mxfp4(?:_moe)?|nvfp4))$"
)
_NOT_IN_NAMES = re.compile(r"[^a-z0-9_.-]+")


class ImportFailed(LibraryError):
    """The file did not become a model; ``str`` of it is a sentence for the user."""


class ImportCancelled(ImportFailed):
    """The user ended the import."""


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


def import_gguf(
    models: Path,
    source: Path,
    name: ModelName,
    *,
    progress: OnProgress,
    cancelled: Callable[[], bool],
    parameters: Mapping[str, object],
) -> None:
    """Make ``name`` in the folder ``models`` from ``source``.

    The weights are linked where that is possible, else copied. The manifest comes last: a reader sees the
    whole model or none.

    Raises:
        ImportFailed: with one sentence. Nothing half written stays.
    """
    progress("parsing GGUF", None, None)
    try:
        header = read_header(source)
        fault = check_loadable(header) or needs_ollama(header)
        if fault:
            raise ImportFailed(f"{source} cannot be imported: {fault}")
        blobs = blobs_folder(models)
        blobs.mkdir(parents=True, exist_ok=True)
        remove_unfinished(models)
        staged = unfinished_path(blobs)
        try:
            digest = _stage(source, staged, header.file_size, progress=progress, cancelled=cancelled)
            with locked(models):
                progress("writing manifest", None, None)
                _install(models, name, header, parameters, staged=staged, digest=digest)
        finally:
            staged.unlink(missing_ok=True)
    except ImportFailed:
        raise
    except CopyCancelled as error:
        raise ImportCancelled(f"The import of {source} was cancelled.") from error
    except (InvalidGGUF, LibraryError) as error:
        raise ImportFailed(str(error)) from error
    except OSError as error:
        raise ImportFailed(f"{source} cannot be imported into {models}: {reason(error)}.") from error


def _stage(
    source: Path, staged: Path, size: int, *, progress: OnProgress, cancelled: Callable[[], bool]
) -> str:
    """Link or copy the file to ``staged``; returns its digest."""
    if link(source, staged):
        return read_through(staged, size, progress=progress, cancelled=cancelled)
    return copy(source, staged, size, progress=progress, cancelled=cancelled)


def _install(
    models: Path,
    name: ModelName,
    header: Header,
    parameters: Mapping[str, object],
    *,
    staged: Path,
    digest: str,
) -> None:
    """Write the manifest and its layers. The caller holds the lock."""
    replaced = blobs_of(models, name)
    written = {blob_name(digest)}
    try:
        weights = Layer(media_type=MediaType.MODEL, digest=digest, size=header.file_size)
        _place(models, weights, staged)
        layers = [weights]
        if parameters:
            layers.append(write_layer(models, MediaType.PARAMETERS, encode(parameters)))
        config = write_layer(models, MediaType.CONFIG, encode(_config(header)))
        written |= {blob_name(layer.digest) for layer in (*layers, config)}
        write_whole(manifest_path(models, name), manifest_content(config, layers))
    except BaseException:
        remove_unused(models, frozenset(written))
        raise
    remove_unused(models, replaced)


def _place(models: Path, layer: Layer, staged: Path) -> None:
    path = blob_path(models, layer.digest)
    if not is_whole(path, layer.size):
        staged.replace(path)


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
