"""Models from a registry: what is fetched, what stays, what goes, and what is refused."""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.names import ModelName
from llmstack_tui.core.wording import words
from llmstack_tui.library.errors import LibraryError
from llmstack_tui.library.library import Library, NotInstalled
from llmstack_tui.registry.download.blob import PullOptions
from tests.registry.download.pulling import WEIGHTS, blobs, pulled, pulls_into, statuses
from tests.support import folders
from tests.support.failures import fails
from tests.support.gguf.files import Llama
from tests.support.registry import Fault, Registry
from tests.support.registry.faults import html

if TYPE_CHECKING:
    from pathlib import Path


def short(*digests: str) -> list[str]:
    return [f"pulling {digest[7:19]}" for digest in digests]


async def test_a_model_is_pulled_and_can_be_used(
    registry: Registry, tmp_path: Path, tiny_model: Path
) -> None:
    version = registry.publish("tiny:1b", tiny_model, system="Terse.", parameters={"temperature": 0})
    library = Library(tmp_path)
    async with pulls_into(tmp_path) as pulls:
        steps = await pulled(pulls, registry.name("tiny:1b"))
    assert statuses(steps) == [
        "pulling manifest",
        *short(*(layer.digest for layer in version.layers)),
        "verifying sha256 digest",
        "writing manifest",
    ]
    last = {step.digest: step for step in steps if step.digest}
    assert {digest: (step.completed, step.total) for digest, step in last.items()} == {
        layer.digest: (layer.size, layer.size) for layer in version.layers
    }
    model = library.get(ModelName.parse(registry.name("tiny:1b")))
    assert (model.digest, model.system, model.name.short) == (
        version.digest,
        "Terse.",
        registry.listed("tiny:1b"),
    )
    assert model.weights.read_bytes() == tiny_model.read_bytes()
    # Each was asked for at the registry, and came from another host.
    assert {asked.host for asked in registry.requests("/data/blobs/")} == {"localhost"}
    assert {asked.host for asked in registry.requests("/v2/")} == {"127.0.0.1"}


async def test_nothing_is_fetched_twice(registry: Registry, tmp_path: Path) -> None:
    registry.publish("tiny", WEIGHTS, system="Terse.")
    async with pulls_into(tmp_path) as pulls:
        first = await pulled(pulls, registry.name("tiny"))
        registry.forget()
        second = await pulled(pulls, registry.name("tiny"))
    assert statuses(second) == statuses(first)
    assert [asked.path for asked in registry.asked] == ["/v2/library/tiny/manifests/latest"]


