"""A model from another one: the same under a second name, or its weights with other words and parameters.

What becomes of each layer is as in ``createModel`` of Ollama's ``server/create.go``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from llmstack_tui.library.copying import stage
from llmstack_tui.library.folders import blob_path, blobs_folder, is_whole, manifest_path, read_small
from llmstack_tui.library.manifest import (
    Manifest,
    MediaType,
    T,
    decode,
    encode,
    manifest_content,
    parse_manifest,
)
from llmstack_tui.library.storage import LibraryError, explained, locked, staging, write_model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from llmstack_tui.base.names import ModelName
    from llmstack_tui.library.copying import OnProgress
    from llmstack_tui.library.manifest import Layer
    from llmstack_tui.library.storage import WriteLayer


class Changes(Struct, frozen=True, kw_only=True):
    """What differs from the base model; what is empty stays as it is there.

    Attributes:
        licenses: are added to those that the base has.
        parameters: each by itself takes the place of the base's.
    """

    system: str = ""
    licenses: Sequence[str] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)
    messages: Sequence[object] = ()


def derive(
    models: Path, base: tuple[Path, ModelName], name: ModelName, changes: Changes | None, progress: OnProgress
) -> None:
    """Make ``name`` in the folder ``models`` from the model ``base``, of this folder or of another one.

    Without ``changes`` it is the same model, by its digest too. What lies in another folder is linked where
    that is possible, else copied.

    Raises:
        LibraryError: with one sentence. Nothing half written stays.
    """
    folder, source = base
    if source == name and changes is None:
        return
    with explained(f"{name} cannot be made from {source}"):
        content = read_small(manifest_path(folder, source))
        manifest = parse_manifest(content)

        def make(write: WriteLayer) -> bytes:
            made = content if changes is None else _changed(models, manifest, changes, write, progress)
            progress("writing manifest", None, None)
            return made

        with staging(models) as staged:
            for layer in manifest.blobs if folder != models else ():
                if layer.digest not in staged and not _is_here(models, layer):
                    blob = blob_path(folder, layer.digest)
                    _, staged[layer.digest] = stage(
                        blob, blobs_folder(models), layer.size, progress, digest=layer.digest
                    )
            with locked(models):
                if not all(each.digest in staged or _is_here(models, each) for each in manifest.blobs):
                    raise LibraryError(f"The model {source} was removed meanwhile, or its files are broken.")
                write_model(models, name, staged, make)


def _is_here(models: Path, layer: Layer) -> bool:
    return is_whole(blob_path(models, layer.digest), layer.size)


def _changed(
    models: Path, manifest: Manifest, changes: Changes, write: WriteLayer, progress: OnProgress
) -> bytes:
    """The manifest with the changes, whose layers are written."""
    layers = list(manifest.layers)

    def put(media_type: str, text: bytes) -> None:
        layers[:] = [layer for layer in layers if layer.media_type != media_type]
        layers.append(write(media_type, text))

    if changes.system:
        put(MediaType.SYSTEM, changes.system.encode())
    layers += [write(MediaType.LICENSE, text.encode()) for text in changes.licenses]
    if changes.parameters:
        parameters: dict[str, object] = {}
        for layer in manifest.of_type(MediaType.PARAMETERS):
            parameters |= _read(models, layer, dict[str, object])
        put(MediaType.PARAMETERS, encode(dict(sorted((parameters | {**changes.parameters}).items()))))
    if changes.messages:
        put(MediaType.MESSAGES, encode(changes.messages))
    before = {layer.digest for layer in manifest.layers}
    for layer in layers:
        what = "using existing" if layer.digest in before else "creating new"
        progress(f"{what} layer {layer.digest}", None, None)
    config = _read(models, manifest.config, dict[str, object])
    config["rootfs"] = {"type": "layers", "diff_ids": [layer.digest for layer in layers]}
    return manifest_content(write(MediaType.CONFIG, encode(config)), layers)


def _read(models: Path, layer: Layer, kind: type[T]) -> T:
    content = read_small(blob_path(models, layer.digest))
    return decode(content, kind, f"The layer {layer.digest}")
