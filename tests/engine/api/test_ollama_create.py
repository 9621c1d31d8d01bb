"""``/api/create`` of files that were sent, beyond what the contract with a real Ollama says."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import folders
from tests.support.engine import HI, Serving, serving
from tests.support.gguf import models
from tests.support.gguf.files import ARRAY, F32, STRING, U16, U32, Llama, array

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ZEROS = f"sha256:{'0' * 64}"
MODELS = ".local/share/llmstack/models"
NAMED = "manifests/registry.ollama.ai/library"
PROJECTOR = Llama(tensors=(("v.patch_embd.weight", (4, 4)),)).saying("general.architecture", STRING, "clip")

OLLAMAS = Llama({key.replace("llama.", "mllama."): value for key, value in Llama().metadata.items()}).saying(
    "general.architecture", STRING, "mllama"
)


@pytest.fixture
def new(engine: Serving) -> Iterator[str]:
    """A name for a model, which is gone afterwards."""
    yield "created:new"
    engine.http.request("DELETE", "/api/delete", json={"model": "created:new"})


def send(engine: Serving, content: bytes) -> str:
    """Send a blob; returns its digest."""
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert engine.http.post(f"/api/blobs/{digest}", content=content).status_code in (200, 201)
    return digest


def created(engine: Serving, **asked: Any) -> list[str]:
    """The lines of a creation that succeeds, without digests."""
    answer = engine.post("/api/create", **asked)
    assert answer.status_code == 200, answer.text
    said = [json.loads(line) for line in answer.text.splitlines()]
    assert said[-1] == {"status": "success"}, answer.text
    return [line["status"].partition(" sha256:")[0] for line in said]


def digest(engine: Serving, name: str) -> str:
    tags = engine.http.get("/api/tags").json()["models"]
    return next(str(each["digest"]) for each in tags if each["name"] == name)


def test_a_model_of_a_file_is_the_one_that_an_import_makes(
    engine: Serving, tiny_model: Path, new: str
) -> None:
    files = {"tiny.gguf": send(engine, tiny_model.read_bytes())}
    assert created(engine, model=new, files=files) == [
        "parsing GGUF",
        "using existing layer",
        "writing manifest",
        "success",
    ]
    assert digest(engine, new) == digest(engine, "tiny:latest")
    assert engine.chat(model=new)["message"]["content"] == models.ANSWER
    engine.unload_all()


def test_what_is_said_beside_the_file(engine: Serving, tiny_model: Path, new: str) -> None:
    said = created(
        engine,
        model=new,
        files={"tiny.gguf": send(engine, tiny_model.read_bytes())},
        template=models.CHATML,
        system="Created so.",
        parameters={"temperature": 0.25, "stop": ["created"], "num_ctx": None},
        messages=[{"role": "User", "content": "One?"}, {"role": "assistant"}],
        license=["First so.", "Second so."],
        renderer="one",
        parser="two",
        requires="0.14.0",
    )
    assert said[:2] == ["parsing GGUF", "using existing layer"]
    assert said[2:] == [*["creating new layer"] * 5, "writing manifest", "success"]
    shown = engine.post("/api/show", model=new).json()
    assert (shown["system"], shown["license"]) == ("Created so.", "First so.\nSecond so.")
    assert shown["messages"] == [{"role": "user", "content": "One?"}, {"role": "assistant", "content": ""}]
    assert shown["parameters"] == f'{"stop":30} "created"\n{"temperature":30} 0.25'
    written = shown["modelfile"].splitlines()
    for line in ("RENDERER one", "PARSER two", "REQUIRES 0.14.0", "LICENSE First so.", "LICENSE Second so."):
        assert line in written


def test_a_model_names_the_one_that_it_was_made_from(engine: Serving, new: str) -> None:
    def parent(name: str) -> str:
        return str(engine.post("/api/show", model=name).json()["details"]["parent_model"])

    created(engine, model=new, **{"from": "tiny", "system": "One."})
    assert (parent("tiny"), parent(new)) == ("", "tiny:latest")
    created(engine, model=new, **{"from": new, "system": "Two."})
    assert parent(new) == new


def test_a_file_of_ollamas_is_linked(engine: Serving, new: str) -> None:
    weights = next(
        path for path in (engine.home / ".ollama/models/blobs").iterdir() if path.stat().st_size > 9999
    )
    (engine.home / MODELS / "blobs" / weights.name).unlink(missing_ok=True)
    created(engine, model=new, files={"a.gguf": weights.name.replace("-", ":")})
    assert (engine.home / MODELS / "blobs" / weights.name).samefile(weights)


@pytest.mark.parametrize("base", ["from", "files"])
def test_an_adapter_is_applied(
    engine: Serving, tiny_model: Path, tmp_path: Path, new: str, base: str
) -> None:
    adapter = send(engine, models.adapter(tmp_path / "adapter.gguf").read_bytes())
    source: dict[str, Any] = {"from": "tiny"}
    if base == "files":
        source = {"files": {"tiny.gguf": send(engine, tiny_model.read_bytes())}}
    created(engine, model=new, **source, adapters={"adapter.gguf": adapter})
    assert engine.chat(model=new)["message"]["content"] == models.SHORT_ANSWER
    assert f"\nADAPTER {engine.home}" in engine.post("/api/show", model=new).json()["modelfile"]
    assert engine.chat(model="tiny")["message"]["content"] == models.ANSWER
    engine.unload_all()


def test_a_projector_stays_with_its_model(engine: Serving, new: str, tiny_model: Path) -> None:
    files = {
        "mmproj.gguf": send(engine, bytes(PROJECTOR)),
        "tiny.gguf": send(engine, tiny_model.read_bytes()),
    }
    created(engine, model=new, files=files, system="Look.")
    shown = engine.post("/api/show", model=new).json()
    assert shown["modelfile"].count("\nFROM /") == 2
    assert shown["details"]["families"] == ["llama", "clip"]


def test_what_lies_beside_the_weights_is_left_out(engine: Serving, tiny_model: Path, new: str) -> None:
    """``FROM .`` sends all JSON files of the folder, too."""
    files = {"config.json": send(engine, b"{}"), "tiny.gguf": send(engine, tiny_model.read_bytes())}
    created(engine, model=new, files=files)
    assert digest(engine, new) == digest(engine, "tiny:latest")


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no file": ({"files": {}}, "unknown type"),
    "a text": ({"files": {"readme.md": b"# Hello"}}, "unknown type"),
    "an absolute path": ({"files": {"/etc/passwd": ZEROS}}, "file path must be relative"),
    "a path outside": ({"files": {"../a.gguf": ZEROS}}, "file path must be relative"),
    "an empty name": ({"files": {"": ZEROS}}, "file path must be relative"),
    "no digest": ({"files": {"a.gguf": ""}}, "invalid digest format"),
    "a bad digest": ({"files": {"a.gguf": "sha256:../../x"}}, "invalid digest format"),
    "an adapter's bad digest": ({"from": "tiny", "adapters": {"a": ""}}, "invalid digest format"),
    "not sent": ({"files": {"a.gguf": ZEROS}}, f'blob "{ZEROS}" not found'),
    "no GGUF": (
        {"files": {"a.gguf": b"Some text that is none"}},
        "supplied file was not in GGUF format: a.gguf is a text file",
    ),
    "empty": ({"files": {"a.gguf": b""}}, "supplied file was not in GGUF format: a.gguf is empty"),
    "safetensors": (
        {"files": {"config.json": b"{}", "m.safetensors": b"x"}},
        "m.safetensors is no GGUF file",
    ),
    "PyTorch": ({"files": {"pytorch_model.bin": b"PK\x03\x04"}}, "pytorch_model.bin is no GGUF file"),
    "a shard": (
        {"files": {"m-00001-of-00002.gguf": bytes(Llama().saying("split.count", U16, 2))}},
        "m-00001-of-00002.gguf is one of 2 parts: join them",
    ),
    "cut": ({"files": {"a.gguf": bytes(Llama())[:-40]}}, "a.gguf is cut short"),
    "a projector": (
        {"files": {"p.gguf": bytes(PROJECTOR)}},
        "p.gguf cannot be imported: The file is a projector",
    ),
    "two models": (
        {"files": {"a.gguf": bytes(Llama()), "b.gguf": bytes(Llama().saying("x", U32, 1))}},
        "a.gguf and b.gguf are 2 models",
    ),
    "more files than any model has": (
        {"files": {f"{number}.gguf": ZEROS for number in range(101)}},
        "101 files are more than a model has",
    ),
    "an image model": (
        {"files": {"f.gguf": bytes(Llama().saying("general.architecture", STRING, "flux"))}},
        "The file is an image or video model",
    ),
    "a broken vocabulary": (
        {"files": {"a.gguf": bytes(Llama().saying("tokenizer.ggml.scores", ARRAY, array(F32, [0.0])))}},
        "The file has 4 tokens",
    ),
    "only Ollama's": (
        {"files": {"a.gguf": bytes(OLLAMAS)}},
        "a.gguf cannot be imported: This mllama model is packaged for Ollama alone",
    ),
    "two adapters": (
        {"from": "tiny", "adapters": {"a": ZEROS, "b": ZEROS}},
        "only one adapter is currently supported",
    ),
    "an adapter not sent": ({"from": "tiny", "adapters": {"a": ZEROS}}, "not found"),
    "no adapter": ({"from": "tiny", "adapters": {"a.gguf": bytes(Llama())}}, "The file is no LoRA adapter"),
    "a safetensors adapter": ({"from": "tiny", "adapters": {"a.safetensors": b"x"}}, "is no GGUF file"),
    "a broken template": ({"from": "tiny", "template": "{{ .Prompt"}, "template error: "),
    "an unknown quantization": ({"from": "tiny", "quantize": "q9_9"}, "unsupported quantization type Q9_9"),
    "parameters of other types": ({"from": "tiny", "parameters": {"temperature": "hot"}}, "must be of type"),
    "an old field": ({"modelfile": "FROM tiny", "path": "/x"}, "neither 'from' or 'files' was specified"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_made(engine: Serving, case: str) -> None:
    asked, error = REFUSED[case]
    asked = dict(asked)
    for key in ("files", "adapters"):
        if key in asked:
            asked[key] = {
                name: send(engine, value) if isinstance(value, bytes) else value
                for name, value in asked[key].items()
            }
    before = folders.tree(engine.home / MODELS)
    for stream in (True, False):
        said = engine.error(400, "/api/create", model="refused:1", stream=stream, **asked)
        assert error in said
    # The blobs stay, for another try.
    assert folders.tree(engine.home / MODELS) == before


@pytest.mark.parametrize("kind", ["quantize", "quantization"])
def test_quantizing_is_refused_with_what_to_do(engine: Serving, kind: str) -> None:
    said = engine.error(501, "/api/create", model="refused:1", **{"from": "tiny", kind: "q4_K_M"})
    assert "cannot quantize" in said


def test_a_quantization_that_it_has_already_is_no_work(engine: Serving, new: str) -> None:
    assert created(engine, model=new, **{"from": "tiny", "quantize": "f16"})[-1] == "success"


def test_a_model_that_runs_elsewhere(engine: Serving) -> None:
    asked = {"from": "tiny", "remote_host": "https://example.com"}
    assert "needs Ollama" in engine.error(501, "/api/create", model="refused:1", **asked)


@pytest.mark.parametrize("value", [5, "x", [], [5], {"a": 5}, {"a": []}, True, 1.5, {"a": None}])
@pytest.mark.parametrize(
    "key",
    [
        "model",
        "from",
        "files",
        "adapters",
        "template",
        "system",
        "parameters",
        "messages",
        "license",
        "quantize",
    ],
)
def test_wrong_types(engine: Serving, key: str, value: object) -> None:
    fine = (
        (key in ("model", "from", "template", "system", "license", "quantize") and isinstance(value, str))
        or (key == "parameters" and isinstance(value, dict))
        or (key in ("messages", "license") and value == [])
    )
    if fine:
        pytest.skip("it is one of its types")
    before = folders.tree(engine.home / MODELS)
    answer = engine.post("/api/create", **{"model": "refused:1", "from": "tiny", key: value})
    assert (answer.status_code, [*answer.json()]) == (400, ["error"])
    assert folders.tree(engine.home / MODELS) == before


def test_a_name_over_a_folder_of_a_model_from_itself(engine: Serving, new: str) -> None:
    """The one that is not there is looked for in its registry, as in Ollama."""
    here = "127.0.0.1:9/library/cycle"
    answer = engine.post("/api/create", model=here, **{"from": here})
    *_, last = (json.loads(line) for line in answer.text.splitlines())
    assert "error" in last
    created(engine, model=new, **{"from": "tiny", "system": "One."})
    created(engine, model=new, **{"from": new, "system": "Two."})
    assert engine.post("/api/show", model=new).json()["system"] == "Two."


def test_pushing(engine: Serving) -> None:
    assert engine.error(501, "/api/push", model="tiny").endswith("needs Ollama.")
    answer = engine.post("/api/push", model="nope")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    assert [json.loads(line) for line in answer.text.splitlines()] == [
        {"status": "retrieving manifest"},
        {"status": "couldn't retrieve manifest"},
        {"error": "model 'nope' not found"},
    ]
    assert engine.error(404, "/api/push", name="nope", stream=False) == "model 'nope' not found"
    assert engine.error(400, "/api/push") == "model is required"


def test_a_template_for_a_file_without_one(tmp_path: Path) -> None:
    content = models.scripted(tmp_path / "bare.gguf", chat_template=None).read_bytes()
    home = tmp_path / "home"
    home.mkdir()
    with serving(home) as engine:
        files = {"bare.gguf": send(engine, content)}
        template = "<|im_start|>user\n{{ .Prompt }}<|im_end|>\n<|im_start|>assistant\n"
        created(engine, model="bare", files=files, template=template)
        shown = engine.post("/api/show", model="bare").json()
        assert shown["template"] == template
        assert engine.chat(model="bare", messages=HI)["message"]["content"] == models.ANSWER
        # What `show` says makes the same model again.
        created(engine, model="again", files=files, template=shown["template"])
        assert digest(engine, "again:latest") == digest(engine, "bare:latest")
        assert "template error" in engine.error(
            400, "/api/create", model="x", files=files, template="{{ .Odd"
        )


@pytest.mark.parametrize("own", [False, True])
def test_a_template_that_is_that_of_a_model_here_answers_as_it_does_there(
    tmp_path: Path, tiny_model: Path, own: bool
) -> None:
    """A pulled model's template may stand behind that of its file; one that somebody chose does not."""
    template = "<|im_start|>user\n{{ .Prompt }}<|im_end|>\n<|im_start|>assistant\n"
    place = tmp_path / ".ollama" / "models"
    layer = folders.layer(place, "template", template.encode())
    config = {**folders.CONFIG, **({"own_template": True} if own else {})}
    folders.write(
        place,
        "registry.ollama.ai/library/there/latest",
        folders.manifest(place, tiny_model.read_bytes(), layer, config=config),
    )
    with serving(tmp_path) as engine:
        files = {"there.gguf": send(engine, tiny_model.read_bytes())}
        created(engine, model="same", files=files, template=template)
        manifest = json.loads((tmp_path / MODELS / NAMED / "same/latest").read_bytes())
        blob = tmp_path / MODELS / "blobs" / manifest["config"]["digest"].replace(":", "-")
        assert json.loads(blob.read_bytes()).get("own_template", False) == own
        assert engine.post("/api/show", model="same").json()["template"] == template
