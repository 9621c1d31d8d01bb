"""OpenAI's routes, ``/v1/*``, as Ollama 0.24 answers them (its ``openai/openai.go``, ``middleware/``)."""

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
    Produced,
    body,
    encode,
    openai_error,
    openai_error_body,
    reply,
)
from llmstack_tui.engine.inference import completion
from llmstack_tui.engine.inference.chunks import Answer, Piece, TokenLogprob, ToolCall, Usage
from llmstack_tui.engine.inference.completion import Done
from llmstack_tui.engine.inference.embedding import embed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from llmstack_tui.engine.service import Engine
    from llmstack_tui.library.installed import InstalledModel

    Parts = AsyncGenerator[bytes, None]
    Talk = AsyncGenerator[Piece | Done, None]

_DONE = b"data: [DONE]\n\n"


def event(value: object) -> bytes:
    return b"data: " + encode(value) + b"\n\n"


# As Ollama's, but for the error in the middle of a stream, of which it makes an empty part.
_produced = partial(Produced, error=openai_error, error_part=lambda error: event(openai_error_body(error)))


def routes(engine: Engine) -> list[Route]:
    async def models(_: Request) -> Response:
        found = sorted(await engine.installed(), key=lambda model: model.modified_at, reverse=True)
        return reply(
            {"object": "list", "data": [_model(model, model.name.short) for model in found]}, OPENAI_JSON
        )

    async def model(request: Request) -> Response:
        name = request.path_params["model"]
        return reply(_model((await engine.find(name)).model, name), OPENAI_JSON)

    async def chat(request: Request) -> Produced:
        asked = await body(request, requests.ChatCompletionRequest, absent="EOF")
        form = _Chat(await engine.answers_as(asked.model), asked.stream_options)
        return form.answer(completion.chat(engine, requests.chat_request(asked)), stream=bool(asked.stream))

    async def completions(request: Request) -> Produced:
        asked = await body(request, requests.CompletionRequest, absent="EOF")
        form = _Completion(await engine.answers_as(asked.model), asked.stream_options)
        return form.answer(
            completion.generate(engine, requests.generate_request(asked)), stream=bool(asked.stream)
        )

    async def embeddings(request: Request) -> Produced:
        asked = await body(request, requests.EmbeddingsRequest, absent="EOF")
        return _produced(_embeddings(engine, asked), OPENAI_JSON, whole=True)

    return [
        Route("/v1/models", models, methods=["GET"]),
        Route("/v1/models/{model:path}", model, methods=["GET"]),
        Route("/v1/chat/completions", chat, methods=["POST"]),
        Route("/v1/completions", completions, methods=["POST"]),
        Route("/v1/embeddings", embeddings, methods=["POST"]),
    ]


class _Form:
    """One answer in OpenAI's forms: events, or one object."""

    prefix = ""
    kind = ""
    part_kind = ""

    def __init__(self, model: str, wanted: requests.StreamOptions | None) -> None:
        self._usage = wanted is not None and bool(wanted.include_usage)
        self._id = f"{self.prefix}-{random.randrange(10**9)}"  # noqa: S311 (a name, no secret)
        self._created = int(time.time())
        self._model = model

    def answer(self, pieces: Talk, *, stream: bool) -> Produced:
        if stream:
            return _produced(self._events(pieces), OPENAI_EVENTS)
        return _produced(self._whole(pieces), OPENAI_JSON, whole=True)

    def part(self, piece: Piece) -> dict[str, Any]:
        """The choice of an event."""
        raise NotImplementedError

    def last_part(self, done: Done) -> dict[str, Any]:
        """The choice of the event that ends the answer."""
        raise NotImplementedError

    def choice(self, answer: Answer, done: Done) -> dict[str, Any]:
        """The choice of a whole answer."""
        raise NotImplementedError

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": kind,
            "created": self._created,
            "model": self._model,
            "system_fingerprint": "fp_ollama",
        }

    async def _events(self, pieces: Talk) -> Parts:
        head = self._head(self.part_kind)
        async with aclosing(pieces):
            async for piece in pieces:
                if not isinstance(piece, Done):
                    yield event({**head, "choices": [{"index": 0, **self.part(piece)}]})
                    continue
                yield event({**head, "choices": [{"index": 0, **self.last_part(piece)}]})
                if self._usage:
                    yield event({**head, "choices": [], "usage": _usage(piece.usage)})
                yield _DONE

    async def _whole(self, pieces: Talk) -> Parts:
        answer = Answer()
        async with aclosing(pieces):
            async for piece in pieces:
                if not isinstance(piece, Done):
                    answer.add(piece)
                    continue
                yield encode(
                    {
                        **self._head(self.kind),
                        "choices": [{"index": 0, **self.choice(answer, piece)}],
                        "usage": _usage(piece.usage),
                    }
                )


class _Chat(_Form):
    prefix, kind, part_kind = "chatcmpl", "chat.completion", "chat.completion.chunk"

    def part(self, piece: Piece) -> dict[str, Any]:
        delta = _message(piece.text, piece.thinking, ())
        return {"delta": delta, "finish_reason": None, **_logprobs(piece.logprobs)}

    def last_part(self, done: Done) -> dict[str, Any]:
        return {"delta": _message("", "", done.tool_calls), "finish_reason": _finish(done)}

    def choice(self, answer: Answer, done: Done) -> dict[str, Any]:
        message = _message(answer.text, answer.thinking, done.tool_calls)
        return {"message": message, "finish_reason": _finish(done), **_logprobs(answer.logprobs)}


class _Completion(_Form):
    prefix, kind, part_kind = "cmpl", "text_completion", "text_completion"

    def part(self, piece: Piece) -> dict[str, Any]:
        return {"text": piece.text, "finish_reason": None}

    def last_part(self, done: Done) -> dict[str, Any]:
        return {"text": "", "finish_reason": done.reason}

    def choice(self, answer: Answer, done: Done) -> dict[str, Any]:
        return {"text": answer.text, "finish_reason": done.reason}


def _message(text: str, thinking: str, calls: Sequence[ToolCall]) -> dict[str, Any]:
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


def _usage(usage: Usage | None) -> dict[str, int]:
    prompt, answer = (usage.prompt_tokens, usage.answer_tokens) if usage else (0, 0)
    return {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}


def _model(model: InstalledModel, name: str) -> dict[str, object]:
    return {
        "id": name,
        "object": "model",
        "created": int(model.modified_at.timestamp()),
        "owned_by": model.name.namespace,
    }


async def _embeddings(engine: Engine, asked: requests.EmbeddingsRequest) -> Parts:
    found = await embed(engine, requests.embed_request(asked))
    base64_wanted = (asked.encoding_format or "").lower() == "base64"
    yield encode(
        {
            "object": "list",
            "data": [
                {
                    "object": "embedding",
                    "embedding": _base64(vector) if base64_wanted else vector,
                    "index": index,
                }
                for index, vector in enumerate(found.vectors)
            ],
            "model": asked.model,
            "usage": {"prompt_tokens": found.tokens, "total_tokens": found.tokens},
        }
    )


def _base64(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
