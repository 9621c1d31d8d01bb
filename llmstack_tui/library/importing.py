"""From a GGUF file to a model in the engine's own folder."""

from __future__ import annotations

import hashlib
import os
import shutil
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Protocol

from llmstack_tui.base.units import bytes_text
from llmstack_tui.gguf.checks import check_loadable
from llmstack_tui.gguf.header import InvalidGGUF, read_header
from llmstack_tui.gguf.source import open_regular
from llmstack_tui.library import manifest as layout
from llmstack_tui.library.compatibility import needs_ollama
from llmstack_tui.library.manifest import Layer, Manifest
from llmstack_tui.library.naming import parameter_size
from llmstack_tui.library.storage import LibraryError, blobs_of, locked, reason, remove_unused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from llmstack_tui.base.names import ModelName
    from llmstack_tui.gguf.header import Header

_CHUNK = 4 * 1024**2
STALE_S = 3600.0
# What has to stay free on the disk beside the copy.
SPARE = 64 * 1024**2


class ImportFailed(LibraryError):
    """The file did not become a model; ``str`` of it is a sentence for the user."""


class ImportCancelled(ImportFailed):
    """The user ended the import."""


class Progress(Protocol):
    def __call__(self, status: str, completed: int | None, total: int | None, /) -> None:
        """What is being done; bytes done and bytes in all, where there are any."""


def import_gguf(
    models: Path,
    source: Path,
    name: ModelName,
    *,
    progress: Progress,
    cancelled: Callable[[], bool],
    parameters: Mapping[str, object],
) -> None:
    """Make ``name`` in the folder ``models`` from ``source``.

    The weights are linked where that is possible, else copied. The manifest comes last: whoever looks sees
    the whole model or none.

    Raises:
        ImportFailed: with one sentence. Nothing half written stays.
    """
    progress("parsing GGUF", None, None)
    try:
        header = read_header(source)
        fault = check_loadable(header) or needs_ollama(header)
        if fault:
            raise ImportFailed(f"{source} cannot be imported: {fault}")
        blobs = layout.blobs_folder(models)
        blobs.mkdir(parents=True, exist_ok=True)
        layout.remove_unfinished(models, older_than_s=STALE_S)
        staged = layout.unfinished_path(blobs)
        try:
            digest = _stage(source, staged, header.file_size, progress, cancelled)
            with locked(models):
                progress("writing manifest", None, None)
                _install(models, name, header, parameters, staged=staged, digest=digest)
        finally:
            staged.unlink(missing_ok=True)
    except ImportFailed:
        raise
    except (InvalidGGUF, LibraryError) as error:
        raise ImportFailed(str(error)) from error
    except OSError as error:
        raise ImportFailed(f"{source} cannot be imported into {models}: {reason(error)}.") from error


def _stage(source: Path, staged: Path, size: int, progress: Progress, cancelled: Callable[[], bool]) -> str:
    """Have the file under the name ``staged``, too; answers its digest."""
    digest = hashlib.sha256()
    try:
        os.link(os.path.realpath(source), staged)
    except OSError:
        # Another disk, or one without links.
        free = shutil.disk_usage(staged.parent).free
        if free < size + SPARE:
            raise ImportFailed(
                f"{source} needs {bytes_text(size)} in {staged.parent}, where {bytes_text(free)} are free."
            ) from None
        with open_regular(source) as (file, _), staged.open("xb") as copy:
            for chunk in _chunks(file, size, source, partial(progress, "copying weights"), cancelled):
                digest.update(chunk)
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
    else:
        with open_regular(staged) as (file, _):
            for chunk in _chunks(file, size, source, partial(progress, "reading weights"), cancelled):
                digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"


def _chunks(
    file: BinaryIO,
    size: int,
    source: Path,
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> Iterator[bytes]:
    """The bytes of ``file``, which has to stay as it is meanwhile."""
    changed_at, done = os.fstat(file.fileno()).st_mtime_ns, 0
    while chunk := file.read(_CHUNK):
        if cancelled():
            raise ImportCancelled(f"The import of {source} was cancelled.")
        done += len(chunk)
        progress(done, size)
        yield chunk
    if done != size or os.fstat(file.fileno()).st_mtime_ns != changed_at:
        raise ImportFailed(f"{source} changed while it was read: import it when it is complete.")


def _install(
    models: Path,
    name: ModelName,
    header: Header,
    parameters: Mapping[str, object],
    *,
    staged: Path,
    digest: str,
) -> None:
    """Write the manifest, and what it names. For the holder of the lock."""
    replaced = blobs_of(models, name)
    written = {layout.blob_name(digest)}
    try:
        weights = Layer(media_type=layout.MODEL, digest=digest, size=header.file_size)
        _place(models, weights, staged)
        layers = [weights]
        if parameters:
            layers.append(write_layer(models, layout.PARAMETERS, layout.encode(parameters)))
        config = write_layer(models, layout.CONFIG_TYPE, layout.encode(_config(header)))
        written |= {layout.blob_name(layer.digest) for layer in (*layers, config)}
        manifest = layout.encode(Manifest(config=config, layers=tuple(layers)))
        layout.write_whole(layout.manifest_path(models, name), manifest)
    except BaseException:
        remove_unused(models, frozenset(written))
        raise
    remove_unused(models, replaced)


def _place(models: Path, layer: Layer, staged: Path) -> None:
    path = layout.blob_path(models, layer.digest)
    if not layout.is_whole(path, layer.size):
        staged.replace(path)


def write_layer(models: Path, media_type: str, content: bytes) -> Layer:
    """Have ``content`` as a blob. For the holder of the lock."""
    layer = Layer(media_type=media_type, digest=layout.digest_of(content), size=len(content))
    path = layout.blob_path(models, layer.digest)
    if not layout.is_whole(path, layer.size):
        layout.write_whole(path, content)
    return layer


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
