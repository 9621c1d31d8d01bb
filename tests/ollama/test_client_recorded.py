"""Every recorded exchange of the real servers, through the client."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from llmstack_tui.base.kinds import HostKind
from llmstack_tui.core.wording import words
from llmstack_tui.hardware.processes import ModelProcesses
from llmstack_tui.hosts.errors import HostError, NotFound, Refused, ServerError
from llmstack_tui.hosts.types import Message
from tests.ollama.clients import read, talking
from tests.support.scripted_server import Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from llmstack_tui.ollama.client import OllamaHost
    from tests.support.scripted_server import Request

RECORDED = Path(__file__).parent.parent / "contract" / "recorded"
Recording = dict[str, object]


def recorded(server: str) -> list[Recording]:
    document = json.loads((RECORDED / f"{server}.json").read_text())
    return cast("list[Recording]", document["exchanges"])


def named(server: str, name: str) -> Recording:
    return next(exchange for exchange in recorded(server) if exchange["name"] == name)


def reply_of(exchange: Recording) -> Reply:
    response = cast("dict[str, object]", exchange["response"])
    lines = [line for line in cast("list[object]", response["lines"]) if not str(line).startswith("... ")]
    texts = [line if isinstance(line, str) else json.dumps(line).replace(', "..."', "") for line in lines]
    status, content_type = cast("int", response["status"]), cast("str | None", response["content_type"])
    return Reply([text.encode() + b"\n" for text in texts], status, content_type)


def replaying(exchange: Recording, *first: Recording) -> Callable[[Request], Awaitable[Reply]]:
    """Answer with the exchange, and with those of ``first`` where their path is asked for."""
    earlier = {cast("dict[str, str]", each["request"])["path"]: each for each in first}

    async def handle(request: Request) -> Reply:
        return reply_of(earlier.get(request.path, exchange))

    return handle


OLD, NEW, FLOWS = "ollama-0.24.0", "ollama-0.32.15", "ollama-0.24.0-flows"
NEWEST, NEWEST_FLOWS = "ollama-0.33", "ollama-0.33-flows"


Body = dict[str, object]


def generate(host: OllamaHost, body: Body) -> Awaitable[object]:
    name = str(body["model"])
    if body.get("keep_alive") == 0:
        return host.unload(name)
    if "prompt" not in body:
        return host.load(name, keep_alive=timedelta(minutes=10))
    return read(host.generate(name, str(body["prompt"])))


# The calls of the client that make the recorded requests.
CALLS: dict[str, Callable[[OllamaHost, Body], Awaitable[object]]] = {
    "GET /api/version": lambda host, _: host.version(),
    "GET /api/tags": lambda host, _: host.installed(),
    "GET /api/ps": lambda host, _: host.running(),
    "POST /api/show": lambda host, body: host.show(str(body["model"])),
    "POST /api/generate": generate,
    "POST /api/chat": lambda host, body: read(
        host.chat(str(body["model"]), [Message(role="user", content="Hi")])
    ),
    "POST /api/embed": lambda host, body: host.embed(str(body["model"]), ["a", "b"]),
    "POST /api/pull": lambda host, body: read(host.pull(str(body["model"]))),
    "POST /api/create": lambda host, body: read(host.create(str(body["model"]), base=str(body["from"]))),
    "POST /api/copy": lambda host, body: host.copy(str(body["source"]), str(body["destination"])),
    "DELETE /api/delete": lambda host, body: host.delete(str(body["model"])),
}

# The stream was closed by the client that recorded it, so it has no end.
CLOSED = "pull-cancelled"


def key(exchange: Recording) -> str:
    request = cast("dict[str, object]", exchange["request"])
    return f"{request['method']} {request['path']}"


def calls(server: str) -> list[object]:
    """The recorded exchanges that are calls of the client."""
    return [
        pytest.param(server, index, id=f"{server}-{index}-{exchange['name']}")
        for index, exchange in enumerate(recorded(server))
        if key(exchange) in CALLS
        and isinstance(cast("dict[str, object]", exchange["request"])["body"], dict | None)
        and exchange["name"] != CLOSED
    ]


EVERY = [call for server in (OLD, NEW, NEWEST, FLOWS, NEWEST_FLOWS) for call in calls(server)]


@pytest.mark.parametrize(("server", "index"), EVERY)
async def test_every_recorded_answer_is_understood(server: str, index: int) -> None:
    exchange = recorded(server)[index]
    response = cast("dict[str, object]", exchange["response"])
    request = cast("dict[str, object]", exchange["request"])
    body = cast("Body", request["body"] or {})
    lines = cast("list[object]", response["lines"])
    last = lines[-1] if lines else {}
    shown = () if request["path"] == "/api/show" else (named(OLD, "show"),)
    async with talking(replaying(exchange, *shown)) as (host, scripted):
        if isinstance(last, dict) and "error" in last:
            status = response["status"]
            kind = {404: NotFound, 400: Refused, 501: Refused}.get(cast("int", status), ServerError)
            with pytest.raises(kind) as caught:
                await CALLS[key(exchange)](host, body)
            assert (
                caught.value.detail == " ".join(str(last["error"]).split())[:300].rstrip()
                or len(caught.value.detail) == 300
            )
            assert caught.value.host == host.url
        else:
            await CALLS[key(exchange)](host, body)
        asked = scripted.requests[-1]
    assert (asked.method, asked.path) == (request["method"], request["path"])


async def test_the_installed_models_of_each_version() -> None:
    async with talking(replaying(named(OLD, "tags"))) as (host, _):
        old = await host.installed()
    async with talking(replaying(named(NEW, "tags"))) as (host, _):
        new = await host.installed()
    assert [model.name for model in old] == ["127.0.0.1:5055/library/smollm2:135m", "smollm2:135m"]
    assert (old[1].size, old[1].parameters, old[1].quantization) == (98363025, "134.52M", "Q4_1")
    assert old[1].modified_at == datetime(2026, 11, 21, 7, 49, 2, 957391, UTC)
    assert (old[1].capabilities, old[1].context_length, old[1].weights_digest) == (None, None, None)
    assert new[1].capabilities == frozenset({"completion"})
    assert new[1].context_length == 8192
    assert new[1].weights_digest == "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    assert not new[1].is_cloud
    async with talking(replaying(named(NEWEST, "tags"))) as (host, _):
        newest = await host.installed()
    assert [model.name for model in newest] == [model.name for model in old]
    assert (newest[1].capabilities, newest[1].context_length) == (frozenset({"completion"}), 8192)
    # It no longer names the file of the weights here, but in the Modelfile.
    assert newest[1].weights_digest is None
    async with talking(replaying(named(NEWEST, "show"))) as (host, _):
        details = await host.show("smollm2:135m")
    assert details.weights_digest == new[1].weights_digest


async def test_the_running_models() -> None:
    async with talking(replaying(named(OLD, "ps-one-loaded"))) as (host, _):
        (model,) = await host.running()
    assert (model.name, model.size, model.size_vram, model.context_length) == (
        "smollm2:135m",
        190948608,
        0,
        4096,
    )
    assert model.expires_at == datetime(2026, 11, 21, 7, 58, 54, 904177, UTC)
    assert model.requests is None


async def test_a_running_model_of_the_newest_version_and_its_process() -> None:
    recording = json.loads((RECORDED / "ollama-0.33-runner.json").read_text())

    async def handle(_: Request) -> Reply:
        return Reply([json.dumps(recording["ps_meanwhile"]).encode()], 200, "application/json")

    async with talking(handle) as (host, _):
        (model,) = await host.running()
    assert (model.name, model.size, model.size_vram, model.context_length) == (
        "smollm2:135m",
        210690374,
        0,
        4096,
    )
    assert model.expires_at == datetime(2026, 11, 29, 15, 39, 22, 146213, UTC)
    # By the digest of its weights it is found among the processes of this machine.
    digest = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    waiting = [sys.executable, "-c", "print(flush=True); input()", *recording["command_line"].split()]
    with subprocess.Popen(waiting, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = ModelProcesses().used([digest])
        process.communicate(b"\n")
    assert found[digest].pid == process.pid


async def test_the_details_of_a_model() -> None:
    async with talking(replaying(named(OLD, "show"))) as (host, _):
        details = await host.show("smollm2:135m")
    assert details.name == "smollm2:135m"
    assert (details.context_length, details.embedding_length) == (8192, 576)
    assert details.weights_digest == "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    assert details.capabilities == frozenset({"completion"})
    assert details.info["general.architecture"] == "llama"
    assert details.template.startswith("{{- range .Messages }}")
    # What it says of its parent here is the path of a blob, which names no model.
    assert details.parent_model is None


async def test_the_details_of_a_model_made_from_another() -> None:
    async with talking(replaying(named(OLD, "show-created"))) as (host, _):
        details = await host.show("sys:1")
    assert details.parent_model == "smollm2:135m"
    assert details.system == "You are terse."
    assert (details.messages, details.remote_host, dict(details.projector_info)) == ((), None, {})


async def test_an_answer_in_pieces_and_its_figures() -> None:
    async with talking(replaying(named(OLD, "generate-stream"))) as (host, _):
        chunks = await read(host.generate("smollm2:135m", "Say hi."))
    assert "".join(chunk.text for chunk in chunks) == "Hello there, welcome to"
    assert [chunk.done for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].done_reason == "length"
    usage = chunks[-1].usage
    assert usage is not None
    assert usage.answer_tokens == 5
    assert usage.tokens_per_second is not None
    assert 1 < usage.tokens_per_second < 10_000
    assert all(chunk.usage is None for chunk in chunks[:-1])


@pytest.mark.parametrize(("flows", "completed"), [(FLOWS, 9633792), (NEWEST_FLOWS, 14417920)])
async def test_a_resumed_pull_begins_above_zero(flows: str, completed: int) -> None:
    async with talking(replaying(named(flows, "pull-resumed"))) as (host, _):
        steps = await read(host.pull("http://127.0.0.1:5056/library/smollm2:135m"))
    first = next(step for step in steps if step.digest)
    assert first.completed == completed
    assert first.total == 98362432
    assert steps[-1].status == "success"


async def test_the_version_says_which_server_it_is() -> None:
    async with talking(replaying(named(NEW, "version"))) as (host, _):
        version = await host.version()
    assert (version.kind, version.version) == (HostKind.OLLAMA, "0.32.15")


async def test_a_failed_load_says_why_in_the_servers_words() -> None:
    async with talking(replaying(named(NEW, "load"), named(NEW, "show"))) as (host, _):
        with pytest.raises(ServerError, match="llama-server binary not found") as caught:
            await host.load("smollm2:135m")
    assert isinstance(caught.value, HostError)
    assert words(caught.value).endswith((".", "…"))
