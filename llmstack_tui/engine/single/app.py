"""The HTTP server of a single file: ``/health``, ``/chat``, and the routes of OpenAI and Anthropic.

It starts whether the file exists or not, and ``/health`` says what is missing; requests then fail with status
500 and the file's path.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections import OrderedDict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from llmstack_tui.engine.api import anthropic, openai, responses
from llmstack_tui.engine.api.access import AccessMiddleware, rules
from llmstack_tui.engine.api.app import ERROR_HANDLERS
from llmstack_tui.engine.api.replies import OPENAI_JSON, GeneratorResponse, body, encode, openai_error, reply
from llmstack_tui.engine.errors import ApiError
from llmstack_tui.engine.inference import completion
from llmstack_tui.engine.process import listener
from llmstack_tui.engine.single.messages import ChatTurn, SingleChatAnswer, SingleChatRequest, TokenCounts
from llmstack_tui.engine.single.model import SingleConfig, SingleEngine
from llmstack_tui.ollama import wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from llmstack_tui.base.secret import Secret

log = logging.getLogger(__name__)

# Beyond this, the least recently used one is forgotten.
MAX_SESSIONS = 100
_ROLES = ("system", "user", "assistant")


def serve(gguf: Path | None, *, host: str, port: int, key: Secret | None = None, confine: bool = True) -> int:
    """Serve until Ctrl-C or SIGTERM and return the exit status. Messages go to standard error."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.getLogger("llmstack_tui.engine.runners.spawn").setLevel(logging.WARNING)
    try:
        config = SingleConfig.read(os.environ, gguf=gguf, host=host, port=port, confine=confine)
        with listener.listen(host, port, has_key=key is not None) as bound:
            log.info("Serving %s at %s", config.gguf, listener.base_url(bound))
            listener.Server(create_app(config, os.environ, key)).run([bound])
    except (ValueError, listener.CannotListen) as error:
        log.error("%s", error)
        return 1
    return 0


def create_app(config: SingleConfig, environ: Mapping[str, str], key: Secret | None = None) -> Starlette:
    """The application. It loads the model when it starts."""
    engine = SingleEngine(config)
    chats = _ChatRoute(engine, config.max_history)

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
            *responses.routes(engine),
            *anthropic.routes(engine),
        ],
        middleware=[Middleware(AccessMiddleware, rules(environ, config.host, key))],
        exception_handlers=ERROR_HANDLERS,
        lifespan=lifespan,
    )


class _Conversation:
    """A conversation that the server remembers. One request at a time may add to it."""

    def __init__(self) -> None:
        self.turns: list[ChatTurn] = []
        self.lock = asyncio.Lock()


class _ChatRoute:
    """``POST /chat``."""

    def __init__(self, engine: SingleEngine, history: int) -> None:
        self._engine = engine
        self._history = history
        self._sessions: OrderedDict[str, _Conversation] = OrderedDict()

    async def chat(self, request: Request) -> GeneratorResponse:
        wanted = await body(request, SingleChatRequest)
        parts = self._answer(wanted, _turns(wanted))
        return GeneratorResponse(parts, OPENAI_JSON, error=openai_error, whole=True)

    async def _answer(self, wanted: SingleChatRequest, turns: list[ChatTurn]) -> AsyncGenerator[bytes, None]:
        conversation = self._conversation(wanted.session if wanted.message is not None else None)
        async with conversation.lock:
            turns = recent([*conversation.turns, *turns], self._history)
            done = await completion.finished(completion.chat(self._engine, _chat_request(wanted, turns)))
            conversation.turns = [*turns, ChatTurn(role="assistant", content=done.whole.text)]
        target = await self._engine.find()
        yield encode(
            SingleChatAnswer(
                response=done.whole.text,
                model=target.model.name.short,
                finish_reason=done.reason,
                usage=TokenCounts(**openai.token_counts(done.whole.usage)),
                session=wanted.session,
            )
        )

    def _conversation(self, session: str | None) -> _Conversation:
        """The conversation with that name; without a name, a new one that is not remembered."""
        if session is None:
            return _Conversation()
        found = self._sessions.setdefault(session, _Conversation())
        self._sessions.move_to_end(session)
        while len(self._sessions) > MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return found


def _chat_request(wanted: SingleChatRequest, turns: list[ChatTurn]) -> wire.WireChatRequest:
    options = {"num_predict": wanted.max_tokens, "temperature": wanted.temperature}
    return wire.WireChatRequest(
        messages=[wire.WireMessage(role=turn.role, content=turn.content) for turn in turns],
        options={name: value for name, value in options.items() if value is not None},
    )


def recent(turns: Sequence[ChatTurn], history: int) -> list[ChatTurn]:
    """The last message, up to ``history`` questions with answers before it, and all system messages."""
    system = [turn for turn in turns if turn.role == "system"]
    messages = [turn for turn in turns if turn.role != "system"]
    before, last = messages[:-1], messages[-1:]
    before = before[max(0, len(before) - 2 * history) :]
    # Many templates refuse an answer without its question.
    while before and before[0].role != "user":
        before = before[1:]
    return [*system, *before, *last]


def _turns(wanted: SingleChatRequest) -> list[ChatTurn]:
    if (wanted.message is None) == (not wanted.messages):
        raise ApiError(400, 'Send either "message", a text, or "messages", a list with a message at least.')
    if wanted.message is not None:
        return [ChatTurn(role="user", content=wanted.message)]
    turns = list(wanted.messages or ())
    if wrong := next((turn.role for turn in turns if turn.role not in _ROLES), None):
        raise ApiError(400, f'"{wrong}" is no role of a message: there are {", ".join(_ROLES)}.')
    return turns
