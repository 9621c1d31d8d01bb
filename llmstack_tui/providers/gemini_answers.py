"""Answers of Google's Gemini API.

Sources: ai.google.dev, "Generating content", "Embeddings", "Models" (2026-11); ``google/genai/types.py`` of
googleapis/python-genai at 6680718.
"""

from __future__ import annotations

from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.text import excerpt, with_full_stop
from llmstack_tui.hosts.decoding import StreamLine, Wire, WrongShape
from llmstack_tui.openai.answers import count
from llmstack_tui.providers.abilities import of_name
from llmstack_tui.providers.calls import tool_call
from llmstack_tui.providers.errors import Blocked
from llmstack_tui.providers.types import Ability, Ending, EndReason, ModelFacts, Piece
from llmstack_tui.providers.usage import Usage

_REFUSED = {
    "SAFETY",
    "RECITATION",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
}
_REASONS = {"STOP": EndReason.STOP, "MAX_TOKENS": EndReason.LENGTH} | dict.fromkeys(
    _REFUSED, EndReason.REFUSED
)
_WRITES = Ability.CHAT | Ability.GENERATE | Ability.TOOLS | Ability.IMAGES | Ability.SCHEMA


class WireFunctionCall(Wire):
    id: str | None = None
    name: str | None = None
    args: dict[str, object] | None = None


class ContentPart(Wire, rename="camel"):
    """``thought``: whether the text is what the model thinks."""

    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: WireFunctionCall | None = None


class WireContent(Wire):
    parts: list[ContentPart] | None = None


class Candidate(Wire, rename="camel"):
    content: WireContent | None = None
    finish_reason: str | None = None
    finish_message: str | None = None


class PromptFeedback(Wire, rename="camel"):
    block_reason: str | None = None
    block_reason_message: str | None = None


class ContentCounts(Wire, rename="camel"):
    """``candidates_token_count`` is without the thoughts."""

    prompt_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None


class ContentEvent(StreamLine, rename="camel"):
    candidates: list[Candidate] | None = None
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: ContentCounts | None = None
    model_version: str | None = None


class ListedGemini(Wire, rename="camel"):
    """``GET /v1beta/models/{model}``, and an item of ``GET /v1beta/models``."""

    name: str | None = None
    input_token_limit: int | None = None
    output_token_limit: int | None = None
    supported_generation_methods: list[str] | None = None
    thinking: bool | None = None


class GeminiModels(Wire):
    models: list[ListedGemini] | None = None


class GeminiVector(Wire):
    values: tuple[float, ...] | None = None


class GeminiVectors(Wire):
    embeddings: list[GeminiVector] | None = None


class CountedContent(Wire, rename="camel"):
    """``countTokens``."""

    total_tokens: int | None = None


class GeminiReading:
    """Puts the events of one answer together.

    Args:
        provider: whose error it is if the question is refused.
    """

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._model = ""
        self._reason = ""
        self._said = ""
        self._signature = ""
        self._calls = False
        self._counts = ContentCounts()

    def heard(self, event: ContentEvent) -> Piece | None:
        """What an event adds to the answer; None where it is nothing.

        Raises:
            Blocked: the question is refused.
        """
        if event.prompt_feedback and event.prompt_feedback.block_reason:
            self._block(event.prompt_feedback)
        self._model = event.model_version or self._model
        self._counts = event.usage_metadata or self._counts
        if not event.candidates:
            return None
        candidate = event.candidates[0]
        if candidate.finish_reason:
            self._reason = candidate.finish_reason
            self._said = candidate.finish_message or candidate.finish_reason
        parts = (candidate.content and candidate.content.parts) or []
        return self._piece(parts)

    @property
    def is_complete(self) -> bool:
        """Whether the service has said why the answer ends."""
        return bool(self._reason)

    @property
    def last(self) -> Piece:
        reason = _REASONS.get(self._reason, EndReason.OTHER)
        if reason is EndReason.STOP and self._calls:
            reason = EndReason.TOOLS
        ending = Ending(reason=reason, usage=self._used, said=excerpt(self._said), model=excerpt(self._model))
        return Piece(signature=self._signature, ending=ending)

    def _piece(self, parts: list[ContentPart]) -> Piece | None:
        calls = tuple(
            tool_call(
                part.function_call.name or "",
                part.function_call.args or {},
                call_id=part.function_call.id or "",
                signature=part.thought_signature or "",
            )
            for part in parts
            if part.function_call
        )
        self._calls = self._calls or bool(calls)
        for part in parts:
            if part.thought_signature and not part.function_call:
                self._signature = part.thought_signature
        text = "".join(part.text or "" for part in parts if not part.thought)
        thoughts = "".join(part.text or "" for part in parts if part.thought)
        return Piece(text=text, reasoning=thoughts, tool_calls=calls) if text or thoughts or calls else None

    def _block(self, feedback: PromptFeedback) -> None:
        said = excerpt(feedback.block_reason_message or feedback.block_reason or "")
        raise Blocked("providers.blocked", provider=self._provider, said=(quoted(with_full_stop(said)),))

    @property
    def _used(self) -> Usage:
        counts = self._counts
        prompt = _sum(counts.prompt_token_count, counts.tool_use_prompt_token_count)
        cached = count(counts.cached_content_token_count) or 0
        return Usage(
            prompt_tokens=prompt,
            evaluated_tokens=None if prompt is None else max(prompt - cached, 0),
            answer_tokens=_sum(counts.candidates_token_count, counts.thoughts_token_count),
            reasoning_tokens=count(counts.thoughts_token_count),
        )


def _sum(*figures: int | None) -> int | None:
    known = [found for each in figures if (found := count(each)) is not None]
    return sum(known) if known else None


def model(listed: ListedGemini) -> ModelFacts:
    name = (listed.name or "").removeprefix("models/")
    return ModelFacts(
        name=name,
        abilities=_abilities(name, listed),
        context_length=count(listed.input_token_limit) or None,
        most_answer_tokens=count(listed.output_token_limit) or None,
    )


def _abilities(name: str, listed: ListedGemini) -> Ability | None:
    methods = listed.supported_generation_methods
    if methods is None:
        return None
    can = Ability(0)
    # Models that make images, speech or films generate content, too.
    if "generateContent" in methods and of_name(name) is None:
        can |= _WRITES | (Ability.REASONING if listed.thinking else Ability(0))
    if {"embedContent", "batchEmbedContents"} & set(methods):
        can |= Ability.EMBED
    return can


def embeddings(answer: GeminiVectors) -> tuple[tuple[float, ...], ...]:
    """The vectors, in the order of the texts."""
    if answer.embeddings is None or any(each.values is None for each in answer.embeddings):
        raise WrongShape("answer.no_embeddings")
    return tuple(each.values for each in answer.embeddings if each.values is not None)
