"""Ollama's routes about models, beyond what the contract with a real Ollama says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from msgspec import convert

from llmstack_tui import __version__
from llmstack_tui.base.sentences import Sentences, quoted
from llmstack_tui.core.wording import text
from tests.contract.recordings import exchanges
from tests.support import folders
from tests.support.engine import HI, Serving, serving
from tests.support.gguf import files

if TYPE_CHECKING:
    from pathlib import Path

RECORDED = exchanges("ollama-0.24.0")


def test_who_answers(engine: Serving) -> None:
    answer = engine.http.get("/api/version").json()
    assert answer == {"version": "0.33.0", "engine": "llmstack", "engine_version": f"v{__version__}"}
    assert engine.http.get("/").text == "Ollama is running"
    assert engine.http.head("/").status_code == 200
    assert engine.http.get("/health").json() == {"status": "ok"}


def test_nobody_is_signed_in_and_there_is_no_cloud(engine: Serving) -> None:
    answer = engine.http.post("/api/me")
    assert (answer.status_code, answer.json()) == (401, {"error": "unauthorized"})
    assert engine.http.get("/api/status").json()["cloud"]["disabled"] is True


@pytest.mark.parametrize(
    ("method", "path", "status", "place"),
    [
        ("GET", "/v1/models/", 301, "/v1/models"),
        ("GET", "//api/tags", 301, "/api/tags"),
        ("GET", "//v1//models//tiny/?a=1&b=%2F", 301, "/v1/models/tiny?a=1&b=%2F"),
        ("GET", "/v1/models/a%2Fb/", 301, "/v1/models/a%2Fb"),
        ("POST", "//api/chat", 307, "/api/chat"),
        ("POST", "/api/chat/", 307, "/api/chat"),
        ("POST", "/api/tags/", 307, "/api/tags"),
        ("GET", "//", 301, "/"),
        ("GET", "//evil.example/", 404, None),
        ("GET", "/api/nothing/", 404, None),
    ],
)
def test_a_slash_too_many_leads_to_the_route_that_is_meant(
    engine: Serving, method: str, path: str, status: int, place: str | None
) -> None:
    url = httpx.URL(engine.http.base_url).copy_with(raw_path=path.encode())
    answer = engine.http.send(httpx.Request(method, url, json={} if method == "POST" else None))
    assert (answer.status_code, answer.headers.get("location")) == (status, place)


def test_who_follows_a_redirect_is_answered(engine: Serving) -> None:
    answer = engine.http.post("/api/show/", json={"model": "tiny"}, follow_redirects=True)
    assert answer.json()["capabilities"]


@pytest.mark.parametrize("path", ["/", "/api/version", "/api/tags", "/health"])
def test_what_answers_a_head(engine: Serving, path: str) -> None:
    answer = engine.http.head(path)
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("path", ["/api/ps", "/api/status", "/v1/models", "/v1/models/tiny", "/api/chat"])
def test_what_answers_none_in_ollama_answers_none_here(engine: Serving, path: str) -> None:
    assert engine.http.head(path).status_code == 405


def test_show_has_the_keys_of_ollama_in_their_order(engine: Serving) -> None:
    (recorded,) = RECORDED["show-created"].lines
    assert isinstance(recorded, dict)
    shown = engine.post("/api/show", model="ollamas").json()
    own = [key for key in shown if key in recorded]
    assert own == [*recorded]


def test_show_tells_the_layers(engine: Serving) -> None:
    shown = engine.post("/api/show", model="ollamas").json()
    assert shown["system"] == Serving.system
    assert shown["license"] == "CC0\n1.0"
    assert shown["messages"][0] == {"role": "user", "content": "One?"}
    assert shown["parameters"] == f"{'num_predict':30} 3\n{'temperature':30} 0"
    assert shown["capabilities"] == ["completion"]
    written = shown["modelfile"].splitlines()
    assert "# FROM ollamas:latest" in written
    (weights,) = (line for line in written if line.startswith("FROM "))
    assert "/sha256-" in weights
    for line in ("SYSTEM Terse.", "PARAMETER num_predict 3", 'LICENSE "CC0', '1.0"', "MESSAGE user One?"):
        assert line in written


def test_show_has_arrays_only_where_they_are_asked_for(engine: Serving) -> None:
    brief = engine.post("/api/show", model="tiny").json()
    assert brief["model_info"]["tokenizer.ggml.tokens"] is None
    assert brief["model_info"]["general.architecture"] == "llama"
    # 32 bits hold it as 9.999999747378752e-06.
    assert brief["model_info"]["llama.attention.layer_norm_rms_epsilon"] == 1e-5
    assert "tokenizer.chat_template" not in brief["model_info"]
    assert {"name": "output_norm.weight", "type": "F32", "shape": [320]} in brief["tensors"]
    whole = engine.post("/api/show", name="tiny", verbose=True).json()
    types = whole["model_info"]["tokenizer.ggml.token_type"]
    assert set(types) == {1, 3}


@pytest.mark.parametrize(("name", "expected"), [("caller", "tools"), ("thinking", "thinking")])
def test_capabilities(engine: Serving, name: str, expected: str) -> None:
    assert engine.post("/api/show", model=name).json()["capabilities"] == ["completion", expected]


def test_a_model_is_imported_and_removed(engine: Serving, random_model: Path) -> None:
    answer = engine.post("/api/import", model="other:1", path=str(random_model))
    assert answer.headers["content-type"] == "application/x-ndjson"
    said = [json.loads(line) for line in answer.text.splitlines()]
    assert said[0] == {"status": "parsing GGUF"}
    assert said[-1] == {"status": "success"}
    assert any(line.get("completed") == line.get("total") == random_model.stat().st_size for line in said)
    (listed,) = (
        model for model in engine.http.get("/api/tags").json()["models"] if model["name"] == "other:1"
    )
    assert listed["details"]["quantization_level"] == "F16"
    digest = engine.post("/api/show", model="other:1").json()["modelfile"].partition("sha256-")[2][:64]
    assert engine.http.head(f"/api/blobs/sha256:{digest}").status_code == 200
    removed = engine.http.request("DELETE", "/api/delete", json={"model": "other:1"})
    assert (removed.status_code, removed.content) == (200, b"")
    assert "content-type" not in removed.headers
    assert engine.error(404, "/api/show", model="other:1") == "model 'other:1' not found"
    assert random_model.is_file()


def test_ollamas_models_are_run_and_left_alone(engine: Serving) -> None:
    refused = engine.http.request("DELETE", "/api/delete", json={"model": "ollamas"})
    assert refused.status_code == 403
    assert "remove it there" in refused.json()["error"]
    assert engine.answered("/api/chat", model="ollamas", messages=HI)["done"] is True


@pytest.mark.parametrize(
    ("asked", "status", "text"),
    [
        ({"model": "x", "path": "relative.gguf"}, 400, "whole path"),
        ({"model": "a b", "path": "/x.gguf"}, 400, "cannot be the name of a model"),
        ({"path": "/x.gguf"}, 400, "cannot be the name of a model"),
    ],
)
def test_imports_that_are_refused(engine: Serving, asked: dict[str, Any], status: int, text: str) -> None:
    assert text in engine.error(status, "/api/import", **asked)


def test_an_import_that_fails_says_so_in_its_last_line(engine: Serving, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + b"\0" * 100)
    answer = engine.post("/api/import", model="broken", path=str(broken))
    assert answer.status_code == 200
    last = json.loads(answer.text.splitlines()[-1])
    assert str(broken) in last["error"]
    assert "broken:latest" not in {model["name"] for model in engine.http.get("/api/tags").json()["models"]}


def test_a_page_in_a_browser_cannot_import(engine: Serving, tiny_model: Path) -> None:
    body = {"model": "evil", "path": str(tiny_model)}
    answer = engine.http.post("/api/import", json=body, headers={"Origin": "http://localhost:3000"})
    assert answer.status_code == 403
    assert engine.error(404, "/api/show", model="evil")


def test_origins_and_hosts_are_checked(engine: Serving) -> None:
    evil = engine.http.get("/api/tags", headers={"Origin": "https://evil.example"})
    assert (evil.status_code, evil.content) == (403, b"")
    assert engine.http.get("/api/tags", headers={"Host": "evil.example"}).status_code == 403
    page = engine.http.get("/api/tags", headers={"Origin": "http://localhost:3000"})
    assert page.headers["access-control-allow-origin"] == "http://localhost:3000"
    asked = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST"}
    preflight = engine.http.options("/api/chat", headers=asked)
    assert preflight.status_code == 204
    assert "POST" in preflight.headers["access-control-allow-methods"]


def test_a_digest_that_is_none(engine: Serving) -> None:
    assert engine.http.head("/api/blobs/sha256:..").status_code == 400


def test_models_that_cannot_be_run_say_why(tmp_path: Path) -> None:
    folder = tmp_path / ".ollama" / "models"
    foreign = bytes(files.File(pairs=(files.pair("general.architecture", files.STRING, "gptoss"),)))
    empty = bytes(files.File(pairs=(files.pair("general.architecture", files.STRING, "llama"),)))
    twice = [*(f"t{number}" for number in range(200)), "t7"]
    repeating = bytes(
        files.Llama()
        .saying("tokenizer.ggml.tokens", files.ARRAY, files.array(files.STRING, twice))
        .saying("tokenizer.ggml.merges", files.ARRAY, files.array(files.STRING, ["t 1"]))
        .without("tokenizer.ggml.token_type")
    )
    of = {"foreign": foreign, "empty": empty, "broken": b"no model", "repeating": repeating}
    of["lacking"] = bytes(files.Llama())
    for name, weights in of.items():
        place = f"registry.ollama.ai/library/{name}/latest"
        folders.write(folder, place, folders.manifest(folder, weights))
    with serving(tmp_path) as engine:
        tags = engine.http.get("/api/tags").json()
        assert {model["name"] for model in tags["models"]} == {
            f"{name}:latest" for name in of if name != "broken"
        }
        (unusable,) = tags["unusable"]
        assert unusable["name"] == "broken:latest"
        assert "not a GGUF model" in unusable["unusable"]
        assert text(quoted("unknown", convert(unusable["sentences"], Sentences))) == unusable["unusable"]
        assert "not a GGUF model" in engine.error(400, "/api/show", model="broken")
        assert "needs Ollama" in engine.error(400, "/api/chat", model="foreign", messages=HI)
        assert "holds no weights" in engine.error(400, "/api/chat", model="empty", messages=HI)
        # With that llama.cpp crashes.
        assert "the same token twice" in engine.error(400, "/api/chat", model="repeating", messages=HI)
        assert "lacks the tensor 'blk.0." in engine.error(400, "/api/generate", model="lacking", prompt="Hi")
        for path in ("/api/chat", "/v1/chat/completions"):
            assert "not a GGUF model" in engine.error(400, path, model="broken", messages=HI)
        assert not engine.ps()
