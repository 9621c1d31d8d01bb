"""A manifest: the JSON that lists the parts of one version of a model. Pure.

It names a config and layers by their digests (``manifest/manifest.go`` and ``types/model/config.go`` of
Ollama). A digest is checked before it becomes a path.

One content can have several digests. Since 0.19, Ollama keeps the bytes that the registry sent, and lists
their sha256 as the model's digest. Older versions encoded the JSON again, in Go's field order and without
fields that they did not know. Models made locally are still encoded so, with a newline at the end, and with
``from`` in each layer that came from another model. `reencoded` gives the digests of all these forms.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime  # noqa: TC003 (msgspec reads the annotations of what is kept as JSON)
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar, get_origin

import msgspec
from msgspec import Struct, field

from llmstack_tui.base.sentences import Failure
from llmstack_tui.base.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")

# The longest manifest seen has a few kilobytes; the longest text of a model, a licence, some 60.
MAX_TEXT_BYTES = 4 * 2**20
BLOB_NAME = re.compile(r"sha256-[0-9a-f]{64}")
_NO_SIZE = 2**63
_MOST_OBJECTS = 10_000
_DIGEST = re.compile(r"sha256[:-]([0-9a-fA-F]{64})")
# Go's encoder writes these as escapes, for the sake of browsers.
_ESCAPED_BY_GO = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


class MediaType(StrEnum):
    """The type of a blob, or of a manifest."""

    MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
    CONFIG = "application/vnd.docker.container.image.v1+json"
    MODEL = "application/vnd.ollama.image.model"
    PROJECTOR = "application/vnd.ollama.image.projector"
    ADAPTER = "application/vnd.ollama.image.adapter"
    TEMPLATE = "application/vnd.ollama.image.template"
    PROMPT = "application/vnd.ollama.image.prompt"
    SYSTEM = "application/vnd.ollama.image.system"
    PARAMETERS = "application/vnd.ollama.image.params"
    MESSAGES = "application/vnd.ollama.image.messages"
    LICENSE = "application/vnd.ollama.image.license"


# Those whose blobs are large files; all others of a `MediaType` are texts.
FILES = frozenset({MediaType.MODEL, MediaType.PROJECTOR, MediaType.ADAPTER})


class InvalidManifest(Failure):
    """A manifest, or a blob that it names, is invalid."""


class Layer(Struct, frozen=True, kw_only=True):
    """A blob. ``digest`` begins with ``sha256:``, ``size`` is bytes, ``source`` the model it came from."""

    media_type: str
    digest: str
    size: int
    source: str = ""

    @property
    def short(self) -> str:
        """The beginning of the digest, by which Ollama's messages name a layer."""
        return bare_digest(self.digest)[:12]

    @property
    def kind(self) -> str:
        """The media type as in a sentence: "params", "config"; that of another tool as it is."""
        if self.media_type == MediaType.CONFIG:
            return "config"
        return self.media_type.removeprefix("application/vnd.ollama.image.")

    @property
    def label(self) -> str:
        """Its kind and the beginning of its digest, such as "params 0123456789ab"."""
        return f"{self.kind} {self.short}"


class Manifest(Struct, frozen=True, kw_only=True):
    """One version of a model.

    Attributes:
        digest: hexadecimal sha256 of its bytes, without a prefix, as hosts list it.
        pushed_at: when it was pushed to the registry, if the registry says so.
    """

    digest: str
    layers: tuple[Layer, ...]
    config: Layer
    pushed_at: datetime | None = None
    schema_version: int = 2
    media_type: str = MediaType.MANIFEST

    @property
    def blobs(self) -> tuple[Layer, ...]:
        """Everything that a complete model has on the disk."""
        return (*self.layers, self.config)

    @property
    def size(self) -> int:
        """Bytes of all blobs. As in Ollama, a blob that two layers share counts twice."""
        return sum(layer.size for layer in self.blobs)

    def of_type(self, media_type: str) -> tuple[Layer, ...]:
        return tuple(layer for layer in self.layers if layer.media_type == media_type)


class ConfigLayer(Struct, kw_only=True, frozen=True):
    """The properties of a model; for a cloud model, also where it runs.

    ``own_template``: it was made here with that template, which answers whatever the file has. (Ours alone.)
    ``renderer``, ``parser`` and ``requires`` are only Ollama's: what it makes prompts with, and its version.
    """

    model_format: str = ""
    model_family: str = ""
    model_families: tuple[str, ...] | None = None
    model_type: str = ""
    file_type: str = ""
    remote_host: str = ""
    remote_model: str = ""
    capabilities: tuple[str, ...] | None = None
    context_length: int | None = None
    embedding_length: int | None = None
    own_template: bool = False
    renderer: str = ""
    parser: str = ""
    requires: str = ""


