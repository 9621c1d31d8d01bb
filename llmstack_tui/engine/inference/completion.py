"""A request to a model from its beginning to its end, in neither Ollama's nor OpenAI's words.

What is asked is Ollama's request, which can say the most; what comes back are pieces and, at the end, what it
cost. What is refused, and why, follows ``GenerateHandler`` and ``ChatHandler`` in Ollama's server.
"""

from __future__ import annotations

import logging
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import msgspec

from llmstack_tui.engine.api.replies import NO_IMAGES, ApiError, encode
from llmstack_tui.engine.errors import UpstreamError
from llmstack_tui.engine.inference import prompt
from llmstack_tui.engine.inference.capabilities import COMPLETION, THINKING, TOOLS
from llmstack_tui.engine.inference.chunks import Answer, Piece, ToolCall, Usage, decode
from llmstack_tui.engine.service import keep_alive_of
from llmstack_tui.ollama.options import response_format, sampling

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from llmstack_tui.engine.service import Engine, Session, Target
    from llmstack_tui.ollama.wire import ChatRequest, GenerateRequest, Message

log = logging.getLogger(__name__)


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """The end of an answer.

    Attributes:
        reason: "stop" or "length"; "load" or "unload" when nothing was asked.
        context: the tokens of the conversation so far, for whoever sends them back.
    """

    reason: str
    total_ns: int = 0
    load_ns: int = 0
    usage: Usage | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    context: list[int] | None = None


async def chat(engine: Engine, request: ChatRequest) -> AsyncGenerator[Piece | Done, None]:
    """The answer to a conversation. Without messages the model is loaded, or, with no keep-alive, unloaded.

    Raises:
        ApiError: with what went wrong.
    """
    since = time.monotonic_ns()
    keep_alive = keep_alive_of(request.keep_alive)
    target = await engine.find(request.model)
    messages = request.messages or []
    if not messages and keep_alive is not None and not keep_alive:
        engine.unload(target)
        yield Done(reason="unload")
        return
    _check(target, request, "chat")
    if request.tools and TOOLS not in target.capabilities:
        raise ApiError(400, f"{target.model.name.full} does not support tools")
    if any(message.images for message in messages):
        raise ApiError(400, NO_IMAGES)
    async with engine.use(target, options=request.options, keep_alive=keep_alive) as session:
        if not messages:
            yield Done(reason="load")
            return
        turns = [*map(dict, target.model.messages), *map(_turn, messages)]
        if messages[0].role != "system" and target.model.system:
            turns.insert(0, {"role": "system", "content": target.model.system})
        body = {"messages": turns, **_fields(session, request)}
        if request.tools:
            body["tools"] = request.tools
        exchange = _Exchange(session, prompt.Ask(prompt.CHAT, body))
        async with aclosing(exchange.pieces(shorten=request.truncate is not False)) as pieces:
            async for piece in pieces:
                yield piece
        yield exchange.done(since)


async def generate(engine: Engine, request: GenerateRequest) -> AsyncGenerator[Piece | Done, None]:
    """The answer to one prompt. Without one the model is loaded, or, with no keep-alive, unloaded.

    Raises:
        ApiError: with what went wrong.
    """
    since = time.monotonic_ns()
    keep_alive = keep_alive_of(request.keep_alive)
    target = await engine.find(request.model)
    if not request.prompt and keep_alive is not None and not keep_alive:
        engine.unload(target)
        yield Done(reason="unload")
        return
    _check(target, request, "generate")
    _check_generate(request)
    async with engine.use(target, options=request.options, keep_alive=keep_alive) as session:
        if not request.prompt:
            yield Done(reason="load")
            return
        exchange = _Exchange(session, await _generate_ask(session, request))
        async with aclosing(exchange.pieces(shorten=request.truncate is not False)) as pieces:
            async for piece in pieces:
                yield piece
        yield exchange.done(since, None if request.raw else await exchange.context())


