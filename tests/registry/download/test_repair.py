"""Blobs that are there already: believed, read again or fetched again; and what is never installed."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.names import ModelName
from llmstack_tui.library.library import Library, NotInstalled
from tests.registry.download.pulling import WEIGHTS, blobs, pulled, pulls_into, statuses, texts
from tests.support import folders
from tests.support.failures import fails
from tests.support.gguf.files import STRING, Llama
from tests.support.registry.published import CONFIG, Layer, Version, described

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.registry import Registry

# Too large to be read again at each pull.
LARGE = bytes(Llama()) + bytes(5 * 2**20)
VERIFYING = "verifying sha256 digest"


async def test_weights_are_read_again_only_if_they_changed(registry: Registry, tmp_path: Path) -> None:
    version = registry.publish("tiny", LARGE)
    weights = tmp_path / "blobs" / version.weights.digest.replace(":", "-")
    async with pulls_into(tmp_path) as pulls:
        assert VERIFYING in statuses(await pulled(pulls, registry.name("tiny")))
        registry.forget()
        assert VERIFYING not in statuses(await pulled(pulls, registry.name("tiny")))
        os.utime(weights, (1, 1))
        assert VERIFYING in statuses(await pulled(pulls, registry.name("tiny")))
        assert VERIFYING not in statuses(await pulled(pulls, registry.name("tiny")))
        assert not registry.requests("/data/blobs/")
        with weights.open("r+b") as file:
            file.seek(-9, os.SEEK_END)
            file.write(b"x")
        os.utime(weights, (2, 2))
        assert VERIFYING in statuses(await pulled(pulls, registry.name("tiny")))
    assert registry.requests("/data/blobs/")
    assert weights.read_bytes() == LARGE


async def test_what_earlier_versions_left_is_read_once(registry: Registry, tmp_path: Path) -> None:
    """They did not note what they had read."""
    version = registry.publish("tiny", LARGE)
    folders.blob(tmp_path, LARGE)
    async with pulls_into(tmp_path) as pulls:
        assert VERIFYING in statuses(await pulled(pulls, registry.name("tiny")))
        assert VERIFYING not in statuses(await pulled(pulls, registry.name("tiny")))
    assert not registry.requests(version.weights.digest)


async def test_a_damaged_blob_of_ollamas_is_fetched(registry: Registry, tmp_path: Path) -> None:
    version = registry.publish("tiny", WEIGHTS)
    own, ollamas = tmp_path / "own", tmp_path / "ollama"
    folders.blob(ollamas, WEIGHTS)
    name = version.weights.digest.replace(":", "-")
    (ollamas / "blobs" / name).write_bytes(WEIGHTS[:-1] + b"x")
    before = folders.tree(ollamas)
    async with pulls_into(own, ollamas) as pulls:
        await pulled(pulls, registry.name("tiny"))
    assert (own / "blobs" / name).read_bytes() == WEIGHTS
    assert folders.tree(ollamas) == before


def of(*layers: Layer, config: bytes | None = None) -> Version:
    """A version with these layers."""
    last = Layer("config", json.dumps(CONFIG).encode() if config is None else config)
    manifest = {
        "schemaVersion": 2,
        "config": described(last),
        "layers": [described(layer) for layer in layers],
    }
    return Version(json.dumps(manifest).encode(), (*layers, last))


MODEL = Layer("model", WEIGHTS)
LATER = Layer("license", b"l" * (4 * 2**20 + 1))


@pytest.mark.parametrize(
    ("version", "kind", "fetched"),
    [
        (of(Layer("projector", WEIGHTS)), "library.no_weights", 0),
        (of(Layer("tensor", WEIGHTS), Layer("license", b"l")), "library.no_weights", 0),
        (of(MODEL, LATER), "library.text_too_large", 0),
        (of(MODEL, Layer("params", b'{"stop": [')), "library.layer_not_json", 2),
        (of(MODEL, Layer("params", b"[1]")), "library.bad_layer", 2),
        (of(MODEL, Layer("messages", b'{"role": 1}')), "library.bad_layer", 2),
        (of(MODEL, config=b"{"), "library.layer_not_json", 1),
        (of(MODEL, config=b'{"model_format": "safetensors"}'), "library.other_format", 1),
        (of(MODEL, config=b'{"remote_host": "https://example.com"}'), "library.cloud", 1),
        (of(MODEL, config=b'{"model_family": "flux"}'), "gguf.image", 1),
        (of(MODEL, config=b'{"model_family": "clip"}'), "gguf.projector", 1),
    ],
)  # fmt: skip
async def test_what_cannot_be_used_is_said_before_the_weights_are_fetched(
    registry: Registry, tmp_path: Path, version: Version, kind: str, fetched: int
) -> None:
    for layer in version.layers:
        registry.add_blob(layer)
    registry.publish_manifest("tiny", version.manifest)
    async with pulls_into(tmp_path) as pulls:
        with fails(kind) as caught:
            await pulled(pulls, registry.name("tiny"))
    assert caught.value.kind == "registry.useless_here"
    assert len(registry.requests("/data/blobs/")) == fetched
    with pytest.raises(NotInstalled):
        Library(tmp_path).get(ModelName.parse(registry.name("tiny")))


async def test_weights_that_are_no_language_model_do_not_stay(registry: Registry, tmp_path: Path) -> None:
    version = registry.publish("tiny", bytes(Llama().saying("general.type", STRING, "mmproj")))
    async with pulls_into(tmp_path) as pulls:
        with fails("gguf.projector") as caught:
            await pulled(pulls, registry.name("tiny"))
    assert caught.value.kind == "registry.useless_here"
    assert set(blobs(tmp_path)) == texts(version)
    assert not (tmp_path / "manifests").exists()


async def test_weights_that_are_no_gguf_file_do_not_stay(registry: Registry, tmp_path: Path) -> None:
    version = registry.publish("tiny", b"Dear Sir or Madam, " * 1000)
    async with pulls_into(tmp_path) as pulls:
        with fails("registry.useless_here"):
            await pulled(pulls, registry.name("tiny"))
    assert set(blobs(tmp_path)) == texts(version)
    assert not (tmp_path / "manifests").exists()
