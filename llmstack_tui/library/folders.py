"""What the disk tells of installed models, where it may be read. Blocking, and meant for threads.

A manifest counts only when its digest is the one that the host lists: so a folder of this machine never
speaks for a server that is elsewhere (a container, a tunnel), unless both have the same model.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from llmstack_tui.base import paths
from llmstack_tui.base.kinds import HostKind
from llmstack_tui.library import manifest as layout
from llmstack_tui.library.ollama_folders import ollama_models_folders
from llmstack_tui.library.published import InvalidManifest, Manifest, is_made_locally, parse_manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from llmstack_tui.base.names import ModelName
    from llmstack_tui.library.published import Layer


class OnDisk(NamedTuple):
    """A model's manifest, whether ``create`` wrote it, and the folder of models that it is in."""

    manifest: Manifest
    made_here: bool
    folder: Path


def model_folders(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """The folders of models on this machine that may be read: the built-in engine's, then Ollama's."""
    found = ollama_models_folders(environ)
    with suppress(paths.NoHome):
        found = (paths.models_folder(), *found)
    return found


def read_manifest(places: Sequence[Path], name: ModelName, digest: str) -> OnDisk | None:
    """The manifest of this digest; None where there is none."""
    for folder in places:
        with suppress(OSError, InvalidManifest, layout.InvalidManifest):
            content = layout.read_small(layout.manifest_path(folder, name))
            manifest = parse_manifest(content)
            if manifest.digest == digest:
                return OnDisk(manifest, is_made_locally(content, manifest), folder)
    return None


def blobs_of_host(
    places: Sequence[Path], kind: HostKind | None, name: ModelName, digest: str, layers: Iterable[Layer]
) -> frozenset[str] | None:
    """As `blobs_there`, of the folder that a server of this machine has the model in; None where that is
    not known.

    Args:
        places: as of `model_folders`. The engine reads all of them, an Ollama never the first one, even if
            the same model is in both.
        kind: of the server; None when it did not tell yet.
    """
    if kind is None:
        return None
    found = read_manifest(places if kind is HostKind.BUILTIN else places[1:], name, digest)
    return None if found is None else blobs_there(found.folder, layers)


def blobs_there(folder: Path, layers: Iterable[Layer]) -> frozenset[str]:
    """The digests, bare, of those layers that the folder has whole."""
    found = set[str]()
    for layer in layers:
        with suppress(OSError, layout.InvalidManifest):
            if layout.blob_path(folder, layer.digest).stat().st_size == layer.size:
                found.add(layer.digest.lower()[len("sha256:") :])
    return frozenset(found)
