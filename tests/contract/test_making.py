"""Models that are made from others: copied, and created with another system prompt and parameters."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.contract.conftest import Server

NEW = "llmstack-contract:new"
NOTHING = f"sha256:{'0' * 64}"
ERROR = "application/json; charset=utf-8"


@pytest.fixture
def new(server: Server) -> Iterator[str]:
    """A name for a model, which is gone afterwards."""
    yield NEW
    server.http.request("DELETE", "/api/delete", json={"model": NEW})


def show(server: Server, name: str) -> dict[str, Any]:
    shown: dict[str, Any] = server.http.post("/api/show", json={"model": name}).json()
    return shown


def digests(server: Server) -> dict[str, str]:
    return {each["name"]: each["digest"] for each in server.http.get("/api/tags").json()["models"]}


def parameters(server: Server, name: str) -> set[tuple[str, str]]:
    lines = show(server, name)["parameters"].splitlines()
    return {(name, value) for name, value in (line.split(maxsplit=1) for line in lines)}


def test_a_copy_is_the_same_model(server: Server, new: str) -> None:
    answer = server.http.post("/api/copy", json={"source": server.model, "destination": new})
    assert (answer.status_code, answer.content) == (200, b"")
    known = digests(server)
    assert known[new] == known[server.model]
    said = server.http.post(
        "/api/generate", json={"model": new, "prompt": "Hi", "stream": False, "options": {"temperature": 0}}
    ).json()
    assert said["response"] == "Hello from a tiny model running locally."
    server.unload_all()


def test_a_copy_outlives_its_original(server: Server, new: str) -> None:
    server.http.post("/api/copy", json={"source": server.model, "destination": "llmstack-contract:old"})
    server.http.post("/api/copy", json={"source": "llmstack-contract:old", "destination": new})
    server.http.request("DELETE", "/api/delete", json={"model": "llmstack-contract:old"})
    assert "llmstack-contract:old" not in digests(server)
    assert show(server, new)["details"] == show(server, server.model)["details"]


def test_a_copy_to_itself_changes_nothing(server: Server) -> None:
    before = digests(server)
    answer = server.http.post("/api/copy", json={"source": server.model, "destination": server.model})
    assert answer.status_code == 200
    assert digests(server) == before


@pytest.mark.parametrize(
    ("asked", "status", "error"),
    [
        ({"source": "nope", "destination": NEW}, 404, 'model "nope" not found'),
        ({"source": "a b", "destination": NEW}, 400, 'source "a b" is invalid'),
        ({"source": "MODEL", "destination": "../x"}, 400, 'destination "../x" is invalid'),
        ({"source": "MODEL"}, 400, 'destination "" is invalid'),
        ({}, 400, 'source "" is invalid'),
    ],
)
def test_a_copy_that_cannot_be(server: Server, asked: dict[str, str], status: int, error: str) -> None:
    asked = {key: value.replace("MODEL", server.model) for key, value in asked.items()}
    before = digests(server)
    answer = server.http.post("/api/copy", json=asked)
    assert (answer.status_code, answer.json()) == (status, {"error": error})
    assert answer.headers["content-type"] == ERROR
    assert digests(server) == before


def test_create_says_each_step(server: Server, new: str) -> None:
    # Layers that no other model of the server has: those are used again.
    mine = uuid4().hex
    answer = server.http.post(
        "/api/create",
        json={
            "model": new,
            "from": server.model,
            "system": f"Be terse. {mine}",
            "parameters": {"temperature": 0.5, "stop": ["a", mine], "num_ctx": 2048},
            "messages": [
                {"role": "user", "content": f"One? {mine}"},
                {"role": "assistant", "content": "Two."},
            ],
            "license": [f"MIT {mine}"],
        },
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-ndjson"
    *layers, manifest, last = (json.loads(line)["status"] for line in answer.text.splitlines())
    assert (manifest, last) == ("writing manifest", "success")
    assert layers[0].startswith("using existing layer sha256:")
    assert [layer.split(" layer ")[0] for layer in layers[-4:]] == ["creating new"] * 4
    shown = show(server, new)
    assert shown["system"] == f"Be terse. {mine}"
    assert shown["license"] == f"MIT {mine}"
    assert [message["content"] for message in shown["messages"]] == [f"One? {mine}", "Two."]
    found = parameters(server, new)
    assert found >= {("temperature", "0.5"), ("num_ctx", "2048"), ("stop", '"a"'), ("stop", f'"{mine}"')}


def test_what_is_not_said_stays_as_in_the_base(server: Server, new: str) -> None:
    first = {
        "model": new,
        "from": server.model,
        "system": "Be terse.",
        "parameters": {"temperature": 0.5, "num_ctx": 2048},
        "stream": False,
    }
    assert server.http.post("/api/create", json=first).json() == {"status": "success"}
    # From itself: the new one takes the place of the old one.
    again = {"model": new, "from": new, "parameters": {"temperature": 0.9}, "stream": False}
    answer = server.http.post("/api/create", json=again)
    assert (answer.status_code, answer.json()) == (200, {"status": "success"})
    shown = show(server, new)
    assert shown["system"] == "Be terse."
    found = parameters(server, new)
    assert found >= {("temperature", "0.9"), ("num_ctx", "2048")}


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"model": "a b", "from": "MODEL"}, "invalid model name"),
        ({"from": "MODEL"}, "invalid model name"),
        ({"model": NEW, "from": "a b"}, "invalid model name"),
        ({"model": NEW}, "neither 'from' or 'files' was specified"),
        ({"model": NEW, "modelfile": "FROM MODEL"}, "neither 'from' or 'files' was specified"),
        ({"model": NEW, "files": {}}, "unknown type"),
        ({"model": NEW, "files": {"a.gguf": ""}}, "invalid digest format"),
        ({"model": NEW, "files": {"../a.gguf": NOTHING}}, "file path must be relative"),
        ({"model": NEW, "from": "MODEL", "adapters": {"a": ""}}, "invalid digest format"),
    ],
)
def test_what_cannot_be_created(server: Server, asked: dict[str, Any], error: str) -> None:
    asked = json.loads(json.dumps(asked).replace("MODEL", server.model))
    before = digests(server)
    answer = server.http.post("/api/create", json=asked)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert digests(server) == before


def test_create_of_a_file_says_each_step(server: Server, new: str, tiny_model: Path) -> None:
    # The weights are there, as the suite's model has them.
    digest = f"sha256:{hashlib.sha256(tiny_model.read_bytes()).hexdigest()}"
    assert server.http.head(f"/api/blobs/{digest}").status_code == 200
    answer = server.http.post(f"/api/blobs/{digest}", content=tiny_model.read_bytes())
    assert (answer.status_code, answer.content) == (200, b"")
    asked = {"model": new, "files": {"tiny.gguf": digest}, "system": f"Be terse. {uuid4().hex}"}
    answer = server.http.post("/api/create", json=asked)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    statuses = [json.loads(line)["status"] for line in answer.text.splitlines()]
    rewrites = not server.engine and "verifying conversion" in statuses  # Ollama 0.33 has a file of its own.
    if rewrites:
        statuses.remove("verifying conversion")
    first, *layers, manifest, last = statuses
    assert (first, manifest, last) == ("parsing GGUF", "writing manifest", "success")
    assert layers[0].startswith(f"using existing layer {'sha256:' if rewrites else digest}")
    # Ollama has more of them, for what it found in the file.
    assert [layer for layer in layers if layer.startswith("creating new layer sha256:")]
    assert show(server, new)["details"] == show(server, server.model)["details"]


@pytest.mark.parametrize(
    ("method", "digest", "content", "status"),
    [
        ("HEAD", NOTHING, b"", 404),
        ("POST", NOTHING, b"abc", 400),
        ("POST", NOTHING, b"", 400),
        ("HEAD", "sha256:x", b"", 400),
        ("POST", "sha256:x", b"abc", 400),
        ("GET", NOTHING, b"", 405),
    ],
)
def test_blobs_that_are_refused(
    server: Server, method: str, digest: str, content: bytes, status: int
) -> None:
    answer = server.http.request(method, f"/api/blobs/{digest}", content=content)
    assert answer.status_code == status
    if method == "POST":
        found = f"sha256:{hashlib.sha256(content).hexdigest()}"
        mismatch = f'digest mismatch, expected "{digest}", got "{found}"'
        assert answer.json()["error"] == (mismatch if digest == NOTHING else "invalid digest format")


def test_a_push_of_what_is_not_there(server: Server) -> None:
    answer = server.http.post("/api/push", json={"model": "llmstack-contract:nope"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    *steps, last = map(json.loads, answer.text.splitlines())
    assert steps == [{"status": "retrieving manifest"}, {"status": "couldn't retrieve manifest"}]
    assert [*last] == ["error"]
    answer = server.http.post("/api/push", json={})
    assert (answer.status_code, answer.json()) == (400, {"error": "model is required"})


NOT_HERE = "127.0.0.1:9/library/nope"


@pytest.mark.parametrize("more", [{}, {"parameters": {"temperature": 0.5}, "system": "Be terse."}])
def test_a_base_that_is_not_installed_is_pulled_first(server: Server, more: dict[str, Any]) -> None:
    before = digests(server)
    asked = {"model": NEW, "from": NOT_HERE, **more}
    answer = server.http.post("/api/create", json=asked)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    first, last = map(json.loads, answer.text.splitlines())
    assert first == {"status": "pulling manifest"}
    # Nobody is there.
    assert "connection refused" in last["error"].lower()
    answer = server.http.post("/api/create", json=asked | {"stream": False})
    assert (answer.status_code, answer.json()) == (500, last)
    assert digests(server) == before


@pytest.mark.parametrize("path", ["/api/copy", "/api/create", "/api/push"])
def test_without_a_body(server: Server, path: str) -> None:
    answer = server.http.post(path)
    assert (answer.status_code, answer.json()) == (400, {"error": "missing request body"})
