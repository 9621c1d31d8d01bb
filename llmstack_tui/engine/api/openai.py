"""OpenAI's routes, ``/v1/*``, answered as Ollama 0.24 does (its ``openai/openai.go`` and ``middleware/``)."""

from __future__ import annotations

import base64
import random
import struct
import time
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from llmstack_tui.engine.api import openai_requests as requests
from llmstack_tui.engine.api.replies import (
    OPENAI_EVENTS,
    OPENAI_JSON,
    GeneratorResponse,
    body,
    encode,
    openai_error,
    openai_error_body,
    reply,
)
from llmstack_tui.engine.inference import completion
from llmstack_tui.engine.inference.completion import Done
from llmstack_tui.engine.inference.embedding import embed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from llmstack_tui.engine.inference.chunks import (
        CompletedToolCall,
        CompletionChunk,
        CompletionUsage,
        TokenLogprob,
    )
    from llmstack_tui.engine.inference.completion import Completion
    from llmstack_tui.engine.service import Engine
    from llmstack_tui.library.installed import InstalledModel

    Parts = AsyncGenerator[bytes, None]

_DONE = b"data: [DONE]\n\n"


def event(value: object) -> bytes:
    return b"data: " + encode(value) + b"\n\n"


# As Ollama answers, except for an error in the middle of a stream: Ollama sends an empty event for it.
_response = partial(
    GeneratorResponse, error=openai_error, error_part=lambda error: event(openai_error_body(error))
)


def routes(engine: Engine) -> list[Route]:
    async def models(_: Request) -> Response:
        found = sorted(await engine.installed(), key=lambda model: model.modified_at, reverse=True)
        return reply(
            {"object": "list", "data": [_model(model, model.name.short) for model in found]}, OPENAI_JSON
        )

    async def model(request: Request) -> Response:
        name = request.path_params["model"]
        return reply(_model((await engine.find(name)).model, name), OPENAI_JSON)

    async def chat(request: Request) -> GeneratorResponse:
        wanted = await body(request, requests.ChatCompletionRequest, absent="EOF")
        answer = _ChatAnswer(await engine.reported_name(wanted.model), wanted.stream_options)
        chunks = completion.chat(engine, requests.chat_request(wanted))
        return answer.response(chunks, stream=bool(wanted.stream))

    async def completions(request: Request) -> GeneratorResponse:
        wanted = await body(request, requests.CompletionRequest, absent="EOF")
        answer = _CompletionAnswer(await engine.reported_name(wanted.model), wanted.stream_options)
        chunks = completion.generate(engine, requests.generate_request(wanted))
        return answer.response(chunks, stream=bool(wanted.stream))

    async def embeddings(request: Request) -> GeneratorResponse:
        wanted = await body(request, requests.EmbeddingsRequest, absent="EOF")
        return _response(_embeddings(engine, wanted), OPENAI_JSON, whole=True)

    return [
        Route("/v1/models", models, methods=["GET"]),
        Route("/v1/models/{model:path}", model, methods=["GET"]),
        Route("/v1/chat/completions", chat, methods=["POST"]),
        Route("/v1/completions", completions, methods=["POST"]),
        Route("/v1/embeddings", embeddings, methods=["POST"]),
    ]


