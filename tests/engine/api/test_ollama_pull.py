"""``/api/pull`` of a running engine, also of one that is killed."""

from __future__ import annotations

import json
import resource
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from llmstack_tui.hosts.errors import ServerError
from llmstack_tui.ollama.client import OllamaHost
from llmstack_tui.registry.download.partial import count_bytes
from tests.registry.download.pulling import PART, WEIGHTS, ranges
from tests.support.engine_process import killable_engine
from tests.support.gguf.files import U32, Llama
from tests.support.gguf.models import ANSWER
from tests.support.registry import Fault, Registry
from tests.support.waiting import wait_until_sync

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.engine import Serving

Line = dict[str, Any]


def lines(http: httpx.Client, name: str, until: Callable[[Line], bool] = lambda line: False) -> list[Line]:
    """The answer's lines, up to the one at which the client hangs up."""
    found: list[Line] = []
    with http.stream("POST", "/api/pull", json={"model": name, "insecure": True}) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/x-ndjson"
        for text in response.iter_lines():
            found.append(json.loads(text))
            if until(found[-1]):
                break
    return found


def begun(line: Line) -> bool:
    return line.get("total") == len(WEIGHTS) and line.get("completed", 0) > 0


@contextmanager
def engine_at(home: Path) -> Iterator[tuple[psutil.Process, httpx.Client]]:
    """One that may be killed."""
    with (
        killable_engine(home) as (url, process),
        httpx.Client(base_url=url, timeout=60, trust_env=False) as http,
    ):
        yield psutil.Process(process.pid), http


def files(home: Path) -> set[str]:
    return {path.name for path in home.rglob("sha256-*")}


def test_a_model_is_pulled_answers_and_is_updated(
    engine: Serving, registry: Registry, tiny_model: Path
) -> None:
    # One process serves all that share these weights, under the name that was loaded first.
    engine.unload_all()
    version = registry.publish("pulled", tiny_model, system="Terse.")
    name, listed = registry.name("pulled"), registry.listed("pulled")
    assert lines(engine.http, name)[-1] == {"status": "success"}
    tags = {model["name"]: model for model in engine.http.get("/api/tags").json()["models"]}
    assert (tags[listed]["digest"], tags[listed]["size"]) == (version.digest, version.size)
    assert engine.chat(model=listed)["message"]["content"] == ANSWER
    registry.publish("pulled", tiny_model, system="Terser.")
    assert engine.answered("/api/pull", model=name, insecure=True) == {"status": "success"}
    assert engine.answered("/api/show", model=listed)["system"] == "Terser."
    # The weights are those that are loaded; nothing stopped them.
    assert engine.ps()[listed]["digest"] == version.digest
    engine.unload_all()


async def test_the_client_of_both_servers_pulls(engine: Serving, registry: Registry) -> None:
    version = registry.publish("typed", WEIGHTS)
    host = OllamaHost(engine.url)
    try:
        steps = [step async for step in host.pull(registry.name("typed"))]
        with pytest.raises(ServerError, match=r"file does not exist: 127\.0\.0\.1:\d+ has no model"):
            _ = [step async for step in host.pull(registry.name("none"))]
    finally:
        await host.aclose()
    last = [step for step in steps if step.digest == version.weights.digest][-1]
    assert (last.completed, last.total) == (len(WEIGHTS), len(WEIGHTS))
    assert steps[-1].status == "success"


def test_a_model_is_made_from_one_that_is_pulled_first(
    engine: Serving, registry: Registry, tiny_model: Path
) -> None:
    engine.unload_all()
    version = registry.publish("base", tiny_model.read_bytes() + b"base", system="Terse.")
    base = registry.listed("base")
    asked = {"model": "made", "from": base, "parameters": {"temperature": 0}}
    with engine.http.stream("POST", "/api/create", json=asked) as response:
        said = [json.loads(line)["status"] for line in response.iter_lines()]
    pulling = [f"pulling {layer.digest[7:19]}" for layer in version.layers]
    steps = ["pulling manifest", *pulling, "verifying sha256 digest", "writing manifest"]
    assert list(dict.fromkeys(said))[: len(steps)] == steps
    assert [step.partition(" sha256")[0] for step in said[-5:]] == [
        "using existing layer",
        "using existing layer",
        "creating new layer",
        "writing manifest",
        "success",
    ]
    assert said.count("success") == 1
    # The base stays.
    tags = {model["name"] for model in engine.http.get("/api/tags").json()["models"]}
    assert tags >= {base, "made:latest"}
    assert engine.chat(model="made")["message"]["content"] == ANSWER
    assert engine.answered("/api/show", model="made")["system"] == "Terse."
    # Now it is here, and nothing is asked.
    registry.forget()
    assert engine.answered("/api/create", **asked, system="Terser.") == {"status": "success"}
    assert not registry.asked
    # A model that is deleted cannot be stopped any more.
    engine.unload_all()
    for name in ("made", base):
        engine.http.request("DELETE", "/api/delete", json={"model": name})


