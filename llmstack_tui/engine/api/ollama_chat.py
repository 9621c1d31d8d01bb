"""Ollama's routes for completions and embeddings."""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from starlette.routing import Route

from llmstack_tui.base.durations import format_time
from llmstack_tui.engine.api.replies import OLLAMA_JSON, OLLAMA_LINES, GeneratorResponse, body, encode
from llmstack_tui.engine.inference import completion
from llmstack_tui.engine.inference.embedding import embed
from llmstack_tui.engine.inference.generation import Done
from llmstack_tui.ollama import wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from starlette.requests import Request

    from llmstack_tui.engine.inference.chunks import TokenLogprob, ToolCallPart
    from llmstack_tui.engine.inference.completion import Completion
    from llmstack_tui.engine.service import Engine

    Parts = AsyncGenerator[bytes, None]
    ToolCalls = Sequence[ToolCallPart]


def routes(engine: Engine) -> list[Route]:
    async def generate(request: Request) -> GeneratorResponse:
        wanted = await body(request, wire.GenerateRequest)
        answer = _OllamaAnswer(wanted.model, _generate_fields)
        stream = bool(wanted.prompt) and wanted.stream is not False
        return answer.response(completion.generate(engine, wanted), stream=stream)

    async def chat(request: Request) -> GeneratorResponse:
        wanted = await body(request, wire.WireChatRequest)
        answer = _OllamaAnswer(wanted.model, _chat_fields)
        stream = bool(wanted.messages) and wanted.stream is not False
        return answer.response(completion.chat(engine, wanted), stream=stream)

    async def embed_texts(request: Request) -> GeneratorResponse:
        wanted = await body(request, wire.WireEmbedRequest)
        return GeneratorResponse(_embeddings(engine, wanted), OLLAMA_JSON, whole=True)

    async def embed_prompt(request: Request) -> GeneratorResponse:
        wanted = await body(request, wire.EmbeddingRequest)
        return GeneratorResponse(_embedding(engine, wanted), OLLAMA_JSON, whole=True)

    return [
        Route("/api/generate", generate, methods=["POST"]),
        Route("/api/chat", chat, methods=["POST"]),
        Route("/api/embed", embed_texts, methods=["POST"]),
        Route("/api/embeddings", embed_prompt, methods=["POST"]),
    ]


class _OllamaAnswer:
    """An answer in Ollama's form. ``text_fields`` makes the fields in which generate and chat differ."""

    def __init__(
        self, model: str | None, text_fields: Callable[[str, str, ToolCalls], dict[str, object]]
    ) -> None:
        self._model = model or ""
        self._text_fields = text_fields

    def response(self, chunks: Completion, *, stream: bool) -> GeneratorResponse:
        if stream:
            return GeneratorResponse(self._lines(chunks), OLLAMA_LINES)
        return GeneratorResponse(self._whole(chunks), OLLAMA_JSON, whole=True)

    async def _lines(self, chunks: Completion) -> Parts:
        async with aclosing(chunks):
            async for chunk in chunks:
                if not isinstance(chunk, Done):
                    fields = self._text_fields(chunk.text, chunk.thinking, ())
                    more = _logprobs(chunk.logprobs) if chunk.prefill is None else {"prefill": chunk.prefill}
                    yield self._line({**fields, "done": False, **more}) + b"\n"
                    continue
                if calls := chunk.whole.tool_calls:
                    yield self._line({**self._text_fields("", "", calls), "done": False}) + b"\n"
                yield self._line(self._text_fields("", "", ()) | _end(chunk)) + b"\n"

    async def _whole(self, chunks: Completion) -> Parts:
        done = await completion.finished(chunks)
        whole = done.whole
        fields = self._text_fields(whole.text, whole.thinking, whole.tool_calls)
        yield self._line({**fields, **_end(done), **_logprobs(whole.logprobs)})

    def _line(self, fields: dict[str, object]) -> bytes:
        return encode({"model": self._model, "created_at": format_time(datetime.now(UTC)), **fields})


def _end(done: Done) -> dict[str, object]:
    """The fields of the last line, durations in nanoseconds."""
    fields: dict[str, object] = {"done": True, "done_reason": done.reason}
    if done.context is not None:
        fields["context"] = done.context
    if (usage := done.whole.usage) is not None:
        fields |= {
            "total_duration": done.total_ns,
            "load_duration": done.load_ns,
            "prompt_eval_count": usage.prompt_tokens,
            "prompt_eval_duration": usage.prompt_ns,
            "eval_count": usage.answer_tokens,
            "eval_duration": usage.answer_ns,
        }
    return fields


def _generate_fields(text: str, thinking: str, calls: ToolCalls) -> dict[str, object]:
    return {"response": text, **_thinking_and_calls(thinking, calls)}


def _chat_fields(text: str, thinking: str, calls: ToolCalls) -> dict[str, object]:
    return {"message": {"role": "assistant", "content": text, **_thinking_and_calls(thinking, calls)}}


def _thinking_and_calls(thinking: str, calls: ToolCalls) -> dict[str, object]:
    fields: dict[str, object] = {"thinking": thinking} if thinking else {}
    if calls:
        fields["tool_calls"] = [
            {
                "id": call.id,
                "function": {
                    "index": index,
                    "name": call.function.name,
                    "arguments": call.arguments,
                },
            }
            for index, call in enumerate(calls)
        ]
    return fields


def _logprobs(logprobs: Sequence[TokenLogprob]) -> dict[str, object]:
    return {"logprobs": list(logprobs)} if logprobs else {}


async def _embeddings(engine: Engine, wanted: wire.WireEmbedRequest) -> Parts:
    found = await embed(engine, wanted)
    answer: dict[str, object] = {
        "model": wanted.model,
        "embeddings": found.vectors,
        "total_duration": found.total_ns,
        "load_duration": found.load_ns,
        "prompt_eval_count": found.tokens,
    }
    if not found.vectors:
        answer = {"model": wanted.model, "embeddings": []}
    yield encode(answer)


async def _embedding(engine: Engine, wanted: wire.EmbeddingRequest) -> Parts:
    found = await embed(
        engine,
        wire.WireEmbedRequest(
            model=wanted.model, input=wanted.prompt, keep_alive=wanted.keep_alive, options=wanted.options
        ),
        normalized=False,
    )
    yield encode({"embedding": found.vectors[0] if found.vectors else []})
