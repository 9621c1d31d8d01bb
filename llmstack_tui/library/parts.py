"""A model of this machine as the files and texts that it is made of. Blocking, for use in threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.hosts.types import ModelFile, ModelParts
from llmstack_tui.library.folders import blob_path, read_manifest
from llmstack_tui.library.installed import check_blob, check_parts, read_texts
from llmstack_tui.library.manifest import MediaType, bare_digest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from llmstack_tui.base.names import ModelName
    from llmstack_tui.library.manifest import Manifest


def model_parts(folders: Sequence[Path], name: ModelName, digest: str) -> ModelParts | None:
    """The parts of the version that has this digest, from whichever folder has it; None if none does.

    A manifest's digest vouches for all: what has the same is the same, whatever server it is listed by.

    Raises:
        InvalidManifest: the model is damaged, or not one of GGUF files.
        OSError: a file cannot be read.
    """
    found = read_manifest(folders, name, digest)
    if found is None:
        return None
    manifest, _, folder = found
    texts = read_texts(folder, manifest)
    check_parts(manifest)
    weights, projectors, adapters = (
        _files(folder, manifest, kind) for kind in (MediaType.MODEL, MediaType.PROJECTOR, MediaType.ADAPTER)
    )
    return ModelParts(
        files=(*weights, *projectors),
        adapters=adapters,
        template=texts.template or "",
        system=texts.system or "",
        parameters=texts.parameters,
        messages=texts.messages,
        licenses=texts.licenses,
        renderer=texts.config.renderer,
        parser=texts.config.parser,
        requires=texts.config.requires,
    )


def _files(folder: Path, manifest: Manifest, media_type: str) -> tuple[ModelFile, ...]:
    layers = manifest.of_type(media_type)
    for layer in layers:
        check_blob(blob_path(folder, layer.digest), layer)
    return tuple(
        ModelFile(blob_path(folder, layer.digest), f"sha256:{bare_digest(layer.digest)}", layer.size)
        for layer in layers
    )
