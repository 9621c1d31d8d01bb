"""A model as its files on the disk say: read, or the reason why it cannot be used.

Who writes a model checks it by the same functions, before it replaces anything.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.durations import time_at
from llmstack_tui.base.sentences import Sentence, said
from llmstack_tui.gguf.header import Header, read_header
from llmstack_tui.library.errors import reason
from llmstack_tui.library.folders import blob_path, manifest_path, read_small
from llmstack_tui.library.manifest import (
    FILES,
    MAX_TEXT_BYTES,
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
    from datetime import datetime
    from pathlib import Path

    from llmstack_tui.base.names import ModelName
    from llmstack_tui.base.sentences import Sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledModel:
    """A model that llama.cpp may run.

    Attributes:
        digest: hexadecimal sha256 of the manifest, without a prefix.
        size: bytes of all layers.
        weights_digest: ``sha256:`` and the hexadecimal digest of the weights' blob.
        parent: the name of the model that it was made from; empty if it was made of a file, or pulled.
        template: that of Ollama's template layer: a Go template, or Jinja in a model made here.
        parameters: options that hold unless a request says otherwise.
        messages: the conversation that begins every chat; each has ``role`` and ``content``.
        read_only: whether it is in a folder of Ollama's, where nothing may be changed.
    """

    name: ModelName
    digest: str
    size: int
    modified_at: datetime
    weights: Path
    weights_digest: str
    config: ConfigLayer
    parent: str = ""
    projectors: tuple[Path, ...] = ()
    adapters: tuple[Path, ...] = ()
    template: str | None = None
    system: str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    messages: tuple[Mapping[str, object], ...] = ()
    licenses: tuple[str, ...] = ()
    read_only: bool = False
    _reader: Callable[[Path], Header] = field(default=read_header, repr=False, compare=False)

    @property
    def license(self) -> str:
        return "\n".join(self.licenses)

    def __str__(self) -> str:
        return str(self.name)  # For logs: it has texts that nobody else should read.

    def header(self) -> Header:
        """The header of the weights.

        Raises:
            InvalidGGUF: if the weights are broken or gone.
        """
        return self._reader(self.weights)


class FaultyModel(Struct, frozen=True, kw_only=True):
    """A model that is in the folder and cannot be used. ``size`` is that of its manifest if that is broken.

    Attributes:
        digest: as in `InstalledModel`.
        fault: why it cannot be used.
    """

    name: ModelName
    digest: str
    size: int
    modified_at: datetime
    fault: Sentences


class NotRunnable(InvalidManifest):
    """A valid manifest of a model that llama.cpp cannot run: in the cloud, or of another format."""


class ModelTexts(Struct, frozen=True, kw_only=True):
    """What a model has beside its weights, as in `InstalledModel`."""

    config: ConfigLayer
    template: str | None
    system: str | None
    parameters: Mapping[str, object]
    messages: tuple[Mapping[str, object], ...]
    licenses: tuple[str, ...]


def check_parts(manifest: Manifest) -> None:
    """Whether the manifest names what a model needs, before any blob is there.

    Raises:
        InvalidManifest: a text is larger than one may be.
        NotRunnable: there are no weights.
    """
    for layer in manifest.blobs:
        if layer.media_type not in FILES and layer.media_type in set(MediaType):
            check_text(layer)
    if not manifest.of_type(MediaType.MODEL):
        kinds = tuple(dict.fromkeys(layer.kind for layer in manifest.layers))
        raise NotRunnable("library.no_weights" if kinds else "library.no_layers", kinds=kinds)


def check_text(layer: Layer) -> None:
    """Raise InvalidManifest if a text is larger than one may be."""
    if layer.size > MAX_TEXT_BYTES:
        raise InvalidManifest(
            "library.text_too_large", layer=layer.label, size=layer.size, limit=MAX_TEXT_BYTES
        )


def read_texts(models: Path, manifest: Manifest) -> ModelTexts:
    """The texts of a model, whose blobs are in the folder ``models``.

    Raises:
        InvalidManifest: one of them is not what it should be.
        NotRunnable: the model runs elsewhere, or its weights are of another format.
        OSError: a file cannot be read.
    """
    config = decode(_blob(models, manifest.config), ConfigLayer, manifest.config)
    if config.remote_host:
        raise NotRunnable("library.cloud")
    if config.model_format not in {"", "gguf"}:
        raise NotRunnable("library.other_format", format=config.model_format)
    return ModelTexts(
        config=config,
        # "prompt" is its older name.
        template=_text(models, manifest, MediaType.TEMPLATE) or _text(models, manifest, MediaType.PROMPT),
        system=_text(models, manifest, MediaType.SYSTEM),
        parameters=_json(models, manifest, MediaType.PARAMETERS, dict[str, object]) or {},
        messages=tuple(_json(models, manifest, MediaType.MESSAGES, list[dict[str, object]]) or ()),
        licenses=_texts(models, manifest, MediaType.LICENSE),
    )


def load_installed(
    models: Path,
    name: ModelName,
    *,
    read_only: bool,
    reader: Callable[[Path], Header] = read_header,
    manifest: Manifest | None = None,
) -> InstalledModel:
    """The model ``name`` of the folder ``models``; ``manifest`` is its manifest, if that is read already.

    Raises:
        InvalidManifest: the manifest is broken, or a layer is missing.
        NotRunnable: it is not a GGUF model.
        OSError: a file cannot be read.
    """
    path = manifest_path(models, name)
    manifest = manifest or parse_manifest(read_small(path))
    texts = read_texts(models, manifest)
    check_parts(manifest)
    paths = {layer.digest: blob_path(models, layer.digest) for layer in manifest.blobs}
    weights = manifest.of_type(MediaType.MODEL)
    for layer in weights:
        check_blob(paths[layer.digest], layer)
    return InstalledModel(
        name=name,
        digest=manifest.digest,
        size=manifest.size,
        modified_at=time_at(path.stat().st_mtime),
        weights=paths[weights[0].digest],
        weights_digest=f"sha256:{bare_digest(weights[0].digest)}",
        config=texts.config,
        parent=weights[0].source,
        projectors=tuple(paths[layer.digest] for layer in manifest.of_type(MediaType.PROJECTOR)),
        adapters=tuple(paths[layer.digest] for layer in manifest.of_type(MediaType.ADAPTER)),
        template=texts.template,
        system=texts.system,
        parameters=texts.parameters,
        messages=texts.messages,
        licenses=texts.licenses,
        read_only=read_only,
        _reader=reader,
    )


def fault_sentences(error: InvalidManifest | OSError) -> Sentences:
    """Why a model cannot be used, from the error of `load_installed`."""
    if isinstance(error, InvalidManifest):
        return said(error)
    if isinstance(error, FileNotFoundError):
        return (Sentence("library.parts_missing"),)
    return (reason(error),)


def check_blob(path: Path, layer: Layer) -> None:
    size = path.stat().st_size
    if size != layer.size:
        raise InvalidManifest("library.wrong_size", path=str(path), size=size, stated=layer.size)
    if not os.access(path, os.R_OK):
        raise InvalidManifest("library.not_readable", path=str(path))


def _blob(models: Path, layer: Layer) -> bytes:
    check_text(layer)
    return read_small(blob_path(models, layer.digest))


def _text(models: Path, manifest: Manifest, media_type: str) -> str | None:
    texts = _texts(models, manifest, media_type)
    return "\n".join(texts) if texts else None


def _texts(models: Path, manifest: Manifest, media_type: str) -> tuple[str, ...]:
    return tuple(_blob(models, layer).decode("utf-8", "replace") for layer in manifest.of_type(media_type))


def _json(models: Path, manifest: Manifest, media_type: str, kind: type[T]) -> T | None:
    layers = manifest.of_type(media_type)
    return decode(_blob(models, layers[-1]), kind, layers[-1]) if layers else None
