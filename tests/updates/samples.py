"""Manifests and copies of a model, as registries send them and as disks have them."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from llmstack_tui.base.structs import replace
from llmstack_tui.library.manifest import Manifest, manifest_content, parse_manifest
from llmstack_tui.updates.rules import Copy, RegistryAnswer

PULLED_AT = datetime(2026, 3, 1, 12, 0, 0, 700_000, tzinfo=UTC)
PUSHED_BEFORE = datetime(2026, 2, 1, tzinfo=UTC)
PUSHED_AFTER = datetime(2026, 4, 1, tzinfo=UTC)
CHECKED_AT = datetime(2026, 5, 1, tzinfo=UTC)
SIZES = {"model": 4_000_000_000, "template": 300, "params": 77, "license": 11_000, "system": 40}


def digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def layer(kind: str, text: str, **more: Any) -> dict[str, Any]:
    return {
        "mediaType": f"application/vnd.ollama.image.{kind}",
        "digest": digest(text),
        "size": SIZES.get(kind, 500),
        **more,
    }


def sent(**layers: str) -> bytes:
    """The bytes of a manifest with these layers, in an order that is not Go's: by kind, what is in each."""
    config = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 480}
    config["digest"] = digest(layers.pop("config", repr(sorted(layers.items()))))
    document = {
        "layers": [layer(kind, text) for kind, text in layers.items()],
        "config": config,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "schemaVersion": 2,
    }
    return json.dumps(document).encode()


def answer(content: bytes, **changes: Any) -> RegistryAnswer:
    manifest = parse_manifest(content)
    values = {"pushed_at": PUSHED_BEFORE, "checked_at": CHECKED_AT, **changes}
    return RegistryAnswer(digest=manifest.digest, manifest=manifest, **values)


def copy(digest: str, **changes: Any) -> Copy:
    """A copy of which only the digest and its time are known."""
    values = {"modified_at": PULLED_AT, **changes}
    return Copy(host="http://127.0.0.1:11434", name="tiny:latest", digest=digest, **values)


def on_disk(content: bytes, **changes: Any) -> Copy:
    """A copy whose manifest may be read."""
    manifest = parse_manifest(content)
    return copy(manifest.digest, manifest=manifest, **changes)


def rewritten(content: bytes, *, end: bytes = b"", source: str = "") -> bytes:
    """As Go writes the manifest anew."""
    manifest: Manifest = parse_manifest(content)
    layers = tuple(replace(each, source=source) for each in manifest.layers)
    return manifest_content(manifest.config, layers).removesuffix(b"\n") + end