def test_what_is_not_made_of_a_base_that_is_pulled_first(engine: Serving, registry: Registry) -> None:
    asked = {"model": "made", "from": registry.listed("none")}
    with engine.http.stream("POST", "/api/create", json=asked) as response:
        first, last = (json.loads(line) for line in response.iter_lines())
    assert first == {"status": "pulling manifest"}
    assert last["error"].startswith("pull model manifest: file does not exist: 127.0.0.1:")
    assert "has no model" in engine.error(500, "/api/create", **asked, stream=False)
    # What is wrong in any case is said before anything is fetched.
    registry.publish("other", WEIGHTS)
    registry.forget()
    asked["from"] = registry.listed("other")
    wrong = {"num_ctx": "x"}
    assert "must be of type integer" in engine.error(400, "/api/create", **asked, parameters=wrong)
    assert "needs Ollama" in engine.error(501, "/api/create", **asked, quantize="q4_0")
    assert not registry.asked
    # These weights are none.
    registry.publish("other", b"Dear Sir or Madam, " * 1000)
    assert "not a GGUF model" in engine.error(500, "/api/create", **asked, stream=False)
    assert registry.listed("other") not in engine.http.get("/api/tags").text


def test_a_pull_says_why_its_model_cannot_be_run(engine: Serving, registry: Registry) -> None:
    registry.publish("useless", bytes(Llama().whole.saying("llama.block_count", U32, 0)))
    *_, why, success = lines(engine.http, registry.name("useless"))
    assert why["status"] == "The file gives block_count as 0, with which no model can be loaded."
    assert success == {"status": "success"}
    told = engine.error(400, "/api/generate", model=registry.listed("useless"), prompt="Hi")
    assert told == why["status"]
    shown = engine.answered("/api/show", model=registry.listed("useless"))
    assert shown["prompt_template"]["notes"] == told
    engine.http.request("DELETE", "/api/delete", json={"model": registry.listed("useless")})


def test_weights_that_are_refused_are_named_as_in_the_steps(engine: Serving, registry: Registry) -> None:
    version = registry.publish("half", bytes(Llama().whole)[:-4000])
    *steps, last = lines(engine.http, registry.name("half"))
    short = version.weights.digest[7:19]
    assert f"pulling {short}" in {step["status"] for step in steps}
    assert f"{short} is cut short by" in last["error"]


def test_what_cannot_be_pulled(engine: Serving, registry: Registry) -> None:
    registry.publish("pulled", WEIGHTS)
    assert engine.error(400, "/api/pull", model="a b") == "invalid model name"
    assert "has no model" in engine.error(
        500, "/api/pull", model=registry.name("none"), insecure=True, stream=False
    )
    first, last = lines(engine.http, registry.name("none"))
    assert first == {"status": "pulling manifest"}
    assert last["error"].startswith("pull model manifest: file does not exist: 127.0.0.1:")
    # Nothing listens there.
    last = lines(engine.http, "http://127.0.0.1:9/a/b")[-1]
    assert last["error"] == "127.0.0.1:9 cannot be reached: Connection refused."
    # For llmstack, which says it in the user's language.
    reason = {"kind": "registry.unreachable", "params": {"host": "127.0.0.1:9", "why": "Connection refused"}}
    assert last["sentences"] == [{"kind": "quoted", "params": {"text": [reason]}}]


def test_a_client_that_hangs_up_pauses_the_pull(tmp_path: Path, registry: Registry) -> None:
    version = registry.publish("tiny", WEIGHTS)
    slow = Fault(path=f"/data/blobs/{version.weights.digest}", bytes_per_s=PART)
    registry.faults = [slow]
    with engine_at(tmp_path) as (_, http):
        left_at = lines(http, registry.name("tiny"), begun)[-1]["completed"]
        note = f"{version.weights.digest.replace(':', '-')}-partial.json"
        wait_until_sync(lambda: note in files(tmp_path), what="what came is noted")
        assert http.get("/api/tags").json() == {"models": []}
        registry.faults = []
        registry.forget()
        resumed = lines(http, registry.name("tiny"))
    assert resumed[1]["completed"] >= left_at
    assert resumed[-1] == {"status": "success"}
    assert count_bytes(ranges(registry, version)) <= len(WEIGHTS) - left_at


