"""A completion from the request to its last token, whichever API asked for it.

The request has Ollama's form, which can express the most; the result is a stream of chunks, then a `Done`.
Requests are refused for the reasons of ``GenerateHandler`` and ``ChatHandler`` in Ollama's server.
"""

from __future__ import annotations

import time
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from llmstack_tui.engine.errors import NO_IMAGES, ApiError, UpstreamError
from llmstack_tui.engine.inference import prompt, rendering
from llmstack_tui.engine.inference.generation import Done, Generation
from llmstack_tui.engine.service import Engine, ModelSession, Target, keep_alive_of
from llmstack_tui.engine.templates import COMPLETION, INSERT, THINKING, TOOLS
from llmstack_tui.ollama.wire import WireToolFunction

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from llmstack_tui.engine.inference.chunks import CompletionChunk
    from llmstack_tui.ollama.wire import GenerateRequest, WireChatRequest, WireMessage

    Completion = AsyncGenerator[CompletionChunk | Done, None]

_LEVELS = ("high", "medium", "low", "max")


async def finished(completion: Completion) -> Done:
    """Read a completion to its end.

    Raises:
        ApiError: the completion failed.
    """
    async with aclosing(completion) as chunks:
        async for chunk in chunks:
            if isinstance(chunk, Done):
                return chunk
    raise AssertionError("A completion ends with a Done.")


def chat(
    engine: Engine, request: WireChatRequest, *, must_call: bool = False, for_agent: bool = False
) -> Completion:
    """Answer a conversation. Without messages, only load the model, or unload it if ``keep_alive`` is 0.

    Args:
        must_call: the answer has to be a call of a tool.
        for_agent: ``think`` is passed over for a model that does not think; and the oldest turns are left out
            if they must be, but a prompt that is too long without them is refused instead of cut: what an
            agent tells first, its tools among that, would be lost.

    Raises:
        ApiError: the request is refused, or the completion failed.
    """
    check = partial(_check_chat, request, for_agent=for_agent)
    prepare = partial(_chat_request, request, must_call=must_call) if request.messages else None
    return _complete(engine, request, check, prepare, may_cut=not for_agent)


async def count(engine: Engine, request: WireChatRequest) -> int:
    """How many tokens a conversation is to the model, which is loaded for that.

    Raises:
        ApiError: the request is refused, or the model cannot be loaded.
    """
    target = await engine.find(request.model)
    _check_chat(request, target, for_agent=True)
    async with engine.use(target, options=request.options, keep_alive=None) as session:
        wanted = await _chat_request(request, session)
        # Without a grammar, which counting does not need.
        wanted = prompt.with_free_tools(wanted) or wanted
        return len(await prompt.tokens(session.runner, wanted))


def generate(engine: Engine, request: GenerateRequest) -> Completion:
    """Answer a prompt. Without a prompt, only load the model, or unload it if ``keep_alive`` is 0.

    Raises:
        ApiError: the request is refused, or the completion failed.
    """

    def check(target: Target) -> None:
        _check(target, request, "generate")
        if request.raw and (request.template or request.system or request.context):
            raise ApiError(400, "raw mode does not support template, system, or context")
        if request.raw and request.suffix:
            raise ApiError(400, "raw mode does not support suffix")
        own = rendering.request_template(request.template) if request.template else None
        if request.suffix and not (own.fills_in if own else INSERT in target.capabilities):
            raise ApiError(400, f"{target.model.name.full} does not support insert")
        if request.images:
            raise ApiError(400, NO_IMAGES)

    prepare = partial(_generate_request, request) if request.prompt else None
    return _complete(engine, request, check, prepare, with_context=not request.raw)


async def _complete(
    engine: Engine,
    request: WireChatRequest | GenerateRequest,
    check: Callable[[Target], None],
    prepare: Callable[[ModelSession], Awaitable[prompt.LlamaRequest]] | None,
    *,
    with_context: bool = False,
    may_cut: bool = True,
) -> Completion:
    """The common part of `chat` and `generate`. Without ``prepare``, nothing is generated."""
    since_ns = time.monotonic_ns()
    if isinstance(request.think, str) and request.think not in _LEVELS:
        known = ", ".join(f'"{each}"' for each in _LEVELS)
        raise ApiError(400, f'invalid think value: "{request.think}" (must be {known}, true, or false)')
    keep_alive = keep_alive_of(request.keep_alive)
    target = await engine.find(request.model)
    if prepare is None and keep_alive is not None and not keep_alive:
        engine.unload(target)
        yield Done(reason="unload")
        return
    check(target)
    async with engine.use(target, options=request.options, keep_alive=keep_alive) as session:
        if prepare is None:
            yield Done(reason="load")
            return
        generation = Generation(
            session,
            await prepare(session),
            with_top=bool(request.top_logprobs),
            with_context=with_context,
            with_prefill=bool(request.prefill and request.stream is not False),
        )
        found = generation.chunks(truncate=request.truncate is not False, may_cut=may_cut)
        async with aclosing(found) as chunks:
            async for chunk in chunks:
                yield chunk
        yield generation.done(since_ns)


