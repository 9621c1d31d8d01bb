"""Models folders as Ollama writes them, made by hand."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CONFIG = {
    "model_format": "gguf",
    "model_family": "llama",
    "model_families": ["llama"],
    "model_type": "1.2B",
    "file_type": "Q8_0",
    "architecture": "amd64",
    "os": "linux",
    "rootfs": {"type": "layers", "diff_ids": []},
}


def blob(folder: Path, content: bytes) -> dict[str, object]:
    """Write a blob; answers what a manifest says of it, without the media type."""
    digest = hashlib.sha256(content).hexdigest()
    (folder / "blobs").mkdir(parents=True, exist_ok=True)
    (folder / "blobs" / f"sha256-{digest}").write_bytes(content)
    return {"digest": f"sha256:{digest}", "size": len(content)}


def layer(folder: Path, kind: str, content: bytes) -> dict[str, object]:
    return {"mediaType": f"application/vnd.ollama.image.{kind}", **blob(folder, content)}


def manifest(
    folder: Path, weights: bytes, *more: dict[str, object], config: Mapping[str, object] | bytes = CONFIG
) -> dict[str, object]:
    content = config if isinstance(config, bytes) else json.dumps(config).encode()
    media_type = "application/vnd.docker.container.image.v1+json"
    return {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"mediaType": media_type, **blob(folder, content)},
        "layers": [layer(folder, "model", weights), *more],
    }


def write(folder: Path, name: str, content: object) -> Path:
    """Write a manifest under ``host/namespace/model/tag``; bytes are written as they are."""
    path = folder / "manifests" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def tree(folder: Path) -> dict[str, tuple[bytes, float]]:
    """All files below ``folder``, with their content and time."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".lock"))
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime) for path in files}
