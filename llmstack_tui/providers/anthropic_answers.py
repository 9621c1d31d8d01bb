"""Answers of Anthropic's Messages API.

Sources: platform.claude.com, "Streaming messages", "Handling stop reasons", "List models" (2026-11);
``src/anthropic/types`` of anthropics/anthropic-sdk-python at 009b035.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.structs import replace
from llmstack_tui.base.text import excerpt
from llmstack_tui.hosts.decoding import StreamLine, Wire
from llmstack_tui.openai.answers import count
from llmstack_tui.providers.anthropic_requests import AnthropicModel, Thought, signature
from llmstack_tui.providers.calls import tool_call
from llmstack_tui.providers.types import Ability, Ending, EndReason, Piece
from llmstack_tui.providers.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.providers.types import ToolCall

_REASONS = {
    "end_turn": EndReason.STOP,
    "stop_sequence": EndReason.STOP,
    "max_tokens": EndReason.LENGTH,
    "model_context_window_exceeded": EndReason.LENGTH,
    "tool_use": EndReason.TOOLS,
    "refusal": EndReason.REFUSED,
}
_LEVELS = ("low", "medium", "high", "xhigh", "max")


class ThoughtTokens(Wire):
    thinking_tokens: int | None = None


class TokensUsed(Wire):
    """``input_tokens`` are without those that a cache had or was given."""

    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens: int | None = None
    output_tokens_details: ThoughtTokens | None = None


class StartedMessage(Wire):
    model: str | None = None
    usage: TokensUsed | None = None


class StartedBlock(Wire):
    type: str | None = None
    id: str | None = None
    name: str | None = None
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    input: dict[str, object] | None = None


class StopDetails(Wire):
    category: str | None = None
    explanation: str | None = None


class MessageDelta(Wire):
    """Of a block, or, with ``stop_reason``, of the message."""

    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None
    stop_details: StopDetails | None = None


class MessageEvent(StreamLine):
    """``error`` of the base class is that of the event ``error``."""

    type: str | None = None
    message: StartedMessage | None = None
    content_block: StartedBlock | None = None
    delta: MessageDelta | None = None
    usage: TokensUsed | None = None


class Supported(Wire):
    supported: bool | None = None


class ThinkingTypes(Wire):
    adaptive: Supported | None = None
    enabled: Supported | None = None


class ThinkingSupport(Wire):
    supported: bool | None = None
    types: ThinkingTypes | None = None


class ModelAbilities(Wire):
    effort: dict[str, object] | None = None
    image_input: Supported | None = None
    structured_outputs: Supported | None = None
    thinking: ThinkingSupport | None = None


class ListedClaude(Wire):
    """``GET /v1/models/{id}``, and an item of ``GET /v1/models``."""

    id: str | None = None
    capabilities: ModelAbilities | None = None
    max_input_tokens: int | None = None
    max_tokens: int | None = None


class ClaudeModels(Wire):
    data: list[ListedClaude] | None = None


class CountedInput(Wire):
    """``POST /v1/messages/count_tokens``."""

    input_tokens: int | None = None


class AnthropicReading:
    """Puts the events of one answer together."""

    def __init__(self) -> None:
        self._model = ""
        self._reason: str | None = None
        self._said = ""
        self._usage = TokensUsed()
        self._block = StartedBlock()
        self._written = ""
        self._thoughts: list[Thought] = []
        self.is_complete = False

    def heard(self, event: MessageEvent) -> Piece | None:
        """What an event adds to the answer; None where it is nothing."""
        match event.type:
            case "message_start" if event.message:
                self._model = event.message.model or ""
                self._count(event.message.usage)
            case "content_block_start" if event.content_block:
                return self._begun(event.content_block)
            case "content_block_delta" if event.delta:
                return self._grown(event.delta)
            case "content_block_stop":
                return self._ended()
            case "message_delta":
                self._count(event.usage)
                if event.delta and event.delta.stop_reason:
                    self._reason = event.delta.stop_reason
                    details = event.delta.stop_details
                    self._said = (details and (details.explanation or details.category)) or self._reason
            case "message_stop":
                self.is_complete = True
        return None

    @property
    def last(self) -> Piece:
        reason = _REASONS.get(self._reason or "", EndReason.OTHER)
        ending = Ending(reason=reason, usage=self._used, said=excerpt(self._said), model=excerpt(self._model))
        return Piece(signature=signature(self._thoughts), ending=ending)

    def _begun(self, block: StartedBlock) -> Piece | None:
        self._block, self._written = block, ""
        if block.type == "redacted_thinking":
            self._thoughts.append(Thought(data=block.data or ""))
        elif block.type == "thinking":
            self._thoughts.append(Thought(len(block.thinking or ""), block.signature or ""))
        return _said(block.text, block.thinking)

    def _grown(self, delta: MessageDelta) -> Piece | None:
        self._written += delta.partial_json or ""
        if self._thoughts and (delta.thinking or delta.signature):
            last = self._thoughts[-1]
            self._thoughts[-1] = replace(
                last,
                characters=last.characters + len(delta.thinking or ""),
                signature=last.signature + (delta.signature or ""),
            )
        return _said(delta.text, delta.thinking)

    def _ended(self) -> Piece | None:
        block, self._block = self._block, StartedBlock()
        if block.type != "tool_use":
            return None
        return Piece(tool_calls=(self._call(block),))

    def _call(self, block: StartedBlock) -> ToolCall:
        return tool_call(block.name or "", self._written or block.input or {}, call_id=block.id or "")

    def _count(self, usage: TokensUsed | None) -> None:
        """The figures of an event; each is that of the whole message so far."""
        for name in TokensUsed.__struct_fields__ if usage else ():
            if (figure := getattr(usage, name)) is not None:
                setattr(self._usage, name, figure)

    @property
    def _used(self) -> Usage:
        used = self._usage
        new, read = count(used.input_tokens), count(used.cache_read_input_tokens) or 0
        if new is not None:
            new += count(used.cache_creation_input_tokens) or 0
        details = used.output_tokens_details
        return Usage(
            prompt_tokens=None if new is None else new + read,
            evaluated_tokens=new,
            answer_tokens=count(used.output_tokens),
            reasoning_tokens=count(details.thinking_tokens) if details else None,
        )


def _said(text: str | None, thinking: str | None) -> Piece | None:
    return Piece(text=text or "", reasoning=thinking or "") if text or thinking else None


def model(listed: ListedClaude) -> AnthropicModel:
    """What the service says of a model; all of them chat, see and use tools."""
    can = Ability.CHAT | Ability.GENERATE | Ability.TOOLS | Ability.IMAGES
    said = listed.capabilities
    facts = AnthropicModel(
        name=listed.id or "",
        context_length=count(listed.max_input_tokens) or None,
        most_answer_tokens=count(listed.max_tokens) or None,
    )
    if said is None:
        return facts
    if said.image_input and said.image_input.supported is False:
        can &= ~Ability.IMAGES
    if said.structured_outputs and said.structured_outputs.supported:
        can |= Ability.SCHEMA
    if said.thinking is None or not said.thinking.supported:
        return replace(facts, abilities=can)
    types = said.thinking.types or ThinkingTypes()
    return replace(
        facts,
        abilities=can | Ability.REASONING,
        adapts=_is(types.adaptive),
        takes_budget=types.enabled.supported if types.enabled else None,
        efforts=tuple(level for level in _LEVELS if _takes(said.effort, level)),
    )


def _is(support: Supported | None) -> bool:
    return bool(support and support.supported)


def _takes(efforts: Mapping[str, object] | None, level: str) -> bool:
    support = (efforts or {}).get(level)
    return isinstance(support, dict) and support.get("supported") is True
