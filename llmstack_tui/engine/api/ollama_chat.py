"""Ollama's routes that talk to a model: generate, chat and embed, in its forms of requests and answers."""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from starlette.routing import Route

from llmstack_tui.base.times import format_time
from llmstack_tui.engine.api.replies import NATIVE_JSON, NATIVE_LINES, Produced, body, encode
from llmstack_tui.engine.inference import completion
from llmstack_tui.engine.inference.chunks import Answer, Piece, TokenLogprob, ToolCall
from llmstack_tui.engine.inference.completion import Done
from llmstack_tui.engine.inference.embedding import embed
from llmstack_tui.ollama import wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from starlette.requests import Request

    from llmstack_tui.engine.service import Engine

    Parts = AsyncGenerator[bytes, None]
    Talk = AsyncGenerator[Piece | Done, None]


def routes(engine: Engine) -> list[Route]:
    async def generate(request: Request) -> Produced:
        asked = await body(request, wire.GenerateRequest)
        form = _Form(asked.model or "", _response)
        return form.answer(
            completion.generate(engine, asked), stream=bool(asked.prompt) and asked.stream is not False
        )

    async def chat(request: Request) -> Produced:
        asked = await body(request, wire.ChatRequest)
        form = _Form(asked.model or "", _message)
        return form.answer(
            completion.chat(engine, asked), stream=bool(asked.messages) and asked.stream is not False
        )

    async def embed_texts(request: Request) -> Produced:
        asked = await body(request, wire.EmbedRequest)
        return Produced(_embedded(engine, asked), NATIVE_JSON, whole=True)

    async def embed_prompt(request: Request) -> Produced:
        asked = await body(request, wire.EmbeddingRequest)
        return Produced(_embedding(engine, asked), NATIVE_JSON, whole=True)

    return [
        Route("/api/generate", generate, methods=["POST"]),
        Route("/api/chat", chat, methods=["POST"]),
        Route("/api/embed", embed_texts, methods=["POST"]),
        Route("/api/embeddings", embed_prompt, methods=["POST"]),
    ]


class _Form:
    """The lines of an answer. ``said`` is the part of them that differs: ``response`` or ``message``."""

    def __init__(self, model: str, said: Callable[[str, str, Sequence[ToolCall]], dict[str, object]]) -> None:
        self._model = model
        self._said = said

    def answer(self, pieces: Talk, *, stream: bool) -> Produced:
        if stream:
            return Produced(self._lines(pieces), NATIVE_LINES)
        return Produced(self._whole(pieces), NATIVE_JSON, whole=True)

    async def _lines(self, pieces: Talk) -> Parts:
        async with aclosing(pieces):
            async for piece in pieces:
                if isinstance(piece, Done):
                    if piece.tool_calls:
                        yield self._part("", "", piece.tool_calls, ())
                    yield encode(self._end(self._said("", "", ()), piece)) + b"\n"
                else:
                    yield self._part(piece.text, piece.thinking, (), piece.logprobs)

    async def _whole(self, pieces: Talk) -> Parts:
        answer = Answer()
        async with aclosing(pieces):
            async for piece in pieces:
                if isinstance(piece, Done):
                    end = self._end(self._said(answer.text, answer.thinking, piece.tool_calls), piece)
                    yield encode(end | _logprobs(answer.logprobs))
                else:
                    answer.add(piece)

    def _part(
        self, text: str, thinking: str, calls: Sequence[ToolCall], logprobs: Sequence[TokenLogprob]
    ) -> bytes:
        line = {
            "model": self._model,
            "created_at": format_time(datetime.now(UTC)),
            **self._said(text, thinking, calls),
            "done": False,
        }
        return encode(line | _logprobs(logprobs) if logprobs else line) + b"\n"

    def _end(self, said: dict[str, object], done: Done) -> dict[str, object]:
        line = {
            "model": self._model,
            "created_at": format_time(datetime.now(UTC)),
            **said,
            "done": True,
            "done_reason": done.reason,
        }
        if done.context is not None:
            line["context"] = done.context
        if done.usage is not None:
            line |= {
                "total_duration": done.total_ns,
                "load_duration": done.load_ns,
                "prompt_eval_count": done.usage.prompt_tokens,
                "prompt_eval_duration": done.usage.prompt_ns,
                "eval_count": done.usage.answer_tokens,
                "eval_duration": done.usage.answer_ns,
            }
        return line


def _response(text: str, thinking: str, calls: Sequence[ToolCall]) -> dict[str, object]:
    """What generate says."""
    said: dict[str, object] = {"response": text}
    if thinking:
        said["thinking"] = thinking
    if calls:
        said["tool_calls"] = _tool_calls(calls)
    return said


def _message(text: str, thinking: str, calls: Sequence[ToolCall]) -> dict[str, object]:
    """What chat says."""
    message: dict[str, object] = {"role": "assistant", "content": text}
    if thinking:
        message["thinking"] = thinking
    if calls:
        message["tool_calls"] = _tool_calls(calls)
    return {"message": message}


def _tool_calls(calls: Sequence[ToolCall]) -> list[dict[str, object]]:
    return [
        {
            "id": call.id,
            "function": {"index": index, "name": call.name, "arguments": _arguments(call.arguments)},
        }
        for index, call in enumerate(calls)
    ]


def _arguments(text: str) -> dict[str, object]:
    """The arguments of a call, which is all that a cut answer leaves of them."""
    try:
        return msgspec.json.decode(text or "{}", type=dict[str, object])
    except msgspec.MsgspecError:
        return {}


def _logprobs(logprobs: Sequence[TokenLogprob]) -> dict[str, object]:
    return {"logprobs": list(logprobs)} if logprobs else {}


async def _embedded(engine: Engine, asked: wire.EmbedRequest) -> Parts:
    found = await embed(engine, asked)
    answer: dict[str, object] = {
        "model": asked.model,
        "embeddings": found.vectors,
        "total_duration": found.total_ns,
        "load_duration": found.load_ns,
        "prompt_eval_count": found.tokens,
    }
    if not found.vectors:
        answer = {"model": asked.model, "embeddings": []}
    yield encode(answer)


async def _embedding(engine: Engine, asked: wire.EmbeddingRequest) -> Parts:
    found = await embed(
        engine,
        wire.EmbedRequest(
            model=asked.model, input=asked.prompt, keep_alive=asked.keep_alive, options=asked.options
        ),
    )
    yield encode({"embedding": found.vectors[0] if found.vectors else []})
