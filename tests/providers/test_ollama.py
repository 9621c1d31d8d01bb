"""Ollama's protocol as a provider: by recorded bytes, and with the built-in engine."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.hosts.transport import Timeouts, Transport
from llmstack_tui.providers.errors import BadAnswer, CannotDo, NotReachable, UnknownModel
from llmstack_tui.providers.ollama import OllamaProvider
from llmstack_tui.providers.streams import answering, whole
from llmstack_tui.providers.types import (
    ChatMessage,
    ChatRequest,
    EmbedRequest,
    EndReason,
    Image,
    Parameters,
    Role,
    TextRequest,
    Tool,
    ToolCall,
)
from tests.providers.replaying import SIZES, in_pieces, recorded, replay
from tests.support.scripted_server import Reply, Request, ScriptedServer, Then, document, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from llmstack_tui.providers.types import Answer

ALL = ("completion", "tools", "vision", "thinking")
HELLO = (ChatMessage(role=Role.USER, text="Hi"),)
WEATHER = Tool(name="get_weather", purpose="The weather.", schema={"type": "object", "properties": {}})


def provider_at(url: str) -> OllamaProvider:
    http = Transport(url, user_agent="test", timeouts=Timeouts(), not_it="host.is_it_ollama")
    return OllamaProvider(http)


@asynccontextmanager
async def answered(reply: Reply, *capabilities: str) -> AsyncIterator[tuple[OllamaProvider, ScriptedServer]]:
    """A provider whose one model has these capabilities, and answers so."""

    async def handle(request: Request) -> Reply:
        if request.path == "/api/show":
            return document({"capabilities": list(capabilities), "model_info": {}})
        return reply

    async with serving(handle) as server:
        provider = provider_at(server.url)
        try:
            yield provider, server
        finally:
            await provider.aclose()


def sent(server: ScriptedServer) -> dict[str, object]:
    return server.requests[-1].json


def pieces_of(answer: Answer) -> tuple[str, str]:
    return answer.text, answer.reasoning


@pytest.mark.parametrize("size", SIZES)
async def test_an_answer_comes_whole_however_it_is_cut_into_pieces(size: int) -> None:
    async with answered(replay("ollama-chat", size), *ALL) as (provider, _):
        answer = await whole(provider.chat(ChatRequest(model="llama3.2", messages=HELLO)))
    assert pieces_of(answer) == ("¡Café olé 🐑!", "Hm, ¿qué?")
    ending, usage = answer.ending, answer.ending.usage
    assert (ending.reason, ending.said, ending.model) == (EndReason.STOP, "stop", "llama3.2")
    assert ending.provider == "ollama"
    assert (usage.prompt_tokens, usage.answer_tokens) == (26, 282)
    assert (usage.load_s, usage.prompt_s, usage.answer_s) == (0.001334875, 0.342546, 4.535599)
    assert usage.total_s is not None
    assert usage.first_s is not None
    assert 0 < usage.first_s <= usage.total_s


async def test_tool_calls_come_whole_each_with_an_id() -> None:
    request = ChatRequest(model="llama3.2", messages=HELLO, tools=(WEATHER,))
    async with answered(replay("ollama-tools", 7), *ALL) as (provider, server):
        answer = await whole(provider.chat(request))
        assert json.dumps(sent(server)["tools"]).count("get_weather") == 1
    first, second = answer.tool_calls
    assert (first.name, first.arguments) == ("get_weather", {"city": "Tokyo"})
    assert first.id.startswith("call_")
    assert (second.id, second.name, second.arguments) == ("call_9", "get_time", {})
    assert answer.ending.reason is EndReason.TOOLS


async def test_everything_of_a_request_has_its_place() -> None:
    messages = (
        ChatMessage(role=Role.SYSTEM, text="Short."),
        ChatMessage(role=Role.USER, text="What?", images=(Image("image/png", b"\x89PNG"),)),
        ChatMessage(
            role=Role.ASSISTANT,
            text="",
            reasoning="Hm",
            tool_calls=(ToolCall(id="c1", name="look", arguments={"n": 1}),),
        ),
        ChatMessage(role=Role.TOOL, text="42", answers="c1", tool="look"),
    )
    request = ChatRequest(
        model="m",
        messages=messages,
        schema={},
        reasoning="high",
        parameters=Parameters(
            temperature=0, max_tokens=9, stop=("x",), context_length=64, keep_alive_s=90, more={"mirostat": 1}
        ),
    )
    async with answered(replay("ollama-chat"), *ALL) as (provider, server):
        await whole(provider.chat(request))
        body = sent(server)
    assert body["messages"] == [
        {"role": "system", "content": "Short."},
        {"role": "user", "content": "What?", "images": ["iVBORw=="]},
        {
            "role": "assistant",
            "content": "",
            "thinking": "Hm",
            "tool_calls": [{"id": "c1", "function": {"name": "look", "arguments": {"n": 1}}}],
        },
        {"role": "tool", "content": "42", "tool_name": "look", "tool_call_id": "c1"},
    ]
    options = {"temperature": 0, "num_predict": 9, "stop": ["x"], "num_ctx": 64, "mirostat": 1}
    assert (body["format"], body["think"], body["options"]) == ("json", "high", options)
    assert body["keep_alive"] == "1m30s"


@pytest.mark.parametrize(
    ("capabilities", "request_", "kind"),
    [
        (("embedding",), ChatRequest(model="m", messages=HELLO), "providers.cannot_chat"),
        (("rerank",), TextRequest(model="m", prompt="Hi"), "providers.cannot_generate"),
        (
            ("completion",),
            ChatRequest(model="m", messages=HELLO, tools=(WEATHER,)),
            "providers.cannot_use_tools",
        ),
        (("completion",), ChatRequest(model="m", messages=HELLO, reasoning=True), "providers.cannot_reason"),
        (
            ("completion",),
            TextRequest(model="m", prompt="Hi", images=(Image("image/png", b""),)),
            "providers.cannot_see",
        ),
    ],
)
async def test_what_a_model_cannot_do_is_said_before_anything_is_sent(
    capabilities: tuple[str, ...], request_: ChatRequest | TextRequest, kind: str
) -> None:
    async with answered(replay("ollama-chat"), *capabilities) as (provider, server):
        answer = provider.chat(request_) if isinstance(request_, ChatRequest) else provider.generate(request_)
        with pytest.raises(CannotDo) as caught:
            await whole(answer)
        assert caught.value.kind == kind
        assert str(caught.value).startswith("m at ollama ")
        assert server.asked == ["POST /api/show"]


async def test_what_a_model_can_do_is_asked_once() -> None:
    async with answered(replay("ollama-chat"), *ALL) as (provider, server):
        for _ in range(2):
            await whole(provider.chat(ChatRequest(model="m", messages=HELLO)))
        assert server.asked == ["POST /api/show", "POST /api/chat", "POST /api/chat"]


CUT = recorded("ollama-chat")[:420]


@pytest.mark.parametrize(
    ("reply", "error", "says"),
    [
        (Reply((CUT,), then=Then.CUT), BadAnswer, "broke off in the middle"),
        (Reply((CUT,), then=Then.RESET), BadAnswer, "broke off in the middle"),
        (Reply((recorded("ollama-chat").splitlines()[0] + b"\n",)), BadAnswer, "broke off before its end"),
        (Reply((b"<html>Portal</html>",), content_type="text/html"), BadAnswer, "it is a web page"),
        (Reply(("{'erreur': 'é'}".encode("latin-1"),)), BadAnswer, "not the JSON that was expected"),
        (document({"error": "model 'm' not found"}, 404), UnknownModel, "has no model m"),
    ],
)
async def test_an_answer_that_breaks_off_or_is_something_else_is_one_sentence(
    reply: Reply, error: type[Exception], says: str
) -> None:
    async with answered(reply, *ALL) as (provider, _):
        with pytest.raises(error, match=says):
            await whole(provider.chat(ChatRequest(model="m", messages=HELLO)))


async def test_a_server_that_falls_silent_is_given_up_after_the_limit() -> None:
    async with answered(Reply((CUT,), then=Then.HANG), *ALL) as (provider, _):
        chat = provider.chat(ChatRequest(model="m", messages=HELLO))
        with pytest.raises(NotReachable, match="sent nothing more"):
            await whole(answering(chat, provider="ollama", model="m", gap_s=0.05))


async def test_text_in_latin_1_keeps_what_can_be_read() -> None:
    line = b'{"message":{"content":"caf\xe9"},"done":true,"done_reason":"stop"}\n'
    async with answered(Reply(tuple(in_pieces(line, 3))), *ALL) as (provider, _):
        answer = await whole(provider.chat(ChatRequest(model="m", messages=HELLO)))
    assert answer.text == "caf\N{REPLACEMENT CHARACTER}"


async def test_vectors_come_in_batches_in_their_order() -> None:
    async def handle(request: Request) -> Reply:
        if request.path == "/api/show":
            return document({"capabilities": ["embedding"]})
        texts = request.json["input"]
        assert isinstance(texts, list)
        return document(
            {"embeddings": [[float(each), 0.5] for each in texts], "prompt_eval_count": len(texts)}
        )

    async with serving(handle) as server:
        provider = provider_at(server.url)
        found = await provider.embed(EmbedRequest(model="e", texts=tuple(map(str, range(300)))))
        await provider.aclose()
        assert server.asked.count("POST /api/embed") == 3
    assert [each[0] for each in found.vectors] == list(map(float, range(300)))
    assert found.usage.prompt_tokens == 300
