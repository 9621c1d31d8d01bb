"""Folders of models in Ollama's layout: where they are, and where things are in them. Blocking, for threads.

A folder has ``manifests/<host>/<namespace>/<model>/<tag>`` and ``blobs/sha256-<digest>``.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from llmstack_tui.base import paths
from llmstack_tui.base.kinds import HostKind
from llmstack_tui.library.manifest import (
    MAX_MANIFEST_BYTES,
    InvalidManifest,
    Manifest,
    bare_digest,
    blob_name,
    is_made_locally,
    parse_manifest,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from llmstack_tui.base.names import ModelName
    from llmstack_tui.library.manifest import Layer


class ManifestOnDisk(NamedTuple):
    """A model's manifest, whether ``create`` wrote it, and the folder of models that it is in."""

    manifest: Manifest
    made_here: bool
    folder: Path


def ollama_models_folders(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Where an Ollama on this machine may keep models, as far as this user may look."""
    places = [environ.get("OLLAMA_MODELS", "").strip(" \"'")]
    home = environ.get("HOME") or environ.get("USERPROFILE")
    if home:
        places.append(os.path.join(home, ".ollama", "models"))  # noqa: PTH118 (joined before it is known to be a path)
    if os.name == "posix":
        # The home of the user that Ollama's installer for Linux makes.
        places.append("/usr/share/ollama/.ollama/models")
    folders = dict.fromkeys(Path(place) for place in places if place)
    return tuple(folder for folder in folders if os.access(manifests_folder(folder), os.R_OK | os.X_OK))


def model_folders(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """The folders of models on this machine that may be read: the built-in engine's, then Ollama's."""
    found = ollama_models_folders(environ)
    with suppress(paths.NoHome):
        found = (paths.models_folder(), *found)
    return found


def manifests_folder(models: Path) -> Path:
    return models / "manifests"


def blobs_folder(models: Path) -> Path:
    return models / "blobs"


def manifest_path(models: Path, name: ModelName) -> Path:
    return manifests_folder(models).joinpath(*name.path_parts)


def blob_path(models: Path, digest: str) -> Path:
    """Where the blob is. Raises InvalidManifest as `blob_name` does."""
    return blobs_folder(models) / blob_name(digest)


def is_whole(path: Path, size: int) -> bool:
    """Whether there is a blob, all of it as far as its size shows."""
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False


def has_blob(models: Path, layer: Layer) -> bool:
    """As `is_whole`. Raises InvalidManifest as `blob_name` does."""
    return is_whole(blob_path(models, layer.digest), layer.size)


def read_small(path: Path) -> bytes:
    """A manifest, or a blob that is a text.

    Raises:
        InvalidManifest: if it is too large to be one.
        OSError: if it cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(MAX_MANIFEST_BYTES + 1)
    if len(content) > MAX_MANIFEST_BYTES:
        raise InvalidManifest(f"{path} is larger than any text of a model.")
    return content


def read_manifest(folders: Sequence[Path], name: ModelName, digest: str) -> ManifestOnDisk | None:
    """The manifest of this digest; None where there is none.

    It counts only when its digest is the one that a host lists: so a folder of this machine never speaks for
    a server that is elsewhere (in a container, behind a tunnel), unless both have the same version.
    """
    for folder in folders:
        with suppress(OSError, InvalidManifest):
            content = read_small(manifest_path(folder, name))
            manifest = parse_manifest(content)
            if manifest.digest == digest:
                return ManifestOnDisk(manifest, is_made_locally(content, manifest), folder)
    return None


def blobs_of_host(
    folders: Sequence[Path], kind: HostKind | None, name: ModelName, digest: str, layers: Iterable[Layer]
) -> frozenset[str] | None:
    """As `blobs_there`, of the folder that a server of this machine has the model in; None where unknown.

    Args:
        folders: as of `model_folders`. The engine reads all of them, an Ollama never the first one, even if
            the same model is in both.
        kind: of the server; None when it did not tell yet.
    """
    if kind is None:
        return None
    found = read_manifest(folders if kind is HostKind.BUILTIN else folders[1:], name, digest)
    return None if found is None else blobs_there(found.folder, layers)


def blobs_there(folder: Path, layers: Iterable[Layer]) -> frozenset[str]:
    """The digests, bare, of those layers that the folder has whole."""
    found = set[str]()
    for layer in layers:
        with suppress(OSError, InvalidManifest):
            if has_blob(folder, layer):
                found.add(bare_digest(layer.digest))
    return frozenset(found)
