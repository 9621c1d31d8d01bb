"""Models folders in Ollama's layout: where they are, and the paths in them. Blocking, for use in threads.

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
    BLOB_NAME,
    MAX_TEXT_BYTES,
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
    """The folders where an Ollama on this machine may keep models, if this user can read them."""
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
    """Whether the blob exists and has its full size."""
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False


def has_blob(models: Path, layer: Layer) -> bool:
    """As `is_whole`. Raises InvalidManifest as `blob_name` does."""
    return is_whole(blob_path(models, layer.digest), layer.size)


def is_blob_of(folders: Iterable[Path], path: Path) -> bool:
    """Whether the file is a blob of one of these models folders."""
    real = Path(os.path.realpath(path))
    places = {os.path.realpath(blobs_folder(folder)) for folder in folders}
    return bool(BLOB_NAME.fullmatch(real.name)) and str(real.parent) in places


def read_small(path: Path) -> bytes:
    """Read a manifest, or a blob of text.

    Raises:
        InvalidManifest: the file is too large for either.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(MAX_TEXT_BYTES + 1)
    if len(content) > MAX_TEXT_BYTES:
        raise InvalidManifest("library.file_too_long", path=str(path), limit=MAX_TEXT_BYTES)
    return content


def is_replaced(path: Path, content: bytes) -> bool:
    """Whether a manifest has other content by now: its blobs may have left with what was read before."""
    try:
        return read_small(path) != content
    except (OSError, InvalidManifest):
        return False


def read_manifest(folders: Sequence[Path], name: ModelName, digest: str) -> ManifestOnDisk | None:
    """The manifest of a model, if its digest is ``digest``; else None.

    ``digest`` is the one that a host lists. So a folder of this machine is never taken for that of a server
    elsewhere (in a container, behind a tunnel), unless both have the same version.
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
    """As `blobs_in`, for the folder from which a server of this machine reads the model; None if unknown.

    Args:
        folders: from `model_folders`. The engine reads all of them; an Ollama does not read the first, which
            is the engine's.
        kind: of the server; None if it is not known yet.
    """
    if kind is None:
        return None
    found = read_manifest(folders if kind is HostKind.BUILTIN else folders[1:], name, digest)
    return None if found is None else blobs_in(found.folder, layers)


def blobs_in(folder: Path, layers: Iterable[Layer]) -> frozenset[str]:
    """The bare digests of the layers whose blobs are in the folder, whole."""
    found = set[str]()
    for layer in layers:
        with suppress(OSError, InvalidManifest):
            if has_blob(folder, layer):
                found.add(bare_digest(layer.digest))
    return frozenset(found)
