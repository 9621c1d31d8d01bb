"""OpenAI's chats and completions: requests as it wants them, and its events put together. Pure."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import msgspec

from llmstack_tui.base.text import excerpt
from llmstack_tui.openai import wire
from llmstack_tui.providers.calls import tool_call
from llmstack_tui.providers.dialects import is_strict
from llmstack_tui.providers.types import Ending, EndReason, Piece, Prefill, Role, ToolCall
from llmstack_tui.providers.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.providers.dialects import Dialect
    from llmstack_tui.providers.types import ChatMessage, ChatRequest, Parameters, TextRequest

    Body = dict[str, object]

_REASONS = {
    "stop": EndReason.STOP,
    "length": EndReason.LENGTH,
    "tool_calls": EndReason.TOOLS,
    "function_call": EndReason.TOOLS,
    "content_filter": EndReason.REFUSED,
}


# --- requests ---


def chat_body(request: ChatRequest, to: Dialect) -> Body:
    """The body of ``/chat/completions``."""
    body: Body = {
        "messages": [_message(each, to) for each in request.messages],
        **to.effort(request.reasoning),
        **_common(request.model, request.parameters, to),
    }
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {"name": each.name, "description": each.purpose, "parameters": each.schema},
            }
            for each in request.tools
        ]
    if request.schema is not None:
        body["response_format"] = _format(request.schema)
    return {**body, **request.parameters.more}


def text_body(request: TextRequest, to: Dialect) -> Body:
    """The body of ``/completions``: a text to go on with."""
    common = _common(request.model, request.parameters, to)
    return {"prompt": request.prompt, **common, **request.parameters.more}


def _common(model: str, parameters: Parameters, to: Dialect) -> Body:
    seconds = parameters.keep_alive_s
    given = {
        "temperature": parameters.temperature,
        to.limit_name(model): parameters.max_tokens,
        "top_p": parameters.top_p,
        "seed": parameters.seed,
        "stop": list(parameters.stop) or None,
        "top_k": parameters.top_k if to.takes_more else None,
        # LM Studio's: seconds without a request.
        "ttl": round(seconds) if seconds is not None and seconds > 0 and to.takes_more else None,
        "return_progress": to.tells_prefill or None,
    }
    return {
        "model": model,
        "stream": True,
        "stream_options": {"include_usage": True},
        **{name: value for name, value in given.items() if value is not None},
    }


def _message(message: ChatMessage, to: Dialect) -> Body:
    found: Body = {"role": message.role.value, "content": _content(message)}
    if message.role is Role.TOOL:
        found["tool_call_id"] = message.answers
    if message.reasoning and to.takes_more:
        found["reasoning_content"] = message.reasoning
    if message.tool_calls:
        found["tool_calls"] = [
            {"id": each.id, "type": "function", "function": {"name": each.name, "arguments": _written(each)}}
            for each in message.tool_calls
        ]
    return found


def _content(message: ChatMessage) -> str | list[Body]:
    if not message.images:
        return message.text
    images: list[Body] = [
        {
            "type": "image_url",
            "image_url": {"url": f"data:{each.media_type};base64,{base64.b64encode(each.content).decode()}"},
        }
        for each in message.images
    ]
    return [{"type": "text", "text": message.text}, *images] if message.text else images


def _written(call: ToolCall) -> str:
    """Some servers fail on broken arguments in what was said before."""
    if call.arguments is None:
        return "{}"
    return call.written or msgspec.json.encode(call.arguments).decode()


def _format(schema: Mapping[str, object]) -> Body:
    if not schema:
        return {"type": "json_object"}
    described: Body = {"name": "answer", "schema": schema, **({"strict": True} if is_strict(schema) else {})}
    return {"type": "json_schema", "json_schema": described}


# --- answers ---


class Reading:
    """Puts the events of one answer together."""

    def __init__(self) -> None:
        self._calls: list[_WrittenCall] = []
        self._reason: str | None = None
        self._has_refused = False
        self._usage: wire.CountedTokens | None = None
        self._timings: wire.TokenTimings | None = None
        self._model = ""

    def heard(self, event: wire.CompletionEvent) -> Piece | None:
        """The piece in an event, if it has one; calls come with `last`, whole."""
        self._usage, self._timings = event.usage or self._usage, event.timings or self._timings
        self._model = event.model or self._model
        prefill = _prefill(event.prompt_progress)
        if not event.choices:
            return Piece(prefill=prefill) if prefill else None
        choice = event.choices[0]
        self._reason = choice.finish_reason or self._reason
        delta = choice.delta or wire.WireDelta(content=choice.text)
        for part in delta.tool_calls or ():
            self._add(part)
        self._has_refused = self._has_refused or bool(delta.refusal)
        text = f"{delta.content or ''}{delta.refusal or ''}"
        thoughts = delta.reasoning_content or delta.reasoning or ""
        if not text and not thoughts and prefill is None:
            return None
        return Piece(text=text, reasoning=thoughts, prefill=prefill)

    @property
    def is_complete(self) -> bool:
        """Whether the server has said why the answer ends."""
        return self._reason is not None

    @property
    def last(self) -> Piece:
        said = excerpt(self._reason or "")
        reason = _REASONS.get(said, EndReason.OTHER)
        if self._has_refused:
            reason = EndReason.REFUSED
        elif self._calls and reason is EndReason.STOP:
            reason = EndReason.TOOLS
        ending = Ending(reason=reason, said=said, usage=self._used(), model=excerpt(self._model))
        return Piece(tool_calls=tuple(each.whole for each in self._calls), ending=ending)

    def _add(self, part: wire.WireCallPart) -> None:
        """A new id begins a new call: some servers send several, each whole, under one index or none."""
        index, last = part.index, self._calls[-1] if self._calls else None
        call = last if index is None else next((each for each in self._calls if each.index == index), None)
        if call is None or (part.id and call.id and part.id != call.id):
            call = _WrittenCall(len(self._calls) if index is None else index)
            # The latest of an index is the one that goes on.
            self._calls.append(call)
            for each in self._calls[:-1]:
                each.index = -1 if each.index == call.index else each.index
        call.id = part.id or call.id
        function = part.function or wire.CalledFunction()
        call.name += function.name or ""
        call.arguments += function.arguments or ""

    def _used(self) -> Usage:
        timed = self._timings or wire.TokenTimings()
        counted = self._usage or wire.CountedTokens(completion_tokens=timed.predicted_n)
        prompt = counted.prompt_tokens
        cached = (counted.prompt_tokens_details or wire.TokenShares()).cached_tokens
        if prompt is None and timed.prompt_n is not None:
            prompt = timed.prompt_n + (timed.cache_n or 0)
        evaluated = timed.prompt_n
        if evaluated is None and prompt is not None and cached is not None:
            evaluated = max(prompt - cached, 0)
        thoughts = counted.completion_tokens_details or wire.TokenShares()
        return Usage(
            prompt_tokens=prompt,
            evaluated_tokens=evaluated,
            answer_tokens=timed.predicted_n
            if counted.completion_tokens is None
            else counted.completion_tokens,
            reasoning_tokens=thoughts.reasoning_tokens,
            prompt_s=_seconds(timed.prompt_ms),
            answer_s=_seconds(timed.predicted_ms),
        )


class _WrittenCall:
    """A tool call that is being written."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.id = self.name = self.arguments = ""

    @property
    def whole(self) -> ToolCall:
        return tool_call(self.name, self.arguments, call_id=self.id)


def _prefill(found: wire.PromptProgress | None) -> Prefill | None:
    if found is None or not found.total:
        return None
    return Prefill(read=found.processed or 0, total=found.total, cached=found.cache or 0)


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
