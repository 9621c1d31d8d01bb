"""A version of a model as a registry has it."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
_IMAGE = "application/vnd.ollama.image."

CONFIG: Mapping[str, object] = {
    "model_format": "gguf",
    "model_family": "llama",
    "model_families": ["llama"],
    "model_type": "1.2B",
    "file_type": "F16",
    "architecture": "amd64",
    "os": "linux",
}


@dataclass(frozen=True)
class Layer:
    """``kind`` is ``config``, or the last part of the media type: ``model``, ``template``, ``params``, …"""

    kind: str
    content: bytes | Path

    @property
    def size(self) -> int:
        return self.content.stat().st_size if isinstance(self.content, Path) else len(self.content)

    @property
    def digest(self) -> str:
        if isinstance(self.content, bytes):
            return f"sha256:{hashlib.sha256(self.content).hexdigest()}"
        with self.content.open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


@dataclass(frozen=True)
class Version:
    """What a tag points to.

    Attributes:
        manifest: the bytes as they are sent.
        layers: the weights first, the config last.
        pushed_at_s: Unix seconds.
    """

    manifest: bytes
    layers: tuple[Layer, ...] = ()
    pushed_at_s: int = 0

    @property
    def digest(self) -> str:
        """Hexadecimal, without ``sha256:``, as ``/api/tags`` lists it."""
        return hashlib.sha256(self.manifest).hexdigest()

    def layer(self, kind: str) -> Layer:
        return next(layer for layer in self.layers if layer.kind == kind)

    @property
    def weights(self) -> Layer:
        return self.layer("model")

    @property
    def size(self) -> int:
        """Bytes of all layers."""
        return sum(layer.size for layer in self.layers)


def version(
    weights: bytes | Path,
    *,
    template: str | None = None,
    system: str | None = None,
    parameters: Mapping[str, object] | None = None,
    licenses: Sequence[str] = (),
    config: Mapping[str, object] = CONFIG,
    pushed_at_s: int | None = None,
) -> Version:
    layers = [Layer("model", weights)]
    if template is not None:
        layers.append(Layer("template", template.encode()))
    if system is not None:
        layers.append(Layer("system", system.encode()))
    if parameters is not None:
        layers.append(Layer("params", json.dumps(parameters).encode()))
    layers += [Layer("license", text.encode()) for text in licenses]
    of_layers = [described(layer) for layer in layers]
    root = {"type": "layers", "diff_ids": [layer["digest"] for layer in of_layers]}
    layers.append(Layer("config", json.dumps({**config, "rootfs": root}).encode()))
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": described(layers[-1]),
        "layers": of_layers,
    }
    pushed = int(time.time()) if pushed_at_s is None else pushed_at_s
    # Compact, in this order, without an end of line: what Ollama's registry sends.
    return Version(json.dumps(manifest, separators=(",", ":")).encode(), tuple(layers), pushed)


def described(layer: Layer) -> dict[str, object]:
    """What a manifest says of a layer."""
    media_type = CONFIG_TYPE if layer.kind == "config" else _IMAGE + layer.kind
    return {"mediaType": media_type, "digest": layer.digest, "size": layer.size}
