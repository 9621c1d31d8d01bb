"""A manifest: what a version of a model is made of. Pure.

Since 0.19 Ollama keeps the bytes that the registry sent, and lists their sha256 as the model's digest. Older
versions wrote the JSON anew, in Go's field order and without what they did not know; and models that are made
locally are written so with a newline at the end, each layer with the name that it is ``from`` where there is
one. So one content has several digests: `reencoded` gives them.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime  # noqa: TC003  # msgspec reads the annotations of what is kept as JSON

import msgspec
from msgspec import Struct, field

from llmstack_tui.base.structs import replace

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
# The longest that was seen takes a few kilobytes.
MAX_MANIFEST_BYTES = 4 * 2**20
_DIGEST = re.compile(r"sha256[:-][0-9a-fA-F]{64}")
# Go's encoder writes these as escapes, for the sake of browsers.
_ESCAPED_BY_GO = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


class InvalidManifest(ValueError):
    """Bytes that are no manifest of a model; ``str`` of it ends "it is not understood: …"."""


class Layer(Struct, frozen=True, kw_only=True):
    """A blob. ``digest`` begins with ``sha256:``, ``size`` is bytes, ``source`` the model it is from."""

    media_type: str
    digest: str
    size: int
    source: str = ""


class Manifest(Struct, frozen=True, kw_only=True):
    """One version of a model.

    Attributes:
        digest: hexadecimal sha256 of its bytes, without a prefix, as hosts list it.
        pushed_at: when the registry got it, as far as it says so.
    """

    digest: str
    layers: tuple[Layer, ...]
    config: Layer
    pushed_at: datetime | None = None
    schema_version: int = 2
    media_type: str = MANIFEST_TYPE

    @property
    def blobs(self) -> tuple[Layer, ...]:
        """Everything that is to be fetched."""
        return (*self.layers, self.config)


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
    """The manifest that these bytes are.

    Raises:
        InvalidManifest: when they are none. Every digest of what is returned may become the name of a file.
    """
    try:
        wire = msgspec.json.decode(content, type=_WireManifest)
    except msgspec.ValidationError as error:
        raise InvalidManifest(f"it has another form than a manifest ({error})") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        page = content.lstrip()[:1] == b"<"
        raise InvalidManifest("it is a web page" if page else "it is not JSON") from None
    if not wire.layers:
        raise InvalidManifest("it has no layers")
    if wire.config is None:
        raise InvalidManifest("it has no config")
    return Manifest(
        digest=hashlib.sha256(content).hexdigest(),
        layers=tuple(map(_layer, wire.layers)),
        config=_layer(wire.config),
        pushed_at=pushed_at,
        schema_version=wire.schema_version,
        media_type=wire.media_type,
    )


def reencoded(manifest: Manifest) -> frozenset[str]:
    """The digests that Ollamas before 0.19, and copies made locally, have for this content."""
    plain = replace(manifest, layers=tuple(replace(layer, source="") for layer in manifest.layers))
    texts = {encode(each) for each in (manifest, plain)}
    return frozenset(hashlib.sha256(text + end).hexdigest() for text in texts for end in (b"", b"\n"))


def is_made_locally(content: bytes, manifest: Manifest) -> bool:
    """Whether the bytes of a manifest on disk are those of ``ollama create``, and not of a pull."""
    return content == encode(manifest) + b"\n"


def encode(manifest: Manifest) -> bytes:
    """As Go writes it: its field order, no spaces, an empty ``from`` left out."""
    document = {
        "schemaVersion": manifest.schema_version,
        "mediaType": manifest.media_type,
        "config": _document(manifest.config),
        "layers": [_document(layer) for layer in manifest.layers],
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.translate(_ESCAPED_BY_GO).encode("utf-8", "replace")


def _layer(wire: _WireLayer) -> Layer:
    if not _DIGEST.fullmatch(wire.digest):
        raise InvalidManifest(f"{wire.digest[:80]!r} in it is no sha256 digest")
    if wire.size < 0:
        raise InvalidManifest("a size in it is negative")
    return Layer(media_type=wire.media_type, digest=wire.digest, size=wire.size, source=wire.source)


def _document(layer: Layer) -> dict[str, object]:
    source = {"from": layer.source} if layer.source else {}
    return {"mediaType": layer.media_type, "digest": layer.digest, "size": layer.size, **source}