class _OpenAIAnswer:
    """One answer in OpenAI's form: events, or one object."""

    prefix = ""
    kind = ""
    chunk_kind = ""

    def __init__(self, model: str, options: requests.StreamOptions | None) -> None:
        self._include_usage = options is not None and bool(options.include_usage)
        self._id = f"{self.prefix}-{random.randrange(10**9)}"  # noqa: S311 (a name, no secret)
        self._created = int(time.time())
        self._model = model

    def response(self, chunks: Completion, *, stream: bool) -> GeneratorResponse:
        if stream:
            return _response(self._events(chunks), OPENAI_EVENTS)
        return _response(self._whole(chunks), OPENAI_JSON, whole=True)

    def chunk_choice(self, chunk: CompletionChunk) -> dict[str, Any]:
        """The choice in an event."""
        raise NotImplementedError

    def end_choice(self, done: Done) -> dict[str, Any]:
        """The choice in the last event."""
        raise NotImplementedError

    def whole_choice(self, done: Done) -> dict[str, Any]:
        """The choice in a whole answer."""
        raise NotImplementedError

    def _object(self, kind: str, choice: dict[str, Any] | None, **fields: object) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": kind,
            "created": self._created,
            "model": self._model,
            "system_fingerprint": "fp_ollama",
            "choices": [] if choice is None else [{"index": 0, **choice}],
            **fields,
        }

    async def _events(self, chunks: Completion) -> Parts:
        async with aclosing(chunks):
            async for chunk in chunks:
                if not isinstance(chunk, Done):
                    yield event(self._object(self.chunk_kind, self.chunk_choice(chunk)))
                    continue
                yield event(self._object(self.chunk_kind, self.end_choice(chunk)))
                if self._include_usage:
                    yield event(self._object(self.chunk_kind, None, usage=_usage(chunk.usage)))
                yield _DONE

    async def _whole(self, chunks: Completion) -> Parts:
        done = await completion.finished(chunks)
        yield encode(self._object(self.kind, self.whole_choice(done), usage=_usage(done.usage)))


class _ChatAnswer(_OpenAIAnswer):
    prefix, kind, chunk_kind = "chatcmpl", "chat.completion", "chat.completion.chunk"

    def chunk_choice(self, chunk: CompletionChunk) -> dict[str, Any]:
        delta = _message(chunk.text, chunk.thinking, ())
        return {"delta": delta, "finish_reason": None, **_logprobs(chunk.logprobs)}

    def end_choice(self, done: Done) -> dict[str, Any]:
        return {"delta": _message("", "", done.tool_calls), "finish_reason": _finish(done)}

    def whole_choice(self, done: Done) -> dict[str, Any]:
        message = _message(done.text, done.thinking, done.tool_calls)
        return {"message": message, "finish_reason": _finish(done), **_logprobs(done.logprobs)}


class _CompletionAnswer(_OpenAIAnswer):
    prefix, kind, chunk_kind = "cmpl", "text_completion", "text_completion"

    def chunk_choice(self, chunk: CompletionChunk) -> dict[str, Any]:
        return {"text": chunk.text, "finish_reason": None}

    def end_choice(self, done: Done) -> dict[str, Any]:
        return {"text": "", "finish_reason": done.reason}

    def whole_choice(self, done: Done) -> dict[str, Any]:
        return {"text": done.text, "finish_reason": done.reason}


def _message(text: str, thinking: str, calls: Sequence[CompletedToolCall]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if thinking:
        message["reasoning"] = thinking
    if calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "index": index,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for index, call in enumerate(calls)
        ]
    return message


def _finish(done: Done) -> str:
    return "tool_calls" if done.tool_calls and done.reason == "stop" else done.reason


def _logprobs(logprobs: Sequence[TokenLogprob]) -> dict[str, Any]:
    return {"logprobs": {"content": list(logprobs)}} if logprobs else {}


def _usage(usage: CompletionUsage | None) -> dict[str, int]:
    prompt, answer = (usage.prompt_tokens, usage.answer_tokens) if usage else (0, 0)
    return {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}


def _model(model: InstalledModel, name: str) -> dict[str, object]:
    return {
        "id": name,
        "object": "model",
        "created": int(model.modified_at.timestamp()),
        "owned_by": model.name.namespace,
    }


async def _embeddings(engine: Engine, wanted: requests.EmbeddingsRequest) -> Parts:
    found = await embed(engine, requests.embed_request(wanted))
    as_base64 = (wanted.encoding_format or "").lower() == "base64"
    yield encode(
        {
            "object": "list",
            "data": [
                {
                    "object": "embedding",
                    "embedding": _base64(vector) if as_base64 else vector,
                    "index": index,
                }
                for index, vector in enumerate(found.vectors)
            ],
            "model": wanted.model,
            "usage": {"prompt_tokens": found.tokens, "total_tokens": found.tokens},
        }
    )


def _base64(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
