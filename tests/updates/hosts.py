"""Hosts with models, without servers: what they list, and what they show of a model when asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmstack_tui.hosts.errors import Unreachable
from llmstack_tui.hosts.types import Model, ModelDetails

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.registry.published import Version

HOST = "http://127.0.0.1:11434"
BOX = "http://gpu-box:11434"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def model(name: str, digest: str, **more: object) -> Model:
    values: dict[str, object] = {"modified_at": LONG_AGO, **more}
    return Model(name=name, digest=digest, **values)  # type: ignore[arg-type]


class Shows:
    """`ModelDetails` by model, and who was asked."""

    def __init__(self, **details: ModelDetails) -> None:
        self.details = details
        self.asked: list[tuple[str, str]] = []

    async def __call__(self, host: str, name: str) -> ModelDetails:
        self.asked.append((host, name))
        for part, details in self.details.items():
            if part in name:
                return details
        raise Unreachable("quoted", text="Nobody is there.", host=host)


def put(folder: Path, name: str, manifest: bytes, version: Version | None = None) -> None:
    """A manifest, and the blobs of a version, in Ollama's layout; ``name`` as a server lists it."""
    place, _, tag = name.rpartition(":")
    path = folder / "manifests" / place / tag
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(manifest)
    (folder / "blobs").mkdir(exist_ok=True)
    for layer in version.layers if version else ():
        assert isinstance(layer.content, bytes)
        (folder / "blobs" / layer.digest.replace(":", "-")).write_bytes(layer.content)
