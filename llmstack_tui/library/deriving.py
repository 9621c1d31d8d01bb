"""A model from another one: the same under a second name, or its weights with other words and parameters.

What becomes of each layer is as in ``createModel`` of Ollama's ``server/create.go``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from llmstack_tui.library.copying import link_or_copy
from llmstack_tui.library.folders import blob_path, blobs_folder, is_whole, manifest_path, read_small
from llmstack_tui.library.manifest import (
    InvalidManifest,
    Manifest,
    MediaType,
    T,
    blob_name,
    decode,
    digest_of,
    encode,
    manifest_content,
    parse_manifest,
)
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
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from llmstack_tui.base.names import ModelName
    from llmstack_tui.library.copying import OnProgress
    from llmstack_tui.library.manifest import Layer


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


class DeriveFailed(LibraryError):
    """The model was not made; ``str`` of it is a sentence for the user."""


def derive(
    models: Path,
    base: tuple[Path, ModelName],
    name: ModelName,
    changes: Changes | None,
    *,
    progress: OnProgress,
    cancelled: Callable[[], bool],
) -> None:
    """Make ``name`` in the folder ``models`` from the model ``base``, of this folder or of another one.

    Without ``changes`` it is the same model, by its digest too. What lies in another folder is linked where
    that is possible, else copied. The manifest comes last: a reader sees the whole model or none.

    Raises:
        DeriveFailed: with one sentence. Nothing half written stays.
    """
    folder, source = base
    if source == name and changes is None:
        return
    staged: dict[str, Path] = {}
    try:
        content = read_small(manifest_path(folder, source))
        manifest = parse_manifest(content)
        blobs_folder(models).mkdir(parents=True, exist_ok=True)
        remove_unfinished(models)
        try:
            if folder != models:
                _fetch((folder, models), manifest, staged, progress=progress, cancelled=cancelled)
            with locked(models):
                _check_whole(models, source, manifest, staged)
                _install(models, name, (content, manifest), changes, staged, progress=progress)
        finally:
            for path in staged.values():
                path.unlink(missing_ok=True)
    except DeriveFailed:
        raise
    except (InvalidManifest, LibraryError) as error:
        raise DeriveFailed(str(error)) from error
    except OSError as error:
        raise DeriveFailed(f"{name} cannot be made from {source}: {reason(error)}.") from error


def _fetch(
    way: tuple[Path, Path],
    manifest: Manifest,
    staged: dict[str, Path],
    *,
    progress: OnProgress,
    cancelled: Callable[[], bool],
) -> None:
    """Link or copy the blobs of another folder to unfinished names in ours; ``way`` is (theirs, ours)."""
    folder, models = way
    for layer in manifest.blobs:
        if layer.digest in staged or is_whole(blob_path(models, layer.digest), layer.size):
            continue
        source = blob_path(folder, layer.digest)
        staged[layer.digest] = target = unfinished_path(blobs_folder(models))
        link_or_copy(source, target, layer, progress=progress, cancelled=cancelled)


def _check_whole(models: Path, source: ModelName, manifest: Manifest, staged: Mapping[str, Path]) -> None:
    for layer in manifest.blobs:
        if layer.digest not in staged and not is_whole(blob_path(models, layer.digest), layer.size):
            raise DeriveFailed(f"The model {source} was removed meanwhile, or its files are broken.")


def _install(
    models: Path,
    name: ModelName,
    base: tuple[bytes, Manifest],
    changes: Changes | None,
    staged: Mapping[str, Path],
    *,
    progress: OnProgress,
) -> None:
    """Write the manifest and its layers. The caller holds the lock."""
    content, manifest = base
    replaced = blobs_of(models, name)
    written = {blob_name(digest) for digest in staged}
    try:
        for digest, path in staged.items():
            path.replace(blob_path(models, digest))
        if changes is not None:
            content = _changed(models, manifest, changes, written, progress)
        progress("writing manifest", None, None)
        write_whole(manifest_path(models, name), content)
    except BaseException:
        remove_unused(models, frozenset(written))
        raise
    # What was fetched of the base and has been changed goes, too.
    remove_unused(models, replaced | written)


def _changed(
    models: Path, manifest: Manifest, changes: Changes, written: set[str], progress: OnProgress
) -> bytes:
    """The manifest with the changes, whose layers are written; ``written`` gets the names of their files."""
    layers = list(manifest.layers)

    def put(media_type: str, text: bytes, *, replaces: bool = True) -> None:
        if replaces:
            layers[:] = [layer for layer in layers if layer.media_type != media_type]
        written.add(blob_name(digest_of(text)))
        layers.append(write_layer(models, media_type, text))

    before = {layer.digest for layer in layers}
    if changes.system:
        put(MediaType.SYSTEM, changes.system.encode())
    for text in changes.licenses:
        put(MediaType.LICENSE, text.encode(), replaces=False)
    if changes.parameters:
        parameters: dict[str, object] = {}
        for layer in manifest.of_type(MediaType.PARAMETERS):
            parameters |= _read(models, layer, dict[str, object])
        put(MediaType.PARAMETERS, encode(dict(sorted((parameters | {**changes.parameters}).items()))))
    if changes.messages:
        put(MediaType.MESSAGES, encode(changes.messages))
    for layer in layers:
        progress(
            f"{'using existing' if layer.digest in before else 'creating new'} layer {layer.digest}",
            None,
            None,
        )
    config = _read(models, manifest.config, dict[str, object])
    config["rootfs"] = {"type": "layers", "diff_ids": [layer.digest for layer in layers]}
    content = encode(config)
    written.add(blob_name(digest_of(content)))
    return manifest_content(write_layer(models, MediaType.CONFIG, content), layers)


def _read(models: Path, layer: Layer, kind: type[T]) -> T:
    content = read_small(blob_path(models, layer.digest))
    return decode(content, kind, f"The layer {layer.digest}")
