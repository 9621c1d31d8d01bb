"""OpenAI's protocol as a provider: by recorded bytes of several programs."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from llmstack_tui.base.kinds import ServerKind
from llmstack_tui.base.secret import Secret
from llmstack_tui.hosts.transport import Timeouts, Transport
from llmstack_tui.providers.completions import chat_body
from llmstack_tui.providers.dialects import Dialect, dialect, is_strict
from llmstack_tui.providers.errors import BadAnswer, CannotDo, NoAccess, Overloaded, TooMany
from llmstack_tui.providers.openai import OpenAIProvider
from llmstack_tui.providers.streams import whole
from llmstack_tui.providers.types import (
    ChatMessage,
    ChatRequest,
    EmbedRequest,
    EndReason,
    Image,
    Parameters,
    Prefill,
    Role,
    TextRequest,
    Tool,
    ToolCall,
)
from tests.providers.replaying import SIZES, recorded, replay
from tests.support.scripted_server import Reply, Request, ScriptedServer, Then, document, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

HELLO = (ChatMessage(role=Role.USER, text="Hi"),)
REQUEST = ChatRequest(model="m", messages=HELLO)
LLAMA = {"data": [{"id": "m", "owned_by": "llamacpp", "meta": {"n_ctx_train": 4096}}]}
CLOUD = Dialect(is_openai=True)


@asynccontextmanager
async def answered(
    reply: Reply, models: Mapping[str, object] | None = None, key: str = ""
) -> AsyncIterator[tuple[OpenAIProvider, ScriptedServer]]:
    async def handle(request: Request) -> Reply:
        if request.path == "/v1/models":
            return document(models or {"data": [{"id": "m", "owned_by": "me"}]})
        return reply

    async with serving(handle) as server:
        http = Transport(
            f"{server.url}/v1",
            user_agent="test",
            timeouts=Timeouts(),
            not_it="openai.is_it",
            key=Secret(key) if key else None,
        )
        provider = OpenAIProvider(http)
        try:
            yield provider, server
        finally:
            await provider.aclose()


@pytest.mark.parametrize("size", SIZES)
async def test_an_answer_comes_whole_however_it_is_cut_into_pieces(size: int) -> None:
    async with answered(replay("openai-chat", size)) as (provider, server):
        answer = await whole(provider.chat(REQUEST))
        assert server.asked == ["GET /v1/models", "POST /v1/chat/completions"]
        assert server.requests[-1].json["stream_options"] == {"include_usage": True}
    assert answer.text == "¡Café olé 🐑!"
    assert (answer.ending.reason, answer.ending.model) == (EndReason.STOP, "gpt-5.1-2025-11-13")
    usage = answer.ending.usage
    assert (usage.prompt_tokens, usage.evaluated_tokens) == (2006, 86)
    assert (usage.answer_tokens, usage.reasoning_tokens) == (300, 192)


@pytest.mark.parametrize("size", SIZES)
async def test_tool_calls_are_put_together_and_broken_arguments_are_kept_as_written(size: int) -> None:
    async with answered(replay("openai-tools", size)) as (provider, _):
        answer = await whole(provider.chat(REQUEST))
    assert answer.tool_calls == (
        ToolCall(
            id="call_DdmO9pD3xa9XTPNJ32zg2hcA",
            name="get_weather",
            arguments={"location": "París"},
            written='{"location":"París"}',
        ),
        ToolCall(id="call_2", name="get_time", arguments=None, written='{"zone": "UT'),
    )
    assert answer.ending.reason is EndReason.TOOLS


async def test_llama_server_tells_how_far_the_prompt_is_and_its_times() -> None:
    async with answered(replay("llama-server-chat"), LLAMA) as (provider, server):
        pieces = [piece async for piece in provider.chat(REQUEST)]
        assert server.requests[-1].json["return_progress"] is True
        assert (await provider.model("m")).context_length == 4096
    assert [piece.prefill for piece in pieces if piece.prefill] == [
        Prefill(read=712, total=1200, cached=200),
        Prefill(read=1200, total=1200, cached=200),
    ]
    assert "".join(piece.reasoning for piece in pieces) == "Thinking."
    ending = pieces[-1].ending
    assert ending is not None
    assert ending.reason is EndReason.LENGTH
    assert (ending.usage.prompt_tokens, ending.usage.evaluated_tokens) == (1200, 1000)
    assert (ending.usage.prompt_s, ending.usage.answer_speed) == (0.7005, 100)


async def test_whole_calls_under_one_index_are_two_and_a_refusal_is_one() -> None:
    async with answered(replay("vllm-chat", 5)) as (provider, _):
        answer = await whole(provider.chat(REQUEST))
    assert [(each.id, each.arguments) for each in answer.tool_calls] == [("a", {}), ("b", {"n": 2})]
    assert (answer.reasoning, answer.ending.reason) == ("is", EndReason.TOOLS)
    async with answered(replay("openai-refusal")) as (provider, _):
        answer = await whole(provider.chat(REQUEST))
    assert (answer.text, answer.ending.reason) == ("I'm sorry, I cannot assist with that.", EndReason.REFUSED)


@pytest.mark.parametrize(
    ("reply", "error", "says"),
    [
        (Reply((recorded("openai-chat")[:700],), then=Then.CUT), BadAnswer, "broke off in the middle"),
        (Reply((recorded("openai-chat")[:700],)), BadAnswer, "ended too early"),
        (Reply((b"<html>Portal</html>",), content_type="text/html"), BadAnswer, "it is a web page"),
        (Reply(("é".encode("latin-1"),), 502, "text/plain"), Overloaded, "status 502"),
        (
            Reply((b'data: {"error":{"message":"Slow down.","type":"rate_limit_exceeded"}}\n\n',)),
            TooMany,
            "Slow down",
        ),
        (document({"error": {"message": "Bad key.", "code": "invalid_api_key"}}, 401), NoAccess, "Bad key"),
    ],
)
async def test_what_goes_wrong_is_one_sentence(reply: Reply, error: type[Exception], says: str) -> None:
    async with answered(reply, key="secret-key") as (provider, _):
        with pytest.raises(error, match=says) as caught:
            await whole(provider.chat(REQUEST))
        assert "secret-key" not in repr(caught.value)


async def test_a_model_that_embeds_only_is_told_apart_and_its_vectors_come() -> None:
    reply = document(
        {
            "data": [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}],
            "usage": {"prompt_tokens": 5},
        }
    )
    async with answered(reply) as (provider, server):
        with pytest.raises(CannotDo, match="cannot chat"):
            await whole(provider.chat(ChatRequest(model="text-embedding-3-small", messages=HELLO)))
        assert "POST /v1/chat/completions" not in server.asked
        found = await provider.embed(EmbedRequest(model="text-embedding-3-small", texts=("a", "b")))
    assert (found.vectors, found.usage.prompt_tokens) == (((1.0,), (2.0,)), 5)


async def test_a_raw_text_goes_to_completions_where_there_are_some() -> None:
    async with answered(replay("llama-server-chat"), LLAMA) as (provider, server):
        await whole(provider.generate(TextRequest(model="m", prompt="Once", raw=True)))
        await whole(provider.generate(TextRequest(model="m", prompt="Hi", system="Be short.")))
        raw, chat = (each for each in server.requests if each.method == "POST")
    assert (raw.path, raw.json["prompt"]) == ("/v1/completions", "Once")
    assert chat.path == "/v1/chat/completions"
    assert chat.json["messages"] == [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "Hi"},
    ]


async def test_a_cloud_is_not_asked_for_its_models_first() -> None:
    asked: list[str] = []

    async def content() -> AsyncIterator[bytes]:
        yield recorded("openai-chat")

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, content=content())

    http = Transport(
        "https://api.openai.com:443/v1",
        user_agent="",
        timeouts=Timeouts(),
        not_it="openai.is_it",
        transport=httpx.MockTransport(handle),
    )
    provider = OpenAIProvider(http, needs_key=True)
    assert (await whole(provider.chat(REQUEST))).text
    assert asked == ["https://api.openai.com/v1/chat/completions"]
    assert not await provider.is_available()
    await provider.aclose()


def body(to: Dialect, **fields: object) -> dict[str, object]:
    return chat_body(ChatRequest(messages=HELLO, **{"model": "m", **fields}), to)  # type: ignore[arg-type]


LIMITED = Parameters(max_tokens=5, top_k=3)


def test_each_program_is_asked_in_its_own_words() -> None:
    assert body(CLOUD, model="gpt-5.1", parameters=LIMITED)["max_completion_tokens"] == 5
    assert body(CLOUD, model="gpt-4.1", parameters=LIMITED)["max_tokens"] == 5
    assert "top_k" not in body(CLOUD, parameters=LIMITED)
    local = dialect("http://127.0.0.1:8000", ServerKind.VLLM)
    assert body(local, model="gpt-5-like", parameters=LIMITED)["max_tokens"] == 5
    assert body(local, parameters=LIMITED)["top_k"] == 3
    assert body(CLOUD, reasoning="low")["reasoning_effort"] == "low"
    assert body(CLOUD, reasoning=False)["reasoning_effort"] == "none"
    assert body(local, reasoning=False)["chat_template_kwargs"] == {"enable_thinking": False}
    assert "return_progress" not in body(local)
    assert body(CLOUD, parameters=Parameters(more={"service_tier": "flex"}))["service_tier"] == "flex"


def test_images_tools_and_schemas_have_their_form() -> None:
    seen = ChatMessage(role=Role.USER, text="What?", images=(Image("image/png", b"\x89PNG"),))
    called = ChatMessage(
        role=Role.ASSISTANT, text="", tool_calls=(ToolCall(id="1", name="f", arguments=None, written="{"),)
    )
    answer = ChatMessage(role=Role.TOOL, text="42", answers="1", tool="f")
    found = chat_body(
        ChatRequest(
            model="m",
            messages=(seen, called, answer),
            tools=(Tool(name="f", purpose="F.", schema={"type": "object"}),),
            schema={
                "type": "object",
                "properties": {"a": {}},
                "required": ["a"],
                "additionalProperties": False,
            },
        ),
        CLOUD,
    )
    assert found["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
            ],
        },
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "content": "42", "tool_call_id": "1"},
    ]
    assert found["tools"] == [
        {"type": "function", "function": {"name": "f", "description": "F.", "parameters": {"type": "object"}}}
    ]
    format_ = found["response_format"]
    assert isinstance(format_, dict)
    assert format_["json_schema"]["strict"] is True
    assert body(CLOUD, schema={})["response_format"] == {"type": "json_object"}
    assert not is_strict({"type": "object", "properties": {"a": {"type": "object"}}})
