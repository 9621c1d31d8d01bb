"""Anthropic's routes, ``/v1/messages``, answered as Ollama does (its ``anthropic/anthropic.go``).

Claude Code and Anthropic's own clients use them. Two things differ: ``count_tokens``, which Ollama does not
have, counts with the model's own tokenizer; and an answer that was cut in a call of a tool says so.
"""

from __future__ import annotations

from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

from starlette.routing import Route

from llmstack_tui.engine.api import anthropic_requests as requests
from llmstack_tui.engine.api.replies import (
    OPENAI_EVENTS,
    OPENAI_JSON,
    GeneratorResponse,
    anthropic_error,
    anthropic_error_body,
    body,
    encode,
    new_id,
    reply,
    typed_event,
)
from llmstack_tui.engine.inference import completion
from llmstack_tui.engine.inference.generation import Done

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from llmstack_tui.engine.inference.chunks import CompletionChunk, CompletionUsage, ToolCallPart
    from llmstack_tui.engine.inference.completion import Completion
    from llmstack_tui.engine.service import Engine
    from llmstack_tui.ollama.wire import WireChatRequest

    Parts = AsyncGenerator[bytes, None]
    Event = Mapping[str, object]

_CHARACTERS_PER_TOKEN = 4

_response = partial(
    GeneratorResponse,
    error=anthropic_error,
    error_part=lambda error: typed_event(anthropic_error_body(error)),
)


def routes(engine: Engine) -> list[Route]:
    async def messages(request: Request) -> GeneratorResponse:
        wanted = await body(request, requests.MessagesRequest)
        asked = requests.chat_request(wanted)
        answer = _MessagesAnswer(await engine.reported_name(wanted.model), _estimated_tokens(asked))
        chunks = completion.chat(engine, asked, must_call=wanted.must_call, for_agent=True)
        return answer.response(chunks, stream=wanted.stream)

    async def count_tokens(request: Request) -> Response:
        asked = requests.count_request(await body(request, requests.MessagesRequest))
        return reply({"input_tokens": await completion.count(engine, asked)}, OPENAI_JSON)

    return [
        Route("/v1/messages", messages, methods=["POST"]),
        Route("/v1/messages/count_tokens", count_tokens, methods=["POST"]),
    ]


class _MessagesAnswer:
    """One answer in Anthropic's form: events, or one object.

    Args:
        prompt_tokens: an estimate for the first event. Only the last one can have the count.
    """

    def __init__(self, model: str, prompt_tokens: int) -> None:
        self._model = model
        self._prompt_tokens = prompt_tokens
        self._id = new_id("msg")
        self._begun = False
        self._index = 0
        self._open = ""

    def response(self, chunks: Completion, *, stream: bool) -> GeneratorResponse:
        if stream:
            return _response(self._events(chunks), OPENAI_EVENTS)
        return _response(self._whole(chunks), OPENAI_JSON, whole=True)

    async def _events(self, chunks: Completion) -> Parts:
        async with aclosing(chunks):
            async for chunk in chunks:
                yield b"".join(map(typed_event, self._of_chunk(chunk)))

    async def _whole(self, chunks: Completion) -> Parts:
        done = await completion.finished(chunks)
        blocks = [_block(kind, text) for kind, text in _texts(done.whole)]
        blocks += [{**_call(call), "input": call.arguments} for call in done.whole.tool_calls]
        yield encode(self._message(blocks, _stop_reason(done), _usage(done.whole.usage)))

    def _of_chunk(self, chunk: CompletionChunk | Done) -> Iterator[Event]:
        if not self._begun:
            self._begun = True
            usage = {"input_tokens": self._prompt_tokens, "output_tokens": 0}
            yield {"type": "message_start", "message": self._message([], None, usage)}
        if isinstance(chunk, Done):
            yield from self._end(chunk)
            return
        for kind, text in _texts(chunk):
            if kind != self._open:
                yield from self._close()
                yield from self._start(kind, _block(kind, ""))
            yield self._delta({"type": f"{kind}_delta", kind: text})

    def _end(self, done: Done) -> Iterator[Event]:
        yield from self._close()
        for call in done.whole.tool_calls:
            yield from self._start("tool_use", {**_call(call), "input": {}})
            yield self._delta({"type": "input_json_delta", "partial_json": encode(call.arguments).decode()})
            yield from self._close()
        delta = {"stop_reason": _stop_reason(done), "stop_sequence": None}
        yield {"type": "message_delta", "delta": delta, "usage": _usage(done.whole.usage)}
        yield {"type": "message_stop"}

    def _start(self, kind: str, block: Event) -> Iterator[Event]:
        self._open = kind
        yield {"type": "content_block_start", "index": self._index, "content_block": block}

    def _delta(self, delta: Event) -> Event:
        return {"type": "content_block_delta", "index": self._index, "delta": delta}

    def _close(self) -> Iterator[Event]:
        if self._open:
            yield {"type": "content_block_stop", "index": self._index}
            self._index += 1
            self._open = ""

    def _message(self, content: Sequence[Event], reason: str | None, usage: Event) -> Event:
        return {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": content,
            "stop_reason": reason,
            "stop_sequence": None,
            "usage": usage,
        }


def _texts(chunk: CompletionChunk) -> list[tuple[str, str]]:
    """The kinds of blocks and their texts in their order, without empty ones."""
    return [(kind, text) for kind, text in (("thinking", chunk.thinking), ("text", chunk.text)) if text]


def _block(kind: str, text: str) -> dict[str, object]:
    # Clients expect a signature beside thoughts; nothing signs them here.
    signature = {"signature": ""} if kind == "thinking" else {}
    return {"type": kind, kind: text, **signature}


def _call(call: ToolCallPart) -> dict[str, object]:
    return {"type": "tool_use", "id": call.id, "name": call.function.name}


def _stop_reason(done: Done) -> str:
    if done.reason == "length":
        return "max_tokens"
    return "tool_use" if done.whole.tool_calls else "end_turn"


def _usage(usage: CompletionUsage | None) -> dict[str, object]:
    prompt, answer = (usage.prompt_tokens, usage.answer_tokens) if usage else (0, 0)
    return {"input_tokens": prompt, "output_tokens": answer}


def _estimated_tokens(request: WireChatRequest) -> int:
    return len(encode((request.messages, request.tools))) // _CHARACTERS_PER_TOKEN
