"""A folder in Ollama's layout: ``manifests/<host>/<namespace>/<model>/<tag>`` and ``blobs/sha256-<digest>``.

A manifest is JSON that names a config and layers by their digests (``manifest/manifest.go`` and
``types/model/config.go`` of Ollama). What a manifest says is checked before it becomes a path.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct, field

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.base.names import ModelName

T = TypeVar("T")

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.ollama.image."
MODEL, PROJECTOR, ADAPTER = f"{_LAYER}model", f"{_LAYER}projector", f"{_LAYER}adapter"
TEMPLATE, SYSTEM, PARAMETERS = f"{_LAYER}template", f"{_LAYER}system", f"{_LAYER}params"
MESSAGES, LICENSE = f"{_LAYER}messages", f"{_LAYER}license"

# A manifest takes a kilobyte; the longest of the texts, a licence, some 60.
_MAX_TEXT = 4 * 1024**2
_DIGEST = re.compile(r"sha256[:-]([0-9a-fA-F]{64})")
UNFINISHED = ".unfinished-"


class InvalidManifest(ValueError):
    """A manifest, or something that it names, is not as it has to be."""


class Layer(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A blob: ``digest`` is ``sha256:`` and 64 hexadecimal digits, ``size`` its bytes."""

    media_type: str = field(name="mediaType")
    digest: str
    size: int


class Manifest(Struct, kw_only=True, frozen=True):
    """The field order is Ollama's, which is what the digest of a manifest depends on."""

    schema_version: int = field(name="schemaVersion", default=2)
    media_type: str = field(name="mediaType", default=MANIFEST_TYPE)
    config: Layer
    layers: tuple[Layer, ...]

    @property
    def blobs(self) -> tuple[Layer, ...]:
        return (*self.layers, self.config)

    @property
    def size(self) -> int:
        """Bytes of all blobs, one that two layers share counted twice, as Ollama counts."""
        return sum(layer.size for layer in self.blobs)

    def of_type(self, media_type: str) -> tuple[Layer, ...]:
        return tuple(layer for layer in self.layers if layer.media_type == media_type)


class ConfigLayer(Struct, kw_only=True, frozen=True):
    """What a model is; of a cloud model, where it runs."""

    model_format: str = ""
    model_family: str = ""
    model_families: tuple[str, ...] | None = None
    model_type: str = ""
    file_type: str = ""
    renderer: str = ""
    parser: str = ""
    remote_host: str = ""
    remote_model: str = ""
    capabilities: tuple[str, ...] | None = None
    context_length: int | None = None
    embedding_length: int | None = None


def manifests_folder(models: Path) -> Path:
    return models / "manifests"


def blobs_folder(models: Path) -> Path:
    return models / "blobs"


def manifest_path(models: Path, name: ModelName) -> Path:
    return manifests_folder(models).joinpath(*name.path_parts)


def blob_name(digest: str) -> str:
    """The name of a blob's file.

    Raises:
        InvalidManifest: if ``digest`` is none, and could name any file.
    """
    match = _DIGEST.fullmatch(digest)
    if match is None:
        raise InvalidManifest(f"{digest[:80]!r} is no sha256 digest.")
    return f"sha256-{match[1].lower()}"


def blob_path(models: Path, digest: str) -> Path:
    """Where the blob is. Raises InvalidManifest as `blob_name` does."""
    return blobs_folder(models) / blob_name(digest)


def is_whole(path: Path, size: int) -> bool:
    """Whether there is a blob, all of it as far as its size tells."""
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False


def decode(content: bytes, kind: type[T], what: str) -> T:
    """``content`` as JSON.

    Raises:
        InvalidManifest: if it is something else.
    """
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidManifest(f"{what} is not as Ollama writes it: {error}.") from None


def read_small(path: Path) -> bytes:
    """A manifest, or a blob that is a text.

    Raises:
        InvalidManifest: if it is too large to be one.
        OSError: if it cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(_MAX_TEXT + 1)
    if len(content) > _MAX_TEXT:
        raise InvalidManifest(f"{path} is larger than any text of a model.")
    return content


def decode_manifest(content: bytes) -> Manifest:
    """Raises InvalidManifest unless every digest in it may become a path and every size is one."""
    manifest = decode(content, Manifest, "The manifest")
    for layer in manifest.blobs:
        if layer.size < 0:
            raise InvalidManifest(f"The size of {blob_name(layer.digest)} is negative.")
    return manifest


def digest_of(content: bytes) -> str:
    """``sha256:`` and the hexadecimal digest, as layers are named."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def encode(value: object) -> bytes:
    """JSON as Ollama writes it into manifests and layers, which ends in a newline."""
    return msgspec.json.encode(value) + b"\n"


def write_whole(path: Path, content: bytes) -> None:
    """Have a file at ``path`` with all of ``content``, or none, or the one that was there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = unfinished_path(path.parent)
    try:
        with unfinished.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def unfinished_path(folder: Path) -> Path:
    """A new name in ``folder`` that no model can have. It tells when it was made."""
    return folder / f"{UNFINISHED}{int(time.time())}-{secrets.token_hex(8)}"


def remove_unfinished(models: Path, *, older_than_s: float) -> None:
    """Remove what processes left behind that were killed while they wrote."""
    for folder in (blobs_folder(models), manifests_folder(models)):
        for path in folder.rglob(f"{UNFINISHED}*"):
            with suppress(OSError, ValueError):
                made_at = int(path.name.removeprefix(UNFINISHED).partition("-")[0])
                # A linked file is as old as its original, a long copy is younger than its name.
                if time.time() - max(made_at, path.stat().st_mtime) > older_than_s:
                    path.unlink()