class _Exchange:
    """One request to a loaded model."""

    def __init__(self, session: Session, ask: prompt.Ask) -> None:
        self._session = session
        self._ask = ask
        self._answer = Answer()

    async def pieces(self, *, shorten: bool) -> AsyncGenerator[Piece, None]:
        """The parts of the answer that have something for the client.

        A prompt that is longer than the context is shortened once llama.cpp has said so: to count it before
        would cost every other request.
        """
        try:
            async with aclosing(self._stream()) as pieces:
                async for piece in pieces:
                    yield piece
            return
        except UpstreamError as error:
            # It is said before anything is answered.
            if not shorten or error.kind != prompt.TOO_LONG:
                raise
        session = self._session
        log.info("A prompt longer than the context of %d tokens is shortened", session.context_length)
        self._ask = await prompt.shortened(session.runner, self._ask, session.context_length)
        async with aclosing(self._stream()) as pieces:
            async for piece in pieces:
                yield piece

    async def context(self) -> list[int]:
        return await prompt.conversation(self._session.runner, self._ask, self._answer.text)

    def done(self, since_ns: int, context: list[int] | None = None) -> Done:
        answer = self._answer
        return Done(
            reason="length" if answer.finish == "length" else "stop",
            total_ns=time.monotonic_ns() - since_ns,
            load_ns=self._session.load_ns,
            usage=answer.usage,
            tool_calls=answer.tool_calls,
            context=context,
        )

    async def _stream(self) -> AsyncGenerator[Piece, None]:
        async with aclosing(self._session.runner.stream(self._ask.path, self._ask.body)) as events:
            async for event in events:
                piece = decode(event)
                self._answer.add(piece)
                if piece.text or piece.thinking or piece.logprobs:
                    yield piece


async def _generate_ask(session: Session, request: GenerateRequest) -> prompt.Ask:
    fields = _fields(session, request)
    asked = request.prompt or ""
    if request.raw:
        return prompt.completion(asked, fields)
    model = session.target.model
    turns: list[prompt.Turn] = [{"role": "user", "content": asked}]
    if not request.context:
        turns = [*map(dict, model.messages), *turns]
    if system := request.system or model.system:
        turns.insert(0, {"role": "system", "content": system})
    if not request.context:
        return prompt.Ask(prompt.CHAT, {"messages": turns, **fields})
    before = await prompt.detokenize(session.runner, request.context)
    return prompt.completion(before + await prompt.render(session.runner, fields, turns), fields)


def _check(target: Target, request: ChatRequest | GenerateRequest, act: str) -> None:
    if not 0 <= (request.top_logprobs or 0) <= 20:
        raise ApiError(400, "top_logprobs must be between 0 and 20")
    if COMPLETION not in target.capabilities:
        raise ApiError(400, f'"{request.model}" does not support {act}')
    if request.think and THINKING not in target.capabilities:
        raise ApiError(400, f'"{request.model}" does not support thinking')


def _check_generate(request: GenerateRequest) -> None:
    if request.raw and (request.template or request.system or request.context):
        raise ApiError(400, "raw mode does not support template, system, or context")
    if request.suffix:
        raise ApiError(400, "Filling in before a suffix needs Ollama: the built-in engine cannot do it.")
    if request.images:
        raise ApiError(400, NO_IMAGES)
    if request.template:
        log.info("A request's own template is passed over: the engine uses the model's")


def _fields(session: Session, request: ChatRequest | GenerateRequest) -> dict[str, Any]:
    """What is the same for all ways to ask."""
    fields = sampling(session.options, context_length=session.context_length)
    try:
        wanted = response_format(request.format)
    except ValueError as error:
        raise ApiError(400, str(error)) from None
    if wanted:
        fields["response_format"] = wanted
    if request.logprobs:
        fields["logprobs"] = True
        fields["top_logprobs"] = max(request.top_logprobs or 0, 1)
    if THINKING in session.target.capabilities:
        think = True if request.think is None else request.think
        effort = {"reasoning_effort": think} if isinstance(think, str) else {}
        fields["chat_template_kwargs"] = {"enable_thinking": bool(think), **effort}
    return fields


def _turn(message: Message) -> prompt.Turn:
    """A message as llama.cpp takes it."""
    turn: prompt.Turn = {"role": message.role or "user", "content": message.content or ""}
    if message.thinking:
        turn["reasoning_content"] = message.thinking
    if message.tool_name:
        turn["name"] = message.tool_name
    if message.tool_call_id:
        turn["tool_call_id"] = message.tool_call_id
    if message.tool_calls:
        turn["tool_calls"] = [
            {
                "id": call.id or f"call_{number}",
                "type": "function",
                "function": {
                    "name": call.function.name if call.function else "",
                    "arguments": encode(call.function.arguments or {} if call.function else {}).decode(),
                },
            }
            for number, call in enumerate(message.tool_calls)
        ]
    return turn
