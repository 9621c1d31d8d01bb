"""What a request becomes in the terms of Anthropic and of Gemini."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.structs import replace
from llmstack_tui.providers import prices
from llmstack_tui.providers.anthropic_requests import AnthropicModel, Thought, chat_body, signature
from llmstack_tui.providers.errors import CannotDo
from llmstack_tui.providers.gemini_requests import content_body, path_of
from llmstack_tui.providers.types import ChatMessage, ChatRequest, Image, Parameters, Role, Tool, ToolCall
from llmstack_tui.providers.usage import Usage
from tests.providers.clouds import asking, heard, replayed
from tests.providers.replaying import replay
from tests.support.scripted_server import document

if TYPE_CHECKING:
    from tests.support.scripted_server import Reply, Request

PICTURE = Image("image/png", b"\x89PNG")
DATA = base64.b64encode(PICTURE.content).decode()
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
CALL = ToolCall(
    id="c1", name="weather", arguments={"city": "Köln"}, written='{"city": "Köln"}', signature="Ep=="
)
BROKEN = ToolCall(id="call_llmstack_2", name="weather", arguments=None, written='{"ci')
THOUGHTS = [Thought(3, "s1"), Thought(data="hidden"), Thought(2, "s2")]
TALK = (
    ChatMessage(role=Role.SYSTEM, text="Be short."),
    ChatMessage(role=Role.USER, text="Here?", images=(PICTURE,)),
    ChatMessage(
        role=Role.ASSISTANT,
        text="I look.",
        reasoning="abcde",
        signature=signature(THOUGHTS),
        tool_calls=(CALL, BROKEN),
    ),
    ChatMessage(role=Role.TOOL, text="12 °C", answers="c1", tool="weather"),
    ChatMessage(role=Role.TOOL, text="No JSON.", answers="call_llmstack_2", tool="weather"),
    ChatMessage(role=Role.USER, text="And?"),
)
REQUEST = ChatRequest(
    model="m-1",
    messages=TALK,
    tools=(Tool(name="weather", purpose="Says it.", schema=SCHEMA),),
    schema=SCHEMA,
    parameters=Parameters(
        temperature=0.0, max_tokens=100, top_p=0.5, top_k=4, seed=7, stop=("END",), context_length=9
    ),
)


def test_a_request_to_anthropic() -> None:
    assert chat_body(REQUEST, AnthropicModel(name="m-1")) == {
        "model": "m-1",
        "max_tokens": 100,
        "system": "Be short.",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": DATA}},
                    {"type": "text", "text": "Here?"},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "abc", "signature": "s1"},
                    {"type": "redacted_thinking", "data": "hidden"},
                    {"type": "thinking", "thinking": "de", "signature": "s2"},
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Köln"}},
                    {
                        "type": "tool_use",
                        "id": "call_llmstack_2",
                        "name": "weather",
                        "input": {"INVALID_JSON": '{"ci'},
                    },
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "c1",
                        "content": [{"type": "text", "text": "12 °C"}],
                    },
                    {
                        "type": "tool_result",
                        "tool_use_id": "call_llmstack_2",
                        "content": [{"type": "text", "text": "No JSON."}],
                    },
                    {"type": "text", "text": "And?"},
                ],
            },
        ],
        "tools": [{"name": "weather", "description": "Says it.", "input_schema": SCHEMA}],
        "temperature": 0.0,
        "top_p": 0.5,
        "top_k": 4,
        "stop_sequences": ["END"],
        "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
        "stream": True,
    }


def test_a_request_to_gemini() -> None:
    settings = {
        "temperature": 0.0,
        "maxOutputTokens": 100,
        "topP": 0.5,
        "topK": 4,
        "seed": 7,
        "stopSequences": ["END"],
        "responseMimeType": "application/json",
        "responseJsonSchema": SCHEMA,
    }
    assert content_body(REQUEST, "BLOCK_ONLY_HIGH") == {
        "systemInstruction": {"parts": [{"text": "Be short."}]},
        "contents": [
            {
                "role": "user",
                "parts": [{"text": "Here?"}, {"inlineData": {"mimeType": "image/png", "data": DATA}}],
            },
            {
                "role": "model",
                "parts": [
                    {"text": "I look."},
                    {
                        "functionCall": {"id": "c1", "name": "weather", "args": {"city": "Köln"}},
                        "thoughtSignature": "Ep==",
                    },
                    {"functionCall": {"name": "weather", "args": {"INVALID_JSON": '{"ci'}}},
                ],
            },
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"id": "c1", "name": "weather", "response": {"output": "12 °C"}}},
                    {"functionResponse": {"name": "weather", "response": {"output": "No JSON."}}},
                    {"text": "And?"},
                ],
            },
        ],
        "tools": [
            {
                "functionDeclarations": [
                    {"name": "weather", "description": "Says it.", "parametersJsonSchema": SCHEMA}
                ]
            }
        ],
        "generationConfig": settings,
        "safetySettings": [
            {"category": f"HARM_CATEGORY_{harm}", "threshold": "BLOCK_ONLY_HIGH"}
            for harm in ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")
        ],
    }


NEWEST = AnthropicModel(name="m", adapts=True, takes_budget=False, efforts=("low", "high"))
OLDER = AnthropicModel(name="m", takes_budget=True, most_answer_tokens=8000)


ADAPTIVE = {"type": "adaptive", "display": "summarized"}


@pytest.mark.parametrize(
    ("facts", "wanted", "expected"),
    [
        (NEWEST, None, (None, None, 8192, None)),
        (NEWEST, True, (ADAPTIVE, None, 32_000, None)),
        (NEWEST, "high", (ADAPTIVE, {"effort": "high"}, 32_000, None)),
        (NEWEST, "medium", (ADAPTIVE, None, 32_000, None)),
        (NEWEST, False, (None, None, 8192, None)),
        (OLDER, None, (None, None, 8000, 0.5)),
        (OLDER, False, ({"type": "disabled"}, None, 8000, 0.5)),
        (OLDER, "low", ({"type": "enabled", "budget_tokens": 2048}, None, 8000, None)),
        (OLDER, "high", ({"type": "enabled", "budget_tokens": 7999}, None, 8000, None)),
    ],
)
def test_how_claude_is_told_to_think(
    facts: AnthropicModel, wanted: bool | str | None, expected: tuple[object, ...]
) -> None:
    body = chat_body(replace(asking(), reasoning=wanted, parameters=Parameters(temperature=0.5)), facts)
    names = ("thinking", "output_config", "max_tokens", "temperature")
    assert tuple(body.get(name) for name in names) == expected


@pytest.mark.parametrize(
    ("model", "wanted", "config"),
    [
        ("gemini-3-flash", None, None),
        ("gemini-3-flash", True, {"includeThoughts": True}),
        ("gemini-3.8-pro", "high", {"includeThoughts": True, "thinkingLevel": "HIGH"}),
        ("gemini-3-flash", False, {"includeThoughts": False, "thinkingLevel": "LOW"}),
        ("gemini-2.5-flash", True, {"includeThoughts": True, "thinkingBudget": -1}),
        ("gemini-2.5-flash", "low", {"includeThoughts": True, "thinkingBudget": 1024}),
        ("gemini-2.5-flash", False, {"thinkingBudget": 0}),
        ("gemini-2.5-pro", False, {"thinkingBudget": 128}),
    ],
)
def test_how_gemini_is_told_to_think(model: str, wanted: bool | str | None, config: object) -> None:
    body = content_body(replace(asking(model=model), reasoning=wanted))
    assert body.get("generationConfig", {}) == ({"thinkingConfig": config} if config else {})


def test_options_in_the_own_words_of_a_service_are_put_together() -> None:
    more = {"generationConfig": {"candidateCount": 1}, "cachedContent": "c"}
    request = replace(asking(), parameters=Parameters(temperature=1.0, more=more))
    body = content_body(request)
    assert body["generationConfig"] == {"temperature": 1.0, "candidateCount": 1}
    assert body["cachedContent"] == "c"


def test_a_call_that_another_model_made_passes_gemini_3() -> None:
    message = ChatMessage(role=Role.ASSISTANT, text="", tool_calls=(replace(CALL, signature=""), BROKEN))
    parts = content_body(ChatRequest(model="gemini-3-pro", messages=(message,)))["contents"]
    assert "skip_thought_signature_validator" in str(parts)
    assert str(parts).count("thoughtSignature") == 1


def test_thoughts_of_another_service_are_not_sent() -> None:
    message = ChatMessage(role=Role.ASSISTANT, text="Hi", reasoning="abc", signature="CiQ==")
    request = ChatRequest(model="m", messages=(message,))
    assert "thinking" not in str(chat_body(request, NEWEST)["messages"])
    assert "CiQ==" in str(content_body(request))
    claudes = ChatRequest(model="m", messages=(replace(message, signature=signature(THOUGHTS)),))
    assert "s1" not in str(content_body(claudes))


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("gemini-3-pro", "models/gemini-3-pro"),
        ("models/gemini-3-pro", "models/gemini-3-pro"),
        ("tunedModels/mine", "tunedModels/mine"),
        ("../../v1/files?x=1", "models/..%2F..%2Fv1%2Ffiles%3Fx%3D1"),
        ("models/a:delete#", "models/a%3Adelete%23"),
    ],
)
def test_the_name_of_a_model_leads_nowhere_else(model: str, path: str) -> None:
    assert path_of(model) == path


CLAUDE = {
    "id": "claude-x",
    "max_input_tokens": 200_000,
    "max_tokens": 64_000,
    "capabilities": {
        "image_input": {"supported": False},
        "structured_outputs": {"supported": True},
        "thinking": {
            "supported": True,
            "types": {"adaptive": {"supported": True}, "enabled": {"supported": False}},
        },
        "effort": {"supported": True, "low": {"supported": True}, "max": {"supported": False}},
    },
}


async def test_a_model_is_asked_what_it_can_do_once() -> None:
    async def handle(request: Request) -> Reply:
        return document(CLAUDE) if request.method == "GET" else replay("anthropic-chat")

    request = replace(asking(), reasoning="low", parameters=Parameters(temperature=0.5))
    async with replayed("anthropic", handle) as (found, server):
        pieces = await heard(found, request)
        await heard(found, request)
        with pytest.raises(CannotDo) as caught:
            await heard(found, ChatRequest(model="m-1", messages=TALK))
        assert server.asked == ["GET /v1/models/m-1", *["POST /v1/messages"] * 2]
        assert server.requests[1].json["output_config"] == {"effort": "low"}
        facts = await found.model("m-1")
    assert pieces[0].notice == "m-1 chooses its words itself: temperature, top_p and top_k were left out."
    assert "sees no images" in str(caught.value)
    assert (facts.context_length, facts.most_answer_tokens) == (200_000, 64_000)


def test_what_a_request_cost() -> None:
    pytest.importorskip("genai_prices")
    usage = Usage(prompt_tokens=1_000_000, evaluated_tokens=900_000, answer_tokens=100_000)
    cost = prices.cost("anthropic", "claude-opus-4-5", usage)
    # Dollars for a million: 5, from the cache 0.5, of the answer 25: platform.claude.com, "Pricing".
    assert cost is not None
    assert (cost.prompt_usd, cost.answer_usd) == (Decimal("4.55"), Decimal("2.5"))
    assert cost.usd == Decimal("7.05")
    assert cost.prices_from.startswith("genai-prices ")
    assert prices.cost("gemini", "gemini-2.5-flash", usage) is not None
    assert prices.cost("anthropic", "nobody-knows-it", usage) is None
    assert prices.cost("anthropic", "claude-opus-4-5", Usage()) is None
