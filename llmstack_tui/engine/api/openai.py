"""OpenAI's routes, ``/v1/*``, answered as Ollama 0.33 does (its ``openai/openai.go`` and ``middleware/``)."""

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
from llmstack_tui.engine.inference.embedding import embed
from llmstack_tui.engine.inference.generation import Done

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from llmstack_tui.engine.inference.chunks import CompletionUsage, TokenLogprob, ToolCallPart
    from llmstack_tui.engine.inference.completion import Completion
    from llmstack_tui.engine.service import Engine
    from llmstack_tui.library.installed import InstalledModel

    Parts = AsyncGenerator[bytes, None]

_DONE = b"data: [DONE]\n\n"


def event(value: object) -> bytes:
    return b"data: " + encode(value) + b"\n\n"


# Errors are answered as in Ollama, except in the middle of a stream, where Ollama sends an empty event.
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
        answer = _OpenAIAnswer(await engine.reported_name(wanted.model), wanted.stream_options, chat=True)
        chunks = completion.chat(engine, requests.chat_request(wanted), must_call=wanted.must_call)
        return answer.response(chunks, stream=bool(wanted.stream))

    async def completions(request: Request) -> GeneratorResponse:
        wanted = await body(request, requests.CompletionRequest, absent="EOF")
        answer = _OpenAIAnswer(await engine.reported_name(wanted.model), wanted.stream_options, chat=False)
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
    """One answer in OpenAI's form, to a chat or to a completion: events, or one object."""

    def __init__(self, model: str, options: requests.StreamOptions | None, *, chat: bool) -> None:
        self._chat = chat
        self._include_usage = options is not None and bool(options.include_usage)
        self._kind = "chat.completion.chunk" if chat else "text_completion"
        prefix = "chatcmpl" if chat else "cmpl"
        self._id = f"{prefix}-{random.randrange(10**9)}"  # noqa: S311 (a name, no secret)
        self._created = int(time.time())
        self._model = model

    def response(self, chunks: Completion, *, stream: bool) -> GeneratorResponse:
        if stream:
            return _response(self._events(chunks), OPENAI_EVENTS)
        return _response(self._whole(chunks), OPENAI_JSON, whole=True)

    async def _events(self, chunks: Completion) -> Parts:
        begun = False
        async with aclosing(chunks):
            async for chunk in chunks:
                if not isinstance(chunk, Done):
                    choice = self._choice("delta", chunk.text, chunk.thinking, logprobs=chunk.logprobs)
                    yield self._event(choice, begun=begun)
                    begun = True
                    continue
                whole = chunk.whole
                if whole.tool_calls:
                    yield self._event(self._choice("delta", calls=whole.tool_calls), begun=begun)
                    begun = True
                # As in Ollama, the reason comes after the calls, with an empty message.
                end = self._choice("delta", calls=whole.tool_calls, done=chunk)
                if self._chat:
                    end["delta"] = {} if begun else _message("", "", ())
                yield self._event(end, begun=begun)
                if self._include_usage:
                    yield event(self._object(self._kind, usage=token_counts(whole.usage)))
                yield _DONE

    def _event(self, choice: dict[str, Any], *, begun: bool) -> bytes:
        """A part of a stream. As in Ollama, only the first one says whose message it is."""
        if begun:
            choice.get("delta", {}).pop("role", None)
        return event(self._object(self._kind, choice))

    async def _whole(self, chunks: Completion) -> Parts:
        done = await completion.finished(chunks)
        whole = done.whole
        choice = self._choice(
            "message", whole.text, whole.thinking, calls=whole.tool_calls, logprobs=whole.logprobs, done=done
        )
        kind = "chat.completion" if self._chat else "text_completion"
        yield encode(self._object(kind, choice, usage=token_counts(whole.usage)))

    def _choice(
        self,
        name: str,
        text: str = "",
        thinking: str = "",
        *,
        calls: Sequence[ToolCallPart] = (),
        logprobs: Sequence[TokenLogprob] = (),
        done: Done | None = None,
    ) -> dict[str, Any]:
        reason = done.reason if done else None
        if not self._chat:
            return {"text": text, "finish_reason": reason}
        if reason == "stop" and calls:
            reason = "tool_calls"
        choice = {name: _message(text, thinking, calls), "finish_reason": reason}
        return choice | {"logprobs": {"content": list(logprobs)}} if logprobs else choice

    def _object(self, kind: str, *choices: dict[str, Any], **fields: object) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": kind,
            "created": self._created,
            "model": self._model,
            "system_fingerprint": "fp_ollama",
            "choices": [{"index": 0, **choice} for choice in choices],
            **fields,
        }


def _message(text: str, thinking: str, calls: Sequence[ToolCallPart]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if thinking:
        message["reasoning"] = thinking
    if calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "index": index,
                "type": "function",
                "function": {"name": call.function.name, "arguments": call.function.arguments},
            }
            for index, call in enumerate(calls)
        ]
    return message


def token_counts(usage: CompletionUsage | None) -> dict[str, int]:
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