async def _chat_request(
    request: WireChatRequest, session: ModelSession, *, must_call: bool = False
) -> prompt.LlamaRequest:
    model, messages = session.target.model, request.messages or []
    turns = prompt.with_tool_names([*map(dict, model.messages), *map(_turn, messages)])
    if messages[0].role != "system" and model.system:
        turns.insert(0, {"role": "system", "content": model.system})
    body = {"messages": _joined_end(turns), **_fields(session, request)}
    if request.tools:
        body["tools"] = [_tool(each) for each in request.tools]
        if must_call:
            body["tool_choice"] = "required"
    return await rendering.conversation(session, body, request.think)


async def _generate_request(request: GenerateRequest, session: ModelSession) -> prompt.LlamaRequest:
    fields = _fields(session, request)
    text = request.prompt or ""
    if request.raw:
        await rendering.check_format(session, fields)
        return prompt.raw_completion(text, fields)
    own = rendering.request_template(request.template) if request.template else None
    if request.suffix:
        return await rendering.filled(session, own, request, fields)
    model = session.target.model
    turns: list[prompt.LlamaMessage] = [{"role": "user", "content": text}]
    if not request.context:
        turns = [*map(dict, model.messages), *turns]
    if system := request.system or model.system:
        turns.insert(0, {"role": "system", "content": system})
    go = own or session.target.template.go
    if not request.context and go is None:
        body = {"messages": turns, **fields}
        return await rendering.conversation(session, body, request.think, with_tokens=True)
    try:
        before = await prompt.detokenize(session.runner, request.context) if request.context else ""
    except UpstreamError:
        raise ApiError(400, "context has a token that the model does not have") from None
    if go is not None:
        return await rendering.written(session, go, turns, fields, request.think, before=before)
    return prompt.raw_completion(before + await prompt.render(session.runner, fields, turns), fields)


def _check_chat(request: WireChatRequest, target: Target, *, for_agent: bool) -> None:
    _check(target, request, "chat", for_agent=for_agent)
    if request.tools and TOOLS not in target.capabilities:
        raise ApiError(400, f"{target.model.name.full} does not support tools")
    if any(message.images for message in request.messages or ()):
        raise ApiError(400, NO_IMAGES)


def _check(
    target: Target, request: WireChatRequest | GenerateRequest, route: str, *, for_agent: bool = False
) -> None:
    if not 0 <= (request.top_logprobs or 0) <= 20:
        raise ApiError(400, "top_logprobs must be between 0 and 20")
    if COMPLETION not in target.capabilities:
        raise ApiError(400, f'"{request.model}" does not support {route}')
    if request.think and THINKING not in target.capabilities and not for_agent:
        raise ApiError(400, f'"{request.model}" does not support thinking')


def _fields(session: ModelSession, request: WireChatRequest | GenerateRequest) -> dict[str, Any]:
    """The fields of a request to llama.cpp that do not depend on the kind of prompt."""
    fields = prompt.sampling(session.options, context_length=session.context_length)
    try:
        wanted = prompt.response_format(request.format)
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


def _tool(tool: Mapping[str, object]) -> dict[str, object]:
    """A tool as llama.cpp reads it, which takes null for no value.

    Raises:
        ApiError: it is no function with a name.
    """
    function = _without_nulls(tool.get("function"))
    if not isinstance(function, dict) or not isinstance(name := function.get("name"), str) or not name:
        raise ApiError(400, "A tool of the request is no function with a name: only such can be called.")
    # As llama.cpp would make it: templates expect a text.
    function["description"] = str(function.get("description", ""))
    if not isinstance(function.get("parameters"), dict):
        function["parameters"] = {}
    return {"type": "function", "function": function}


def _without_nulls(value: object) -> object:
    """The value without keys that are null, but with what is null in a list, such as that of an enum."""
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def _joined_end(turns: list[prompt.LlamaMessage]) -> list[prompt.LlamaMessage]:
    """The turns with one answer at the end: llama.cpp continues it, and refuses several."""
    while len(turns) > 1 and all(set(turn) == {"role", "content"} for turn in turns[-2:]):
        first, second = turns[-2:]
        if not first["role"] == second["role"] == "assistant":
            break
        # As Ollama's templates join turns of one role.
        turns = [*turns[:-2], {**first, "content": f"{first['content']}\n\n{second['content']}"}]
    return turns


def _turn(message: WireMessage) -> prompt.LlamaMessage:
    """A message in the form that llama.cpp's server expects."""
    turn: prompt.LlamaMessage = {"role": message.role or "user", "content": message.content or ""}
    if message.thinking:
        turn["reasoning_content"] = message.thinking
    if message.tool_name:
        turn["name"] = message.tool_name
    if message.tool_call_id:
        turn["tool_call_id"] = message.tool_call_id
    if message.tool_calls:
        functions = [call.function or WireToolFunction() for call in message.tool_calls]
        turn["tool_calls"] = [
            {
                "id": call.id or f"call_{number}",
                "type": "function",
                "function": {
                    "name": function.name or "",
                    "arguments": msgspec.json.encode(function.arguments or {}).decode(),
                },
            }
            for number, (call, function) in enumerate(zip(message.tool_calls, functions, strict=True))
        ]
    return turn
