"""Models that are in the engine's folder and cannot be used: seen with the reason, and removed by name."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.engine import serving
from tests.support.folders import layer, manifest, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.engine import Serving
    from tests.support.program import Program

LIBRARY = "registry.ollama.ai/library"
FAULTY = {
    "cut:latest": "The manifest is not JSON.",
    "params:latest": "is not JSON.",
    "picture:latest": "only projector: it needs Ollama.",
    "gone:latest": "Some of its files are missing.",
}


@pytest.fixture
def engine(llmstack: Program, tiny_model: Path) -> Iterator[Serving]:
    """With a model that can be used, and `FAULTY` ones, as an earlier version would leave them."""
    folder, weights = llmstack.home / ".local" / "share" / "llmstack" / "models", tiny_model.read_bytes()
    good = manifest(folder, weights)
    write(folder, f"{LIBRARY}/tiny/latest", good)
    write(folder, f"{LIBRARY}/cut/latest", json.dumps(good).encode()[:100])
    write(folder, f"{LIBRARY}/params/latest", manifest(folder, weights, layer(folder, "params", b'{"stop":')))
    write(folder, f"{LIBRARY}/picture/latest", {**good, "layers": [layer(folder, "projector", weights)]})
    missing = {**layer(folder, "model", weights), "digest": f"sha256:{'0' * 64}"}
    write(folder, f"{LIBRARY}/gone/latest", {**good, "layers": [missing]})
    with serving(llmstack.home) as found:
        yield found


def test_each_is_listed_with_its_reason_and_removed_by_name(llmstack: Program, engine: Serving) -> None:
    done = llmstack("--host", engine.url, "ls", "--json")
    listed = {each["name"]: each["unusable"] for each in json.loads(done.stdout)["models"]}
    assert listed.pop("tiny:latest") is None
    assert listed.keys() == FAULTY.keys()
    for name, reason in FAULTY.items():
        assert listed[name].endswith(reason)
    shown = llmstack("--host", engine.url, "ls")
    assert shown.stdout.count("unusable") == len(FAULTY)
    assert "cut:latest cannot be used. The manifest is not JSON. `llmstack rm cut:latest`" in shown.stderr

    spanish = replace(llmstack, variables={**llmstack.variables, "LLMSTACK_UI_LANGUAGE": "es"})
    assert "El manifiesto no es JSON." in spanish("--host", engine.url, "ls").stderr

    assert engine.error(400, "/api/chat", model="cut") == (
        "The model cut:latest cannot be used. The manifest is not JSON."
    )
    assert [each["id"] for each in engine.http.get("/v1/models").json()["data"]] == ["tiny:latest"]

    for name in FAULTY:
        assert llmstack("--host", engine.url, "rm", name, "-y").returncode == 0
    done = llmstack("--host", engine.url, "ls", "--json")
    assert [each["name"] for each in json.loads(done.stdout)["models"]] == ["tiny:latest"]


def test_a_removal_says_what_the_disk_says(llmstack: Program, engine: Serving) -> None:
    """The weights are those of a model with other labels, too, which no list of a server tells."""
    folder = llmstack.home / ".local" / "share" / "llmstack" / "models"
    digest = engine.answered("/api/show", model="tiny")["modelfile"].split("sha256-")[1][:64]
    content = (folder / "blobs" / f"sha256-{digest}").read_bytes()
    config = {"model_format": "gguf", "model_family": "other", "file_type": "Q2_K"}
    write(folder, f"{LIBRARY}/label/latest", manifest(folder, content, config=config))
    # As long as a manifest cannot be read, no blob goes.
    done = llmstack("--host", engine.url, "rm", "gone", "-y")
    assert "gone:latest: frees nothing while another manifest cannot be read" in done.stdout
    for name in FAULTY.keys() - {"gone:latest"}:
        assert llmstack("--host", engine.url, "rm", name, "-y").returncode == 0
    (use,) = json.loads(llmstack("disk", "--json").stdout)["folders"]
    alone = next(each["alone"] for each in use["models"] if each["name"] == "label:latest")
    assert 0 < alone < 1000
    done = llmstack("--host", engine.url, "rm", "label", "-y")
    assert f"frees {alone} B, tiny:latest has the same weights" in done.stdout
    after = json.loads(llmstack("disk", "--json").stdout)["folders"][0]
    assert use["size"] - after["size"] == alone