async def test_an_update_fetches_what_is_new_and_removes_what_is_old(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.publish("other", WEIGHTS, system="Shared.")
    old = registry.publish("tiny", WEIGHTS, system="Shared.", parameters={"seed": 1})
    young = registry.publish("new", WEIGHTS, parameters={"seed": 2})
    async with pulls_into(tmp_path) as pulls:
        for name in ("other", "tiny", "new"):
            await pulled(pulls, registry.name(name))
        registry.forget()
        registry.publish("new", WEIGHTS)
        steps = await pulled(pulls, registry.name("new"))
        assert statuses(steps)[-2:] == ["writing manifest", "removing unused layers"]
        # Nothing is removed that is younger than an hour.
        assert young.layer("params").digest[7:19] in blobs(tmp_path)
        registry.publish("tiny", WEIGHTS)
        later = time.time() + 3601
        monkeypatch.setattr(time, "time", lambda: later)
        await pulled(pulls, registry.name("tiny"))
    there = blobs(tmp_path)
    assert not registry.requests(old.weights.digest)
    assert old.layer("params").digest[7:19] not in there
    assert young.layer("params").digest[7:19] not in there
    assert {old.weights.digest[7:19], old.layer("system").digest[7:19]} <= set(there)


async def test_what_a_download_left_is_spared_when_a_model_goes(registry: Registry, tmp_path: Path) -> None:
    registry.publish("tiny", bytes(Llama()))
    partial = tmp_path / "blobs" / f"sha256-{'1' * 64}-partial"
    async with pulls_into(tmp_path) as pulls:
        await pulled(pulls, registry.name("tiny"))
        partial.write_bytes(b"half")
        os.utime(partial, (0, 0))
        Library(tmp_path).delete(ModelName.parse(registry.name("tiny")))
    assert blobs(tmp_path) == {f"{'1' * 12}-partial": 4}


@pytest.mark.parametrize("links", [True, False])
async def test_what_an_ollama_on_this_machine_has_is_not_fetched(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def no_links(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    if not links:
        monkeypatch.setattr(os, "link", no_links)
    version = registry.publish("tiny", WEIGHTS, system="Terse.")
    own, ollamas = tmp_path / "own", tmp_path / "ollama"
    folders.write(ollamas, "registry.ollama.ai/library/x/latest", folders.manifest(ollamas, WEIGHTS))
    before = folders.tree(ollamas)
    async with pulls_into(own, ollamas) as pulls:
        steps = await pulled(pulls, registry.name("tiny"))
    assert statuses(steps)[-1] == "writing manifest"
    assert not registry.requests(version.weights.digest)
    blob = version.weights.digest.replace(":", "-")
    assert (own / "blobs" / blob).read_bytes() == WEIGHTS
    assert (own / "blobs" / blob).samefile(ollamas / "blobs" / blob) is links
    assert folders.tree(ollamas) == before


async def test_a_blob_that_is_removed_meanwhile_is_fetched_again(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = registry.publish("tiny", WEIGHTS)
    blob = tmp_path / "blobs" / version.weights.digest.replace(":", "-")
    install, times = Library.install, [1]

    def install_too_late(library: Library, name: ModelName, content: bytes) -> bool | None:
        if times[0]:
            times[0] -= 1
            blob.unlink()
        return install(library, name, content)

    monkeypatch.setattr(Library, "install", install_too_late)
    async with pulls_into(tmp_path) as pulls:
        await pulled(pulls, registry.name("tiny"))
        assert blob.read_bytes() == WEIGHTS
        times[0] = 5
        with fails("registry.removed_meanwhile"):
            await pulled(pulls, registry.name("tiny"))


async def test_a_model_keeps_the_name_as_it_was_written(
    registry: Registry, tmp_path: Path, tiny_model: Path
) -> None:
    registry.publish("tiny:1b", tiny_model)
    registry.publish("tiny:1B", tiny_model, system="Terse.")
    async with pulls_into(tmp_path) as pulls:
        await pulled(pulls, registry.name("tiny:1b"))
        await pulled(pulls, registry.name("tiny:1B"))
    (model,) = Library(tmp_path).list()
    assert (model.name.tag, model.system) == ("1b", "Terse.")


async def test_a_disk_that_is_too_small_is_found_out_before(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = registry.publish("tiny", WEIGHTS)
    free = [version.size + 1000]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free[0]))
    async with pulls_into(tmp_path, options=PullOptions(reserve=1001)) as pulls:
        with fails("registry.no_room", need=version.size):
            await pulled(pulls, registry.name("tiny"))
    assert not registry.requests("/blobs/")
    async with pulls_into(tmp_path, options=PullOptions(reserve=1000)) as pulls:
        await pulled(pulls, registry.name("tiny"))
        # What is there already needs no room.
        free[0] = 0
        await pulled(pulls, registry.name("tiny"))


LAYER = {"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:" + "0" * 64, "size": 1}
CONFIG = LAYER | {"digest": "sha256:" + "1" * 64, "size": 1}


def manifest(*layers: dict[str, object]) -> Fault:
    """A manifest with these layers."""
    return Fault(body=json.dumps({"schemaVersion": 2, "config": CONFIG, "layers": layers}).encode())


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault(status=404), "has no model"),
        (Fault(status=401), "private"),
        (Fault(status=500), "failed"),
        (html(), "web page"),
        (Fault(body=b" " * 50_000_000), "more than 4"),
        (manifest(), "no layers"),
        (manifest(LAYER | {"digest": "../../x"}), "digest"),
        (manifest(LAYER | {"size": -1}), "negative"),
        (manifest(LAYER | {"size": 2**62}), "make room"),
        (Fault(body=b"not JSON"), "is not JSON"),
        (Fault(cut_after=10), "broke"),
    ],
)  # fmt: skip
async def test_what_is_no_manifest_makes_no_model(
    registry: Registry, tmp_path: Path, fault: Fault, text: str
) -> None:
    registry.publish("tiny", WEIGHTS)
    registry.faults = [fault]
    async with pulls_into(tmp_path) as pulls:
        with pytest.raises(LibraryError) as caught:
            await pulled(pulls, registry.name("tiny"))
    assert text in words(caught.value)
    assert blobs(tmp_path) == {}
    with pytest.raises(NotInstalled):
        Library(tmp_path).get(ModelName.parse(registry.name("tiny")))
