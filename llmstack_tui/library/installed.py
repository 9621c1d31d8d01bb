"""One model on disk: what its manifest and the layers beside its weights say."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmstack_tui.gguf.header import read_header
from llmstack_tui.library.folders import blob_path, manifest_path, read_small
from llmstack_tui.library.manifest import (
    ConfigLayer,
    InvalidManifest,
    Layer,
    Manifest,
    MediaType,
    T,
    bare_digest,
    decode,
    parse_manifest,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from llmstack_tui.base.names import ModelName
    from llmstack_tui.gguf.header import Header


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledModel:
    """A model that llama.cpp may run.

    Attributes:
        digest: hexadecimal sha256 of the manifest, without a prefix.
        size: bytes of all layers.
        weights_digest: ``sha256:`` and the hexadecimal digest of the weights' blob.
        template: the Go template of Ollama's template layer.
        parameters: options that hold unless a request says otherwise.
        messages: the conversation that comes before every chat, each with ``role`` and ``content``.
        read_only: whether it lies in somebody else's folder, where nothing may be changed.
    """

    name: ModelName
    digest: str
    size: int
    modified_at: datetime
    weights: Path
    weights_digest: str
    config: ConfigLayer
    projectors: tuple[Path, ...] = ()
    adapters: tuple[Path, ...] = ()
    template: str | None = None
    system: str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    messages: tuple[Mapping[str, object], ...] = ()
    license: str = ""
    read_only: bool = False
    _reader: Callable[[Path], Header] = field(default=read_header, repr=False, compare=False)

    def header(self) -> Header:
        """The header of the weights.

        Raises:
            InvalidGGUF: if the weights are broken or gone.
        """
        return self._reader(self.weights)


class NotForUs(InvalidManifest):
    """A valid manifest of a model that llama.cpp cannot run: in the cloud, or of another format."""


def load_installed(
    models: Path, name: ModelName, *, read_only: bool, reader: Callable[[Path], Header] = read_header
) -> InstalledModel:
    """The model ``name`` of the folder ``models``.

    Raises:
        InvalidManifest: if the manifest is broken, or a layer is missing.
        NotForUs: if it is no GGUF model.
        OSError: if a file cannot be read.
    """
    path = manifest_path(models, name)
    content = read_small(path)
    manifest = parse_manifest(content)
    config = decode(_blob(models, manifest.config), ConfigLayer, "The config layer")
    weights = manifest.of_type(MediaType.MODEL)
    if config.remote_host or config.model_format not in {"", "gguf"} or not weights:
        raise NotForUs(f"{name} is no GGUF model on this machine.")
    paths = {layer.digest: blob_path(models, layer.digest) for layer in manifest.blobs}
    for layer in weights:
        _check_blob(paths[layer.digest], layer)
    return InstalledModel(
        name=name,
        digest=manifest.digest,
        size=manifest.size,
        modified_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
        weights=paths[weights[0].digest],
        weights_digest=f"sha256:{bare_digest(weights[0].digest)}",
        config=config,
        projectors=tuple(paths[layer.digest] for layer in manifest.of_type(MediaType.PROJECTOR)),
        adapters=tuple(paths[layer.digest] for layer in manifest.of_type(MediaType.ADAPTER)),
        template=_text(models, manifest, MediaType.TEMPLATE),
        system=_text(models, manifest, MediaType.SYSTEM),
        parameters=_json(models, manifest, MediaType.PARAMETERS, dict[str, object]) or {},
        messages=tuple(_json(models, manifest, MediaType.MESSAGES, list[dict[str, object]]) or ()),
        license=_text(models, manifest, MediaType.LICENSE) or "",
        read_only=read_only,
        _reader=reader,
    )


def _check_blob(path: Path, layer: Layer) -> None:
    size = path.stat().st_size
    if size != layer.size:
        raise InvalidManifest(f"{path} has {size:,} bytes, not the {layer.size:,} of its manifest.")
    if not os.access(path, os.R_OK):
        raise InvalidManifest(f"{path} may not be read by this user.")


def _blob(models: Path, layer: Layer) -> bytes:
    return read_small(blob_path(models, layer.digest))


def _text(models: Path, manifest: Manifest, media_type: str) -> str | None:
    texts = [_blob(models, layer).decode("utf-8", "replace") for layer in manifest.of_type(media_type)]
    return "\n".join(texts) if texts else None


def _json(models: Path, manifest: Manifest, media_type: str, kind: type[T]) -> T | None:
    layers = manifest.of_type(media_type)
    return decode(_blob(models, layers[-1]), kind, f"The layer {layers[-1].digest}") if layers else None
