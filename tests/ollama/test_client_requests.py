"""What the client sends."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from llmstack_tui import __version__
from llmstack_tui.base.kinds import Capability, HostKind
from llmstack_tui.hosts.errors import BadStream, Refused
from llmstack_tui.hosts.types import Message, ServerVersion
from llmstack_tui.ollama.client import OllamaHost
from tests.ollama.clients import read, talking
from tests.support.scripted_server import Reply, always, document, ndjson

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.scripted_server import Request

LOADED = {"model": "m", "response": "", "done": True, "done_reason": "load"}


def knowing(*capabilities: str) -> Callable[[Request], Awaitable[Reply]]:
    """A server of one model with these capabilities."""

    async def handle(request: Request) -> Reply:
        if request.path == "/api/show":
            return document({"capabilities": capabilities} if capabilities else {})
        if request.path == "/api/embed":
            return document({"model": "m", "embeddings": []})
        return document(LOADED)

    return handle


async def test_a_model_that_generates_is_loaded_without_a_prompt_and_without_options() -> None:
    async with talking(knowing("completion", "embedding")) as (host, server):
        await host.load("m")
    assert server.asked == ["POST /api/show", "POST /api/generate"]
    assert server.requests[-1].json == {"model": "m", "stream": False}


async def test_a_server_that_tells_no_capabilities_is_asked_to_generate() -> None:
    async with talking(knowing()) as (host, server):
        await host.load("m")
    assert server.asked[-1] == "POST /api/generate"


async def test_an_embedding_model_is_loaded_by_embedding_nothing() -> None:
    async with talking(knowing("embedding")) as (host, server):
        await host.load("m", keep_alive=timedelta(minutes=10), context_length=512)
    assert server.asked[-1] == "POST /api/embed"
    assert server.requests[-1].json == {"model": "m", "keep_alive": "10m0s", "options": {"num_ctx": 512}}


@pytest.mark.parametrize(
    ("keep_alive", "sent"),
    [
        (timedelta(minutes=90), "1h30m0s"),
        (timedelta(0), "0s"),
        (timedelta(seconds=-1), -1),
        (timedelta(days=-3), -1),
    ],
)
async def test_how_long_a_model_stays(keep_alive: timedelta, sent: object) -> None:
    async with talking(knowing("completion")) as (host, server):
        await host.load("m", keep_alive=keep_alive, context_length=2048)
    assert server.requests[-1].json["keep_alive"] == sent
    assert server.requests[-1].json["options"] == {"num_ctx": 2048}


async def test_unloading() -> None:
    async with talking(always(document(LOADED))) as (host, server):
        await host.unload("m")
    assert server.requests[0].json == {"model": "m", "keep_alive": 0, "stream": False}


async def test_a_chat() -> None:
    last = {"message": {"role": "assistant", "content": "", "thinking": "hm"}, "done": True}
    messages = [Message(role="system", content="Be brief."), Message(role="user", content="Hi")]
    async with talking(always(ndjson({"message": {"content": "Hello"}}, last))) as (host, server):
        chunks = await read(
            host.chat("m", messages, options={"temperature": 0}, keep_alive=timedelta(minutes=1))
        )
    assert server.requests[0].json == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        "options": {"temperature": 0},
        "keep_alive": "1m0s",
    }
    assert [(chunk.text, chunk.thinking, chunk.done) for chunk in chunks] == [
        ("Hello", "", False),
        ("", "hm", True),
    ]


async def test_nothing_follows_the_last_chunk() -> None:
    reply = ndjson({"response": "a", "done": True}, {"response": "b"})
    async with talking(always(reply)) as (host, _):
        assert [chunk.text for chunk in await read(host.generate("m", "Hi"))] == ["a"]


async def test_embedding() -> None:
    async with talking(always(document({"embeddings": [[1, 0.5], [0, -1]]}))) as (host, server):
        assert await host.embed("m", ["a", "b"]) == ((1.0, 0.5), (0.0, -1.0))
    assert server.requests[0].json == {"model": "m", "input": ["a", "b"]}


@pytest.mark.parametrize(
    ("name", "insecure"), [("http://127.0.0.1:5055/library/m:1", True), ("m", None), ("not a name", None)]
)
async def test_only_a_plain_registry_is_pulled_from_without_tls(name: str, insecure: bool | None) -> None:
    async with talking(always(ndjson({"status": "success"}))) as (host, server):
        await read(host.pull(name))
    assert server.requests[0].json.get("insecure") is insecure


async def test_creating_copying_and_deleting() -> None:
    async def handle(request: Request) -> Reply:
        return ndjson({"status": "success"}) if request.path == "/api/create" else Reply()

    async with talking(handle) as (host, server):
        await read(host.create("new:1", base="m", system="Be terse.", parameters={"num_ctx": 2048}))
        await host.copy("m", "n")
        await host.delete("n")
    assert server.asked == ["POST /api/create", "POST /api/copy", "DELETE /api/delete"]
    assert [request.json for request in server.requests] == [
        {"model": "new:1", "from": "m", "system": "Be terse.", "parameters": {"num_ctx": 2048}},
        {"source": "m", "destination": "n"},
        {"model": "n"},
    ]


async def test_who_asks() -> None:
    async with talking(always(document({"version": "1"}))) as (host, server):
        await host.version()
    headers = server.requests[0].headers
    assert headers["user-agent"] == f"llmstack/{__version__} pid/{os.getpid()}"
    assert headers["accept-encoding"] == "identity"


async def test_a_path_before_the_api_is_kept() -> None:
    async with talking(always(document({"version": "1"}))) as (_, server):
        host = OllamaHost(f"{server.url}/ollama", user_agent="me")
        await host.version()
        await host.aclose()
    assert server.asked == ["GET /ollama/api/version"]
    assert server.requests[0].headers["user-agent"] == "me"


async def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with talking(always(document({"version": "1"}))) as (host, _):
        assert (await host.version()).version == "1"


async def test_the_built_in_engine_says_so_and_can_the_same() -> None:
    told = document({"version": "0.33.0", "engine": "llmstack", "engine_version": "v1.2.3"})
    async with talking(always(told)) as (host, _):
        before = host.capabilities
        assert await host.version() == ServerVersion(kind=HostKind.BUILTIN, version="1.2.3")
        assert host.capabilities == before
        assert Capability.PULL | Capability.IMPORT in host.capabilities


async def test_an_engine_that_runs_since_an_older_version_is_told_apart_too() -> None:
    async with talking(always(document({"version": "0.1.0", "engine": "llmstack"}))) as (host, _):
        assert await host.version() == ServerVersion(kind=HostKind.BUILTIN, version="0.1.0")


async def test_what_an_engine_does_not_do_is_refused() -> None:
    async with talking(always(document({"error": "It cannot pull models."}, 501))) as (host, _):
        with pytest.raises(Refused, match="cannot pull"):
            await read(host.pull("m"))


async def test_the_success_of_pulling_a_base_is_not_the_end_of_a_creation() -> None:
    steps = ["pulling manifest", "success", "writing manifest", "success"]
    async with talking(always(ndjson(*({"status": step} for step in steps)))) as (host, _):
        assert [step.status for step in await read(host.create("m", base="n"))] == steps
    async with talking(always(ndjson(*({"status": step} for step in steps[:3])))) as (host, _):
        with pytest.raises(BadStream, match="too_early"):
            await read(host.create("m", base="n"))
