"""What each program is recognized by, tells and can do, on stand-ins that follow its public documents."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.kinds import Capability, HostKind, ServerKind
from llmstack_tui.core.auto_host import AutoHost
from llmstack_tui.hosts.errors import HostError, NotFound, Refused, ServerError
from llmstack_tui.hosts.types import Message
from llmstack_tui.openai.servers import LlamaSwap, LMStudio, RoutedLlama
from tests.ollama.clients import read
from tests.support.fake_ollama import fake_ollama
from tests.support.fake_servers import (
    SERVERS,
    FakeLlamaServer,
    FakeOldStudio,
    FakeRouter,
    FakeServer,
    FakeStudio,
    FakeSwap,
)
from tests.support.scripted_server import document, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.scripted_server import Reply, Request

HELLO = [Message(role="user", content="Hi")]
VERSIONS = {
    ServerKind.LLAMA_SERVER: "b10488-fake",
    ServerKind.LLAMA_ROUTER: "b10488-fake",
    ServerKind.LLAMA_SWAP: "175",
    ServerKind.VLLM: "0.12.0",
    ServerKind.TGI: "3.3.4",
}
LOADS = {ServerKind.LLAMA_ROUTER, ServerKind.LLAMA_SWAP, ServerKind.LM_STUDIO}
TELLS_LOADED = LOADS


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_host_is_what_its_program_is(kind: ServerKind) -> None:
    async with serving(fake := SERVERS[kind]()) as server:
        host = AutoHost(server.url)
        version = await host.version()
        assert (version.kind, version.server, version.version) == (
            HostKind.OPENAI,
            kind,
            VERSIONS.get(kind, ""),
        )
        assert host.server is kind
        assert [each.name for each in await host.installed()] == list(fake.models)
        running = await host.running()
        assert [each.name for each in running] == ([] if kind in TELLS_LOADED else list(fake.models))
        assert all(each.size is None and each.size_vram is None for each in running), "unknown is no 0"
        can = host.capabilities
        assert (Capability.LOAD in can, Capability.UNLOAD in can) == ((kind in LOADS,) * 2)
        never = Capability.PULL | Capability.DELETE | Capability.COPY | Capability.CREATE | Capability.IMPORT
        assert not can & never
        chunks = await read(host.chat(fake.models[0], HELLO))
        assert "".join(each.text for each in chunks) == "Hello there"
        assert (chunks[-1].done, chunks[-1].done_reason) == (True, "stop")
        usage = chunks[-1].usage
        assert usage is not None
        assert (usage.prompt_tokens, usage.answer_tokens) == (3, 2)
        details = await host.show(fake.models[0])
        assert details.name == fake.models[0]
        await host.aclose()


async def test_ollama_is_ollama() -> None:
    async with fake_ollama(a="1") as (_, server):
        host = AutoHost(server.url)
        assert (await host.version()).kind is HostKind.OLLAMA
        assert Capability.PULL in host.capabilities
        await host.aclose()


async def test_a_program_that_took_the_place_of_another_while_it_was_away_is_recognized() -> None:
    async with serving(SERVERS[ServerKind.VLLM]()) as server:
        host = AutoHost(server.url)
        assert (await host.version()).server is ServerKind.VLLM
        server.handle = FakeSwap()
        with pytest.raises(NotFound):
            await host.version()
        assert (await host.version()).server is ServerKind.LLAMA_SWAP
        await host.aclose()


@pytest.mark.parametrize("kind", [ServerKind.OLLAMA, ServerKind.VLLM, ServerKind.LLAMA_ROUTER])
async def test_an_answer_goes_on_though_a_look_at_the_server_failed_meanwhile(kind: ServerKind) -> None:
    is_busy, rest = False, asyncio.Event()

    async def later(whole: Reply) -> AsyncIterator[bytes]:
        await rest.wait()
        for piece in whole.pieces[1:]:
            yield piece

    async def handle(request: Request) -> Reply:
        if is_busy:
            return document({"error": "busy"}, 503)
        reply = await usual(request)
        if request.path in ("/api/chat", "/v1/chat/completions"):
            return replace(reply, pieces=reply.pieces[:1], later=later(reply))
        return reply

    async with fake_ollama(a="1") as (_, server):
        usual = server.handle if kind is ServerKind.OLLAMA else SERVERS[kind]()
        server.handle = handle
        host = AutoHost(server.url)
        assert (await host.version()).server is kind
        answer = host.chat((await host.installed())[0].name, HELLO)
        first = (await anext(answer)).text
        is_busy = True
        with pytest.raises(HostError):
            await host.version()
        is_busy = False
        assert (await host.version()).server is kind
        rest.set()
        chunks = await read(answer)
        assert (first, chunks[0].text, chunks[-1].done) in [("Hel", "lo", True), ("Hello", " there", True)]
        await host.aclose()


@pytest.mark.parametrize("fake", [FakeOldStudio(), FakeOldStudio(("x",), loaded=["x"])])
async def test_an_old_lm_studio_tells_what_is_loaded_and_loads_nothing(fake: FakeOldStudio) -> None:
    async with serving(fake) as server:
        host = AutoHost(server.url)
        assert (await host.version()).server is ServerKind.LM_STUDIO
        assert [each.name for each in await host.running()] == fake.loaded
        assert Capability.LOAD not in host.capabilities
        await host.aclose()


async def test_lm_studio_is_recognized_though_it_lists_only_what_is_loaded() -> None:
    class Quiet(FakeStudio):
        def entry(self, name: str) -> dict[str, object]:
            raise AssertionError(name)

    fake = Quiet(())
    async with serving(fake) as server:
        host = AutoHost(server.url)
        assert (await host.version()).server is ServerKind.LM_STUDIO
        await host.aclose()


MAKERS = [(RoutedLlama, FakeRouter), (LlamaSwap, FakeSwap), (LMStudio, FakeStudio)]


@pytest.mark.parametrize(("client", "program"), MAKERS)
async def test_loading_and_unloading(client: type[RoutedLlama], program: type[FakeServer]) -> None:
    fake = program(("a/b:c", "d"))
    async with serving(fake) as server:
        host = client(server.url)
        await host.load("a/b:c", keep_alive=timedelta(minutes=5))
        await host.load("a/b:c")
        assert [each.name for each in await host.running()] == ["a/b:c"] == fake.loaded
        await host.unload("a/b:c")
        await host.unload("a/b:c")
        assert (fake.loaded, fake.unloaded) == ([], ["a/b:c"])
        with pytest.raises((NotFound, ServerError)):
            await host.load("nope")
        await host.aclose()


@pytest.mark.parametrize(("client", "program"), MAKERS[:2])
async def test_a_model_that_answers_is_not_unloaded(
    client: type[RoutedLlama], program: type[FakeServer]
) -> None:
    fake = program(loaded=["a"], busy={"a"})
    async with serving(fake) as server:
        host = client(server.url)
        with pytest.raises(Refused) as refused:
            await host.unload("a")
        assert refused.value.kind == "openai.answers"
        assert fake.loaded == ["a"]
        await host.aclose()


@pytest.mark.parametrize(("client", "program"), MAKERS[:2])
async def test_a_model_that_cannot_be_loaded(client: type[RoutedLlama], program: type[FakeServer]) -> None:
    async with serving(program(("broken",))) as server:
        host = client(server.url)
        with pytest.raises(ServerError):
            await host.load("broken")
        await host.aclose()


async def test_a_model_that_sleeps_takes_no_memory_and_is_woken() -> None:
    fake = FakeRouter(loaded=["a"])
    fake.asleep.add("a")
    async with serving(fake) as server:
        host = RoutedLlama(server.url)
        assert await host.running() == ()
        await host.load("a")
        assert [each.name for each in await host.running()] == ["a"]
        await host.aclose()


async def test_a_single_llama_server_that_sleeps_has_nothing_loaded() -> None:
    fake = FakeLlamaServer(("a",))
    async with serving(fake) as server:
        host = AutoHost(server.url)
        await host.version()
        await host.installed()
        assert [each.context_length for each in await host.running()] == [512]
        assert not any(path.endswith(("/slots", "/metrics")) for path in server.asked), "that would wake it"
        fake.is_asleep = True
        assert await host.running() == ()
        await host.aclose()


async def test_lm_studio_is_told_how_long_a_model_that_a_chat_loads_may_stay() -> None:
    async with serving(FakeStudio()) as server:
        host = LMStudio(server.url)
        await read(host.chat("a", HELLO, keep_alive=timedelta(minutes=5), options={"num_predict": 7}))
        asked = server.requests[-1].json
        assert (asked["ttl"], asked["max_tokens"], asked["stream"]) == (300, 7, True)
        await host.aclose()


async def test_all_instances_of_a_model_leave() -> None:
    class Twice(FakeStudio):
        def model(self, name: str) -> dict[str, object]:
            instances = [{"id": each, "config": {}} for each in self.loaded]
            return super().model(name) | {"loaded_instances": instances}

    fake = Twice(("a",), loaded=["a", "a:2"])
    async with serving(fake) as server:
        host = LMStudio(server.url)
        assert [each.name for each in await host.running()] == ["a"]
        await host.unload("a")
        assert fake.unloaded == ["a", "a:2"]
        await host.aclose()