def test_what_came_is_thrown_away_when_it_is_not_wanted(tmp_path: Path, registry: Registry) -> None:
    version = registry.publish("tiny", WEIGHTS)
    blob = f"/api/blobs/{version.weights.digest}"
    registry.faults = [Fault(path=f"/data/blobs/{version.weights.digest}", stall_after=PART)]
    with engine_at(tmp_path) as (_, http):
        assert http.delete("/api/blobs/sha256:..").status_code == 400
        with http.stream("POST", "/api/pull", json={"model": registry.name("tiny")}) as response:
            said = response.iter_lines()
            while not begun(json.loads(next(said))):
                pass
            refused = http.delete(blob)
            assert refused.status_code == 409
            assert "is being downloaded" in refused.json()["error"]
        for layer in version.layers:
            assert http.delete(f"/api/blobs/{layer.digest}").status_code == 200
        assert not files(tmp_path)
        registry.faults = []
        assert lines(http, registry.name("tiny"))[-1] == {"status": "success"}
        whole = files(tmp_path)
        assert http.delete(blob).status_code == 200, "there is nothing unfinished"
        assert files(tmp_path) == whole


def test_a_killed_engine_goes_on_where_it_was(tmp_path: Path, registry: Registry, tiny_model: Path) -> None:
    version = registry.publish("tiny", tiny_model)
    registry.faults = [Fault(path=f"/data/blobs/{version.weights.digest}", bytes_per_s=100_000)]
    blob = version.weights.digest.replace(":", "-")
    note = f"{blob}-partial.json"
    with engine_at(tmp_path) as (process, http):

        def kill_when_noted(line: Line) -> bool:
            if note in files(tmp_path):
                process.kill()
            return False

        with pytest.raises(httpx.HTTPError):
            lines(http, registry.name("tiny"), kill_when_noted)
    texts = {layer.digest.replace(":", "-") for layer in version.layers if layer.kind != "model"}
    assert files(tmp_path) == {f"{blob}-partial", note, *texts}
    registry.faults = []
    registry.forget()
    with engine_at(tmp_path) as (_, http):
        resumed = lines(http, registry.name("tiny"))
        assert resumed[1]["completed"] > 0
        assert count_bytes(ranges(registry, version)) < version.weights.size
        asked = {"model": registry.listed("tiny"), "messages": [{"role": "user", "content": "Hi"}]}
        answer = http.post("/api/chat", json=asked | {"stream": False, "options": {"temperature": 0}}).json()
    assert answer["message"]["content"] == ANSWER
    assert files(tmp_path) == {layer.digest.replace(":", "-") for layer in version.layers}


def most_memory(process: psutil.Process) -> int:
    """Bytes that a process had in memory at most since its start."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="the most that a process had in memory is told by Linux")
def test_a_large_layer_takes_no_more_memory_than_a_small_one(tmp_path: Path, registry: Registry) -> None:
    small, large = 20 * 2**20, 256 * 2**20
    for name, size in (("small", small), ("large", large)):
        file = tmp_path / name
        with file.open("wb") as weights:
            weights.write(bytes(Llama()) + name.encode())
            weights.truncate(size)
        registry.publish(name, file)
    with engine_at(tmp_path) as (process, http):
        assert lines(http, registry.name("small"))[-1] == {"status": "success"}
        before = most_memory(process)
        assert lines(http, registry.name("large"))[-1] == {"status": "success"}
        assert most_memory(process) - before < 40 * 2**20


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")
def test_a_disk_that_takes_no_more(tmp_path: Path, registry: Registry) -> None:
    version = registry.publish("tiny", WEIGHTS)
    blob = version.weights.digest.replace(":", "-")
    with engine_at(tmp_path) as (process, http):
        _, hard = process.rlimit(resource.RLIMIT_FSIZE)
        process.rlimit(resource.RLIMIT_FSIZE, (len(WEIGHTS) // 2, hard))
        error = lines(http, registry.name("tiny"))[-1]["error"]
        assert (
            error
            == f"{version.weights.digest[7:19]} cannot be written: the disk takes no file that is so large."
        )
        assert blob not in files(tmp_path)
        process.rlimit(resource.RLIMIT_FSIZE, (hard, hard))
        assert lines(http, registry.name("tiny"))[-1] == {"status": "success"}
    assert blob in files(tmp_path)
