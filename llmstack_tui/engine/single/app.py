"""The HTTP server of a single file: ``/health``, ``/chat`` and OpenAI's routes.

It starts whether the file is there or not, and says on ``/health`` what is missing; requests then fail with
status 500 and the file's path, and nothing else answers in the model's place.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from llmstack_tui.engine.api import openai
from llmstack_tui.engine.api.access import Access, rules
from llmstack_tui.engine.api.app import no_such_method, no_such_route
from llmstack_tui.engine.api.replies import OPENAI_JSON, ApiError, Produced, body, encode, openai_error, reply
from llmstack_tui.engine.inference import completion
from llmstack_tui.engine.inference.chunks import Answer
from llmstack_tui.engine.inference.completion import Done
from llmstack_tui.engine.process import listener
from llmstack_tui.engine.single.conversations import Sessions, recent
from llmstack_tui.engine.single.messages import ChatAnswer, ChatRequest, Turn, Usage
from llmstack_tui.engine.single.model import SingleConfig, SingleEngine
from llmstack_tui.ollama import wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

log = logging.getLogger(__name__)

_ROLES = ("system", "user", "assistant")


def serve(gguf: Path | None, *, host: str, port: int) -> int:
    """Serve until Ctrl-C or SIGTERM; answers the exit status. What there is to say goes to standard error."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.getLogger("llmstack_tui.engine.runners.spawn").setLevel(logging.WARNING)
    try:
        run_single(SingleConfig.read(os.environ, gguf=gguf, host=host, port=port))
    except (ValueError, listener.CannotListen) as error:
        log.error("%s", error)
        return 1
    return 0


def run_single(config: SingleConfig) -> None:
    """Serve one file until a signal comes.

    Raises:
        CannotListen: with the cause.
    """
    with listener.listen(config.host, config.port) as bound:
        log.info("Serving %s at %s", config.gguf, listener.base_url(bound))
        app = create_app(config, os.environ)
        listener.Server(app).run([bound])


def create_app(config: SingleConfig, environ: Mapping[str, str]) -> Starlette:
    """The application. The model is loaded when it starts."""
    engine = SingleEngine(config)
    chats = _Chats(engine, config.max_history)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        engine.begin_loading()
        try:
            yield
        finally:
            await engine.close()

    async def health(_: Request) -> Response:
        found = await engine.health()
        return reply(found, OPENAI_JSON, 200 if found.ok else 503)

    return Starlette(
        routes=[
            Route("/health", health, methods=["GET"]),
            Route("/chat", chats.chat, methods=["POST"]),
            *openai.routes(engine),
        ],
        middleware=[Middleware(Access, rules(environ, config.host))],
        exception_handlers={ApiError: _error, 404: no_such_route, 405: no_such_method},
        lifespan=lifespan,
    )


class _Chats:
    """``POST /chat``."""

    def __init__(self, engine: SingleEngine, history: int) -> None:
        self._engine = engine
        self._history = history
        self._sessions = Sessions()

    async def chat(self, request: Request) -> Produced:
        asked = await body(request, ChatRequest)
        return Produced(self._answer(asked, _turns(asked)), OPENAI_JSON, error=openai_error, whole=True)

    async def _answer(self, asked: ChatRequest, turns: list[Turn]) -> AsyncGenerator[bytes, None]:
        async with self._sessions.open(asked.session if asked.message is not None else None) as session:
            turns = recent([*session.turns, *turns], self._history)
            answer, done = await self._said(asked, turns)
            session.turns = [*turns, Turn(role="assistant", content=answer.text)]
        target = await self._engine.find()
        usage = done.usage
        prompt, completion = (usage.prompt_tokens, usage.answer_tokens) if usage else (0, 0)
        yield encode(
            ChatAnswer(
                response=answer.text,
                model=target.model.name.short,
                finish_reason=done.reason,
                usage=Usage(
                    prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion
                ),
                session=asked.session,
            )
        )

    async def _said(self, asked: ChatRequest, turns: list[Turn]) -> tuple[Answer, Done]:
        options = {"num_predict": asked.max_tokens, "temperature": asked.temperature}
        request = wire.ChatRequest(
            messages=[wire.Message(role=turn.role, content=turn.content) for turn in turns],
            options={name: value for name, value in options.items() if value is not None},
        )
        answer = Answer()
        async with aclosing(completion.chat(self._engine, request)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Done):
                    return answer, piece
                answer.add(piece)
        raise ApiError(500, "The answer has no end.")


def _turns(asked: ChatRequest) -> list[Turn]:
    if (asked.message is None) == (not asked.messages):
        raise ApiError(400, 'Send either "message", a text, or "messages", a list with a message at least.')
    if asked.message is not None:
        return [Turn(role="user", content=asked.message)]
    turns = list(asked.messages or ())
    if wrong := next((turn.role for turn in turns if turn.role not in _ROLES), None):
        raise ApiError(400, f'"{wrong}" is no role of a message: there are {", ".join(_ROLES)}.')
    return turns


async def _error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 (what it is registered for)
    return openai_error(error)