class _WireLayer(Struct, kw_only=True):
    media_type: str = field(name="mediaType", default="")
    digest: str = ""
    size: int = 0
    source: str = field(name="from", default="")


class _WireManifest(Struct, kw_only=True):
    schema_version: int = field(name="schemaVersion", default=0)
    media_type: str = field(name="mediaType", default="")
    config: _WireLayer | None = None
    layers: list[_WireLayer] | None = None


def parse_manifest(content: bytes, *, pushed_at: datetime | None = None) -> Manifest:
    """Parse a manifest. That of a cloud model has no layers. Every digest in it is safe as a file name.

    Raises:
        InvalidManifest: ``content`` is not a manifest.
    """
    if content.count(b"{") > _MOST_OBJECTS:  # Counted first: a layer takes far more memory than its text.
        raise InvalidManifest("library.too_many_layers")
    wire = decode(content, _WireManifest)
    if wire.config is None:
        raise InvalidManifest("library.no_config")
    return Manifest(
        digest=hashlib.sha256(content).hexdigest(),
        layers=tuple(map(_layer, wire.layers or ())),
        config=_layer(wire.config),
        pushed_at=pushed_at,
        schema_version=wire.schema_version,
        media_type=wire.media_type,
    )


def reencoded(manifest: Manifest) -> frozenset[str]:
    """The digests that Ollamas before 0.19, and copies made locally, have for this content."""
    plain = replace(manifest, layers=tuple(replace(layer, source="") for layer in manifest.layers))
    texts = {_as_go_writes(each) for each in (manifest, plain)}
    return frozenset(hashlib.sha256(text + end).hexdigest() for text in texts for end in (b"", b"\n"))


def is_made_locally(content: bytes, manifest: Manifest) -> bool:
    """Whether the bytes of a manifest on disk are those of ``ollama create``, and not of a pull."""
    return content == _as_go_writes(manifest) + b"\n"


def manifest_content(config: Layer, layers: Iterable[Layer]) -> bytes:
    """The bytes of the manifest of a model that is made locally."""
    return _as_go_writes(Manifest(digest="", config=config, layers=tuple(layers))) + b"\n"


def blob_name(digest: str) -> str:
    """The name of a blob's file.

    Raises:
        InvalidManifest: ``digest`` is malformed, and could name any file.
    """
    match = _DIGEST.fullmatch(digest)
    if match is None:
        raise InvalidManifest("library.no_digest", digest=digest)
    return f"sha256-{match[1].lower()}"


def digest_of(content: bytes) -> str:
    """``sha256:`` and the hexadecimal digest, the form in layers."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def bare_digest(digest: str) -> str:
    """The hexadecimal digits of a digest in any form, for comparisons."""
    return digest.lower().removeprefix("sha256:").removeprefix("sha256-")


def encode(value: object) -> bytes:
    """Encode JSON as Ollama does in layers, with a newline at the end."""
    return msgspec.json.encode(value) + b"\n"


def decode(content: bytes, kind: type[T], layer: Layer | None = None) -> T:
    """Decode the JSON of a layer, or of a manifest. As in Go, null is no field, and an empty layer.

    Raises:
        InvalidManifest: it is not JSON, or not of the type ``kind``.
    """
    try:
        try:
            return msgspec.json.decode(content, type=kind)
        except msgspec.ValidationError:
            if b"null" not in content:
                raise
            value = _without_nulls(msgspec.json.decode(content))
            if value is None and layer is not None:
                value = [] if get_origin(kind) in (list, tuple) else {}
            return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        if layer is None:
            raise InvalidManifest("library.bad_manifest", why=str(error)) from None
        raise InvalidManifest("library.bad_layer", layer=layer.label, why=str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if layer is None:
            raise InvalidManifest("library.manifest_not_json") from None
        raise InvalidManifest("library.layer_not_json", layer=layer.label) from None


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def _layer(wire: _WireLayer) -> Layer:
    blob_name(wire.digest)
    if wire.size < 0:
        raise InvalidManifest("library.negative_size")
    if wire.size >= _NO_SIZE:
        raise InvalidManifest("library.too_large_size")
    return Layer(media_type=wire.media_type, digest=wire.digest, size=wire.size, source=wire.source)


def _as_go_writes(manifest: Manifest) -> bytes:
    """The JSON that Go writes: in its field order, without spaces, without an empty ``from``."""
    document = {
        "schemaVersion": manifest.schema_version,
        "mediaType": manifest.media_type,
        "config": _document(manifest.config),
        "layers": [_document(layer) for layer in manifest.layers],
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.translate(_ESCAPED_BY_GO).encode("utf-8", "replace")


def _document(layer: Layer) -> dict[str, object]:
    source = {"from": layer.source} if layer.source else {}
    return {"mediaType": layer.media_type, "digest": layer.digest, "size": layer.size, **source}
