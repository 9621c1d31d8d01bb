"""OpenAI's Responses API, ``/v1/responses``, answered as Ollama does (its ``openai/responses.go``).

Codex uses it. As at OpenAI's, and other than in Ollama, an answer that was cut is "incomplete", text before
a call of a tool is told, and a stream that fails in the middle, or for a conversation that is too long, ends
with ``response.failed``.
"""

from __future__ import annotations

import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from starlette.responses import Response
from starlette.routing import Route

from llmstack_tui.engine.api import responses_requests as requests
from llmstack_tui.engine.api.replies import (
    OPENAI_EVENTS,
    OPENAI_JSON,
    GeneratorResponse,
    body,
    encode,
    new_id,
    openai_error,
    typed_event,
)
from llmstack_tui.engine.errors import ApiError, PromptTooLong
from llmstack_tui.engine.inference import completion
from llmstack_tui.engine.inference.generation import Done

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping

    from starlette.requests import Request

    from llmstack_tui.engine.inference.chunks import CompletionChunk, CompletionUsage, ToolCallPart
    from llmstack_tui.engine.inference.completion import Completion
    from llmstack_tui.engine.service import Engine

    Parts = AsyncGenerator[bytes, None]
    Fields = Mapping[str, object]


class _TextKind(Struct, frozen=True):
    """How an item of text is told: the prefix of its id, and the names of its events and of its index."""

    prefix: str
    part: str
    text: str
    index: str


_KINDS = {
    "reasoning": _TextKind(
        "rs", "response.reasoning_summary_part", "response.reasoning_summary_text", "summary_index"
    ),
    "message": _TextKind("msg", "response.content_part", "response.output_text", "content_index"),
}


def routes(engine: Engine) -> list[Route]:
    async def responses(request: Request) -> GeneratorResponse:
        wanted = await body(request, requests.ResponsesRequest)
        asked = requests.chat_request(wanted)
        answer = _ResponsesAnswer(await engine.reported_name(wanted.model), wanted)
        chunks = completion.chat(engine, asked, must_call=wanted.must_call, for_agent=True)
        return answer.response(chunks)

    return [Route("/v1/responses", responses, methods=["POST"])]


