"""Making a model in the engine's own folder, from a GGUF file or from another model; and suggesting its name.

Made from another model, it is the same model under a second name, or has the same weights with another system
prompt, template, parameters or messages. Each layer is treated as in ``createModel`` of Ollama's
``server/create.go``.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import TYPE_CHECKING

from msgspec import Struct, field

from llmstack_tui.base.names import DEFAULT_TAG, ModelName
from llmstack_tui.base.structs import replace
from llmstack_tui.gguf.checks import check_loadable, needs_ollama
from llmstack_tui.gguf.header import Header, read_header
from llmstack_tui.library.blobs import OnProgress, may_have, stage
from llmstack_tui.library.errors import LibraryError, library_errors
from llmstack_tui.library.folders import (
    blob_path,
    blobs_folder,
    has_blob,
    is_blob_of,
    manifest_path,
    read_small,
)
from llmstack_tui.library.manifest import (
    BLOB_NAME,
    Layer,
    MediaType,
    T,
    decode,
    encode,
    manifest_content,
    parse_manifest,
)
from llmstack_tui.library.storage import WriteLayer, locked, staging, write_model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from llmstack_tui.library.sent_files import SentFile

_MAX_PART = 80
_MARK = 6
# The quantisation at the end of a file's name: "-Q4_K_M", ".IQ3_XXS", "-UD-Q4_K_XL", ".i1-Q4_K_M", "-bf16".
_QUANTIZATION = re.compile(
    r"[-._]((?:ud-|i1-)?(?:i?q[1-8](?:_[a-z0-9]+)*|tq[12]_0|bf16|f16|f32|fp16|fp32|mxfp4(?:_moe)?|nvfp4))$"
)
_NOT_IN_NAMES = re.compile(r"[^a-z0-9_.-]+")


class Changes(Struct, frozen=True, kw_only=True):
    """The differences from a base model. An empty field keeps the base's value.

    Attributes:
        adapters: added to those of the base.
        template: that of Ollama's template layer, and a Jinja template is allowed, too.
        own_template: it answers whatever the file has.
        licenses: added to those of the base.
        parameters: each replaces the base's parameter of that name.
        config: values of the config layer for Ollama: renderer, parser, the version that it needs.
    """

    adapters: Sequence[SentFile] = ()
    system: str = ""
    template: str = ""
    own_template: bool = True
    licenses: Sequence[str] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)
    messages: Sequence[object] = ()
    config: Mapping[str, str] = field(default_factory=dict)


def import_gguf(
    models: Path, others: Sequence[Path], source: Path, name: ModelName, progress: OnProgress
) -> None:
    """Make ``name`` in the folder ``models`` from ``source``, which is read, and cloned or copied.

    A blob of this folder or of the ``others`` is linked.

    Raises:
        LibraryError: it failed. Nothing is left half written.
    """
    progress("parsing GGUF", None, None)
    with library_errors("library.not_imported", source=str(source), models=str(models)):
        header = read_header(source, tokens=True)
        if fault := check_loadable(header) or needs_ollama(header):
            raise LibraryError("library.not_loadable", source=str(source), why=(fault,))
        with staging(models) as staged:
            ours = is_blob_of((models, *others), source)
            blob = stage(source, blobs_folder(models), header.file_size, progress, ours=ours)
            staged[blob.digest] = blob
            weights = Layer(media_type=MediaType.MODEL, digest=blob.digest, size=header.file_size)

            def make(write: WriteLayer) -> bytes:
                return manifest_content(write(MediaType.CONFIG, encode(config_of(header))), [weights])

            with locked(models):
                progress("writing manifest", None, None)
                write_model(models, name, staged, make)


def config_of(header: Header, *others: Header) -> dict[str, object]:
    """The config layer that Ollama makes of the same file, and of the ``others`` beside it."""
    return {
        "model_format": "gguf",
        "model_family": header.architecture,
        "model_families": [*dict.fromkeys(each.architecture for each in (header, *others))],
        "model_type": parameter_size(header.parameter_count),
        "file_type": header.quantization,
        "architecture": "amd64",
        "os": "linux",
    }


def derive(
    models: Path,
    base: tuple[Path, ModelName],
    name: ModelName,
    changes: Changes | None,
    progress: OnProgress,
) -> None:
    """Make ``name`` in the folder ``models`` from the model ``base``, of this folder or of another one.

    Without ``changes``, it is the same model, with the same digest. Blobs in another folder are linked where
    possible, else copied.

    Raises:
        LibraryError: it failed. Nothing is left half written.
    """
    folder, source = base
    if source == name and changes is None:
        return
    with library_errors("library.not_made", model=str(name), source=str(source)):
        content = read_small(manifest_path(folder, source))
        manifest = parse_manifest(content)

        adapters = () if changes is None else changes.adapters

        def make(write: WriteLayer) -> bytes:
            made = content
            if changes is not None:
                kept = (replace(layer, source=source.short) for layer in manifest.layers)
                layers = [*kept, *(each.layer for each in adapters)]
                config = _read(models, manifest.config, dict[str, object])
                made = _changed(models, layers, config, changes, write, progress=progress)
            progress("writing manifest", None, None)
            return made

        blobs = [(folder, layer) for layer in manifest.blobs]
        blobs += [(each.models, each.layer) for each in adapters]
        _write(models, name, blobs, make, progress, source=str(source))


def assemble(
    models: Path, sources: Sequence[SentFile], name: ModelName, changes: Changes, progress: OnProgress
) -> None:
    """Make ``name`` in the folder ``models`` of blobs, of this folder or of another one: the weights first.

    Raises:
        LibraryError: it failed. Nothing is left half written.
    """
    layers = [each.layer for each in sources]
    config = config_of(*(each.header for each in sources))

    def make(write: WriteLayer) -> bytes:
        if len(layers) == 1 and changes == Changes():  # Then it is the model that an import makes.
            progress(f"using existing layer {layers[0].digest}", None, None)
            made = manifest_content(write(MediaType.CONFIG, encode(config)), layers)
        else:
            made = _changed(models, layers, config, changes, write, progress=progress)
        progress("writing manifest", None, None)
        return made

    progress("parsing GGUF", None, None)
    with library_errors("library.not_made", model=str(name), source=sources[0].name):
        blobs = [(each.models, each.layer) for each in sources]
        _write(models, name, blobs, make, progress, source=sources[0].name)


def _write(
    models: Path,
    name: ModelName,
    blobs: Sequence[tuple[Path, Layer]],
    make: Callable[[WriteLayer], bytes],
    progress: OnProgress,
    *,
    source: str,
) -> None:
    """Write the model of which ``make`` returns the manifest, of ``blobs`` that are in these folders."""
    with staging(models) as staged:
        for folder, layer in blobs:
            if folder != models and layer.digest not in staged and not may_have(models, layer):
                blob = blob_path(folder, layer.digest)
                staged[layer.digest] = stage(
                    blob, blobs_folder(models), layer.size, progress, ours=True, digest=layer.digest
                )
        with locked(models):
            if not all(layer.digest in staged or has_blob(models, layer) for _, layer in blobs):
                raise LibraryError("library.source_gone", source=source)
            write_model(models, name, staged, make)


def _changed(
    models: Path,
    base: Sequence[Layer],
    config: dict[str, object],
    changes: Changes,
    write: WriteLayer,
    *,
    progress: OnProgress,
) -> bytes:
    """Write the changed layers, and return the new manifest."""
    layers = list(base)

    def put(media_type: str, text: bytes) -> None:
        layers[:] = [layer for layer in layers if layer.media_type != media_type]
        layers.append(write(media_type, text))

    if changes.template:
        layers[:] = [layer for layer in layers if layer.media_type != MediaType.PROMPT]
        put(MediaType.TEMPLATE, changes.template.encode())
    if changes.system:
        put(MediaType.SYSTEM, changes.system.encode())
    layers += [write(MediaType.LICENSE, text.encode()) for text in changes.licenses]
    if changes.parameters:
        parameters: dict[str, object] = {}
        for layer in (each for each in base if each.media_type == MediaType.PARAMETERS):
            parameters |= _read(models, layer, dict[str, object])
        put(MediaType.PARAMETERS, encode(dict(sorted((parameters | {**changes.parameters}).items()))))
    if changes.messages:
        put(MediaType.MESSAGES, encode(changes.messages))
    before = {layer.digest for layer in base}
    for layer in layers:
        what = "using existing" if layer.digest in before else "creating new"
        progress(f"{what} layer {layer.digest}", None, None)
    if changes.template and changes.own_template:
        config["own_template"] = True
    config |= changes.config
    config["rootfs"] = {"type": "layers", "diff_ids": [layer.digest for layer in layers]}
    return manifest_content(write(MediaType.CONFIG, encode(config)), layers)


def _read(models: Path, layer: Layer, kind: type[T]) -> T:
    content = read_small(blob_path(models, layer.digest))
    return decode(content, kind, layer)


def suggest_name(path: Path, header: Header | None = None) -> str:
    """A name for the model in the file at ``path``, such as "smollm2-135m-instruct:q4_1".

    Raises:
        InvalidGGUF: ``header`` is not given, and the file's cannot be read.
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
    return ModelName(model=_model_part(stem), tag=DEFAULT_TAG if tag == "unknown" else tag).short


def _model_part(stem: str) -> str:
    """The name of a file, as far as a model can have it; what cannot be kept is told apart by a mark."""
    stem = unicodedata.normalize("NFC", stem)
    letters = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().lower()
    model = _NOT_IN_NAMES.sub("-", letters).strip("-._")
    if stem.isascii() and len(model) <= _MAX_PART:
        return model or "model"
    mark = hashlib.sha256(stem.encode(errors="surrogatepass")).hexdigest()[:_MARK]
    return f"{model[: _MAX_PART - _MARK - 1].strip('-._') or 'model'}-{mark}"


def parameter_size(count: int) -> str:
    """The number of weights as Ollama writes it: "134.52M", "1.2B", "8B" (``format/format.go``)."""
    if count >= 10**9:
        return f"{count / 10**9:.0f}B" if count % 10**9 == 0 else f"{count / 10**9:.1f}B"
    if count >= 10**6:
        return f"{count / 10**6:.0f}M" if count % 10**6 == 0 else f"{count / 10**6:.2f}M"
    if count >= 1000:
        return f"{count / 1000:.0f}K"
    return str(count)
