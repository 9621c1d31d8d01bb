"""Requests in the terms of Anthropic's Messages API.

Sources: platform.claude.com, "Messages", "Extended thinking", "Adaptive thinking", "Structured outputs"
(2026-11); ``src/anthropic/types`` of anthropics/anthropic-sdk-python at 009b035.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from llmstack_tui.providers.turns import given, in_turns, system_text, with_more
from llmstack_tui.providers.types import ChatMessage, ModelFacts, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llmstack_tui.providers.types import ChatRequest, Image, ToolCall

# Every request has to say how long its answer may be.
_USUAL_TOKENS = 8192
_TOKENS_WITH_THOUGHTS = 32_000
_MOST_TOKENS = 64_000
_BUDGETS = {"low": 2048, "medium": 8192, "high": 16_384}


class AnthropicModel(ModelFacts, frozen=True, kw_only=True):
    """Attributes:
    adapts: whether the model decides itself how much it thinks.
    takes_budget: whether it can be told how many tokens to think; None is not known.
    efforts: the words for how much to think that it understands.
    """

    adapts: bool = False
    takes_budget: bool | None = None
    efforts: tuple[str, ...] = ()


class Thought(Struct, frozen=True, omit_defaults=True):
    """A block of thoughts, which Anthropic wants back as it was: so many characters, or hidden data."""

    characters: int = 0
    signature: str = ""
    data: str = ""


def chat_body(request: ChatRequest, facts: AnthropicModel) -> dict[str, object]:
    """``POST /v1/messages``. What this API does not have (seed, context length) is left to it."""
    wanted = request.parameters
    budget = _budget(request, facts)
    usual = _TOKENS_WITH_THOUGHTS if request.reasoning else _USUAL_TOKENS
    # What is thought counts as answer.
    most = min((wanted.max_tokens or usual) + budget, facts.most_answer_tokens or _MOST_TOKENS)
    # Who thinks, and the newest models always, choose their words themselves: such a request is refused.
    samples = not request.reasoning and facts.takes_budget is not False
    layout = {"type": "json_schema", "schema": request.schema} if request.schema else None
    body = given(
        model=request.model,
        max_tokens=most,
        system=system_text(request.messages),
        messages=_messages(request.messages),
        tools=[
            {"name": tool.name, "description": tool.purpose, "input_schema": tool.schema}
            for tool in request.tools
        ],
        temperature=wanted.temperature if samples else None,
        top_p=wanted.top_p if samples else None,
        top_k=wanted.top_k if samples else None,
        stop_sequences=list(wanted.stop),
        thinking=_thinking(request, facts, min(budget, most - 1)),
        output_config=given(format=layout, effort=_effort(request, facts)),
        stream=True,
    )
    return with_more(body, wanted.more)


def count_body(request: ChatRequest, facts: AnthropicModel) -> dict[str, object]:
    """``POST /v1/messages/count_tokens``."""
    names = ("model", "system", "messages", "tools", "thinking", "output_config")
    return {name: value for name, value in chat_body(request, facts).items() if name in names}


def leaves_out(request: ChatRequest, facts: AnthropicModel) -> bool:
    """Whether options of sampling are given that the model does not take."""
    wanted = request.parameters
    return facts.takes_budget is False and (wanted.temperature, wanted.top_p, wanted.top_k) != (
        None,
        None,
        None,
    )


def _budget(request: ChatRequest, facts: AnthropicModel) -> int:
    """How many tokens to think; 0 where the model decides that itself, or does not think."""
    if not request.reasoning or facts.adapts:
        return 0
    return _BUDGETS.get(str(request.reasoning), _BUDGETS["medium"])


def _effort(request: ChatRequest, facts: AnthropicModel) -> str:
    wanted = request.reasoning
    return wanted if isinstance(wanted, str) and wanted in facts.efforts else ""


def _thinking(request: ChatRequest, facts: AnthropicModel, budget: int) -> dict[str, object] | None:
    if request.reasoning is None:
        return None
    if not request.reasoning:
        return None if facts.takes_budget is False else {"type": "disabled"}
    if facts.adapts:
        # Without a word on it, the newest models keep their thoughts to themselves.
        return {"type": "adaptive", "display": "summarized"}
    return {"type": "enabled", "budget_tokens": budget}


def _messages(messages: Iterable[ChatMessage]) -> list[dict[str, object]]:
    return [
        {"role": "assistant" if is_model else "user", "content": blocks}
        for is_model, blocks in in_turns(messages, _blocks)
    ]


def _blocks(message: ChatMessage) -> list[dict[str, object]]:
    text: list[dict[str, object]] = [{"type": "text", "text": message.text}] if message.text.strip() else []
    if message.role is Role.TOOL:
        content = [*map(_image, message.images), *text]
        return [{"type": "tool_result", "tool_use_id": message.answers, "content": content}]
    if message.role is Role.ASSISTANT:
        return [*_thoughts(message), *text, *map(_call, message.tool_calls)]
    return [*map(_image, message.images), *text]


def _image(image: Image) -> dict[str, object]:
    data = base64.b64encode(image.content).decode()
    return {"type": "image", "source": {"type": "base64", "media_type": image.media_type, "data": data}}


def _call(call: ToolCall) -> dict[str, object]:
    # So does Anthropic's page "Fine-grained tool streaming" send back what was no JSON.
    written = {"INVALID_JSON": call.written} if call.arguments is None else call.arguments
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": written}


def signature(thoughts: Iterable[Thought]) -> str:
    """What has to come back with the thoughts; "" for none."""
    found = [each for each in thoughts if each.signature or each.data]
    return msgspec.json.encode(found).decode() if found else ""


def _thoughts(message: ChatMessage) -> Iterator[dict[str, object]]:
    """The blocks of thoughts as they came. Those of others, which have another signature, are left out."""
    try:
        found = msgspec.json.decode(message.signature, type=list[Thought])
    except msgspec.DecodeError:
        return
    start = 0
    for each in found:
        end = start + each.characters
        if each.data:
            yield {"type": "redacted_thinking", "data": each.data}
        else:
            text = message.reasoning[start:end]
            yield {"type": "thinking", "thinking": text, "signature": each.signature}
        start = end