class _ResponsesAnswer:
    """One answer: events, or one object."""

    def __init__(self, model: str, wanted: requests.ResponsesRequest) -> None:
        self._model = model
        self._wanted = wanted
        self._names = wanted.tool_names()
        self._id = new_id("resp")
        self._created = int(time.time())
        self._sent = 0
        self._items: list[Fields] = []
        # Of the item of text that is being written.
        self._kind = ""
        self._item_id = ""
        self._texts: list[str] = []

    def response(self, chunks: Completion) -> GeneratorResponse:
        if self._wanted.stream:
            events = self._events(chunks)
            return GeneratorResponse(events, OPENAI_EVENTS, error=self._refusal, error_part=self._failure)
        return GeneratorResponse(self._whole(chunks), OPENAI_JSON, error=openai_error, whole=True)

    async def _events(self, chunks: Completion) -> Parts:
        async with aclosing(chunks):
            async for chunk in chunks:
                yield b"".join(self._of_chunk(chunk))

    async def _whole(self, chunks: Completion) -> Parts:
        done = await completion.finished(chunks)
        # The events of one large piece, of which only the items count.
        for chunk in (done.whole, done):
            b"".join(self._of_chunk(chunk))
        yield encode(self._end_of(done))

    def _of_chunk(self, chunk: CompletionChunk | Done) -> Iterator[bytes]:
        if not self._sent:
            yield self._event("response.created", response=self._object("in_progress"))
            yield self._event("response.in_progress", response=self._object("in_progress"))
        if isinstance(chunk, Done):
            yield from self._end(chunk)
            return
        for kind, text in (("reasoning", chunk.thinking), ("message", chunk.text)):
            if text:
                yield from self._write(kind, text)

    def _write(self, kind: str, text: str) -> Iterator[bytes]:
        if kind != self._kind:
            yield from self._close()
            self._kind, self._item_id, self._texts = kind, new_id(_KINDS[kind].prefix), []
            yield self._item_event("added", self._item("in_progress"))
            yield self._part_event(f"{_KINDS[kind].part}.added", part=_part(kind, ""))
        if text:
            self._texts.append(text)
            yield self._part_event(f"{_KINDS[kind].text}.delta", delta=text, **_logprobs(kind))

    def _close(self, status: str = "completed") -> Iterator[bytes]:
        if not self._kind:
            return
        kind, text = _KINDS[self._kind], "".join(self._texts)
        yield self._part_event(f"{kind.text}.done", text=text, **_logprobs(self._kind))
        yield self._part_event(f"{kind.part}.done", part=_part(self._kind, text))
        yield from self._done(self._item(status))
        self._kind = ""

    def _end(self, done: Done) -> Iterator[bytes]:
        if not self._kind and not done.whole.tool_calls:
            yield from self._write("message", "")
        yield from self._close("incomplete" if done.reason == "length" else "completed")
        for call in done.whole.tool_calls:
            yield from self._call(call)
        end = self._end_of(done)
        yield self._event(f"response.{end['status']}", response=end)

    def _call(self, call: ToolCallPart) -> Iterator[bytes]:
        known = self._names.get(call.function.name or "")
        name = known or requests.ToolName(call.function.name or "")
        kind = "custom_tool_call" if name.custom else "function_call"
        key = "input" if name.custom else "arguments"
        said = str(call.arguments.get("input", "")) if name.custom else call.function.arguments or "{}"
        event = "response.custom_tool_call_input" if name.custom else "response.function_call_arguments"
        item = {"id": new_id("fc"), "type": kind, "call_id": call.id, "name": name.name}
        if name.namespace:
            item["namespace"] = name.namespace
        place = {"item_id": item["id"], "output_index": len(self._items)}
        yield self._item_event("added", {**item, "status": "in_progress", key: ""})
        yield self._event(f"{event}.delta", **place, delta=said)
        yield self._event(f"{event}.done", **place, **{key: said})
        yield from self._done({**item, "status": "completed", key: said})

    def _done(self, item: Fields) -> Iterator[bytes]:
        yield self._item_event("done", item)
        self._items.append(item)

    def _failure(self, error: ApiError) -> bytes:
        told = {"code": error.code or "server_error", "message": str(error)}
        return self._event("response.failed", response=self._object("failed", error=told))

    def _refusal(self, error: ApiError) -> Response:
        if not isinstance(error, PromptTooLong):
            return openai_error(error)
        # As at OpenAI, with a code for which Codex shortens the conversation, and tells nobody the sentence.
        # For a first prompt the sentence is all that helps.
        if not self._wanted.has_answers:
            return openai_error(ApiError(error.status, str(error)))
        begun = self._event("response.created", response=self._object("in_progress"))
        return Response(begun + self._failure(error), headers={"content-type": OPENAI_EVENTS})

    def _item(self, status: str) -> Fields:
        text = "".join(self._texts)
        item: Fields = {"id": self._item_id, "type": self._kind}
        parts = [_part(self._kind, text)] if status != "in_progress" else []
        if self._kind == "message":
            return {**item, "status": status, "role": "assistant", "content": parts}
        # Without this, some clients do not send a thought back; it is read from the summary.
        return {**item, "summary": parts, "encrypted_content": text}

    def _item_event(self, what: str, item: Fields) -> bytes:
        return self._event(f"response.output_item.{what}", output_index=len(self._items), item=item)

    def _part_event(self, name: str, **fields: object) -> bytes:
        place = {"item_id": self._item_id, "output_index": len(self._items), _KINDS[self._kind].index: 0}
        return self._event(name, **place, **fields)

    def _event(self, name: str, **fields: object) -> bytes:
        number = self._sent
        self._sent += 1
        return typed_event({"type": name, "sequence_number": number, **fields})

    def _end_of(self, done: Done) -> dict[str, Any]:
        cut = done.reason == "length"
        return self._object(
            "incomplete" if cut else "completed",
            completed_at=None if cut else int(time.time()),
            incomplete_details={"reason": "max_output_tokens"} if cut else None,
            usage=_usage(done.whole.usage),
        )

    def _object(self, status: str, **fields: object) -> dict[str, Any]:
        wanted = self._wanted
        return {
            "id": self._id,
            "object": "response",
            "created_at": self._created,
            "completed_at": None,
            "status": status,
            "incomplete_details": None,
            "model": self._model,
            "previous_response_id": None,
            "instructions": wanted.instructions or None,
            "output": list(self._items),
            "error": None,
            "tools": wanted.tools,
            "tool_choice": wanted.tool_choice,
            "truncation": "disabled",
            "parallel_tool_calls": True,
            "text": wanted.text,
            "top_p": 1.0 if wanted.top_p is None else wanted.top_p,
            "presence_penalty": 0,
            "frequency_penalty": 0,
            "top_logprobs": 0,
            "temperature": 1.0 if wanted.temperature is None else wanted.temperature,
            "reasoning": wanted.reasoning,
            "usage": None,
            "max_output_tokens": wanted.max_output_tokens,
            "max_tool_calls": None,
            "store": False,
            "background": False,
            "service_tier": "default",
            "metadata": {},
            "safety_identifier": None,
            "prompt_cache_key": None,
            **fields,
        }


def _part(kind: str, text: str) -> Fields:
    if kind == "reasoning":
        return {"type": "summary_text", "text": text}
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _logprobs(kind: str) -> dict[str, object]:
    return {"logprobs": []} if kind == "message" else {}


def _usage(usage: CompletionUsage | None) -> Fields:
    prompt, answer = (usage.prompt_tokens, usage.answer_tokens) if usage else (0, 0)
    return {
        "input_tokens": prompt,
        "output_tokens": answer,
        "total_tokens": prompt + answer,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
