"""Prompts that the engine writes itself: by a Go template, and around a gap that is to be filled."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from llmstack_tui.base.structs import replace
from llmstack_tui.engine.errors import ApiError, refusal
from llmstack_tui.engine.gotemplate.errors import TemplateFailure
from llmstack_tui.engine.gotemplate.tags import OBJECT
from llmstack_tui.engine.gotemplate.template import GoTemplate, TemplateMessage, ThinkRequest, parsed
from llmstack_tui.engine.gotemplate.values import tool_value
from llmstack_tui.engine.inference.prompt import (
    CHAT,
    LlamaMessage,
    LlamaRequest,
    detokenize,
    raw_completion,
    render,
    tokenize,
)
from llmstack_tui.engine.inference.tagged_answer import AnswerTags
from llmstack_tui.engine.templates import THINKING, is_jinja
from llmstack_tui.gguf.header import fill_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from llmstack_tui.engine.service import ModelSession
    from llmstack_tui.ollama.wire import GenerateRequest

_ANY_OBJECT = {"type": "object"}
# What special tokens look like.
_SPECIAL = re.compile(r"<[^<>]+>|\[[^\[\]]+\]")
# What is kept of texts around a gap that are too long, as in llama.cpp: three parts before it, one after.
_PARTS_BEFORE, _PARTS = 3, 4


async def conversation(
    session: ModelSession, body: Mapping[str, Any], think: bool | str | None, *, with_tokens: bool = False
) -> LlamaRequest:
    """The request for the next message. ``body`` is that of a chat for llama.cpp.

    Args:
        with_tokens: the tokens of prompt and answer will be asked for: then it is written here, if it can be.

    Raises:
        ApiError: the model's Go template failed.
    """
    turns: Sequence[LlamaMessage] = body["messages"]
    if (go := session.target.template.go) is not None:
        return await written(session, go, turns, body, think)
    thinks = THINKING in session.target.capabilities and think is not False
    # In a chat, llama.cpp's grammar has the answer begin with a fence for JSON, and then takes that away.
    writes = "response_format" in body or (with_tokens and session.target.template.is_plain)
    if not writes or "tools" in body or thinks:
        return LlamaRequest(CHAT, body)

    async def write(turns: Sequence[LlamaMessage]) -> str:
        return await render(session.runner, body, turns)

    return replace(raw_completion(await write(turns), body), turns=turns, write=write)


async def written(
    session: ModelSession,
    go: GoTemplate,
    turns: Sequence[LlamaMessage],
    fields: Mapping[str, Any],
    think: bool | str | None,
    *,
    before: str = "",
) -> LlamaRequest:
    """The request that a Go template makes of ``turns``, after the text ``before``.

    Raises:
        ApiError: the template failed.
    """

    functions = [tool["function"] for tool in fields.get("tools", ())]
    must_call = bool(functions) and fields.get("tool_choice") == "required"
    if THINKING in session.target.capabilities and (must_call or think is None):
        think = not must_call
    tools = tuple(map(tool_value, functions))
    # A call that must come is begun here.
    end = go.call_tag.removesuffix(OBJECT) if must_call else ""

    def write(turns: Sequence[LlamaMessage]) -> str:
        messages = tuple(map(_message, turns))
        return before + _run(lambda: go.conversation(messages, _today(), ThinkRequest(think), tools)) + end

    await check_format(session, fields)
    first = write(turns)
    start = await _start(session, first)

    async def write_once(turns: Sequence[LlamaMessage]) -> str:
        return write(turns).removeprefix(start)

    tags = AnswerTags(
        thinking=go.thinking if think else None,
        thinks=go.thinking is not None and first.rstrip().endswith(go.thinking.opening),
        tools=tuple(function["name"] for function in functions),
        call=go.call_tag,
        calls=must_call,
    )
    request = raw_completion(
        first.removeprefix(start), {**fields, **_a_call(functions)} if must_call else fields
    )
    return replace(_tagged(request, tags), turns=turns, write=write_once)


def _tagged(request: LlamaRequest, tags: AnswerTags) -> LlamaRequest:
    """The request whose answer has ``tags``. The form that is asked of it does not bind its thinking."""
    body, later = dict(request.body), dict[str, Any]()
    if tags.thinking and "json_schema" in body:
        later["json_schema"] = body.pop("json_schema")
    around = (tags.thinking.opening, tags.thinking.closing) if tags.thinking else ()
    if expected := [*around, *((tags.call, *_SPECIAL.findall(tags.call)) if tags.tools else ())]:
        # Otherwise llama.cpp leaves out those that are special tokens.
        body["preserved_tokens"] = expected
    return replace(request, body=body, tags=tags if expected else None, after_thinking=later)


def _a_call(functions: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """The format of the call of one of the functions."""
    calls = [
        {
            "type": "object",
            "properties": {"name": {"const": each["name"]}, "arguments": each["parameters"] or _ANY_OBJECT},
            "required": ["name", "arguments"],
        }
        for each in functions
    ]
    return {"response_format": {"json_schema": {"schema": {"anyOf": calls}}}}


async def filled(
    session: ModelSession, own: GoTemplate | None, request: GenerateRequest, fields: Mapping[str, Any]
) -> LlamaRequest:
    """The request for what stands between a prompt and its suffix.

    It is written by the request's ``own`` template, by the model's, or with the model's tokens for that.

    Raises:
        ApiError: the template failed, or the model cannot do it.
    """
    await check_format(session, fields)
    text, suffix = request.prompt or "", request.suffix or ""
    if (go := own or session.target.template.fill) is not None:
        prompt = _run(lambda: go.filled(text, suffix, _today(), ThinkRequest(request.think)))
        return raw_completion(prompt.removeprefix(await _start(session, prompt)), fields)
    tokens = fill_tokens(session.target.header)
    if tokens is None:
        raise ApiError(400, f"{session.target.model.name.full} does not support insert")
    start, first, last = await asyncio.gather(
        tokenize(session.runner, ""), _plain(session, text), _plain(session, suffix)
    )
    if request.truncate is not False:
        room = session.context_length - session.context_length // _PARTS - len(start) - 3
        first, last = around(first, last, max(room, 0))
    whole = [*start, tokens.prefix, *first, tokens.suffix, *last, tokens.middle]
    return raw_completion(whole, fields)


async def check_format(session: ModelSession, fields: Mapping[str, Any]) -> None:
    """Raise UpstreamError if the format in ``fields`` cannot be kept to."""
    if wanted := fields.get("response_format"):
        await render(session.runner, {"response_format": wanted}, [{"role": "user", "content": ""}])


def around(before: list[int], after: list[int], room: int) -> tuple[list[int], list[int]]:
    """The tokens around a gap, or those of them nearest to it that fit into ``room`` tokens."""
    most = max(room * _PARTS_BEFORE // _PARTS, room - len(after))
    kept = before[max(len(before) - most, 0) :]
    return kept, after[: room - len(kept)]


def request_template(source: str) -> GoTemplate:
    """The template of a request.

    Raises:
        ApiError: it cannot be run.
    """
    if is_jinja(source):
        raise ApiError(
            400, "The template of a request is a Go template, as in a Modelfile; this one is Jinja."
        )
    try:
        return parsed(source)
    except TemplateFailure as error:
        raise refusal(400, error) from None


def _run(write: Callable[[], str]) -> str:
    try:
        return write()
    except TemplateFailure as error:
        raise refusal(400, error) from None


def _today() -> date:
    return datetime.now(UTC).astimezone().date()


async def _start(session: ModelSession, text: str) -> str:
    """The token with which a prompt begins and llama.cpp would begin, too: once is enough."""
    runner = session.runner
    if runner.beginning is None:
        tokens = await tokenize(runner, "")
        runner.beginning = await detokenize(runner, tokens[:1]) if tokens else ""
    return runner.beginning if text.startswith(runner.beginning) else ""


async def _plain(session: ModelSession, text: str) -> list[int]:
    """The tokens of a text of the user's, in which no token has a special meaning."""
    answer = await session.runner.call(
        "/tokenize", {"content": text, "add_special": False, "parse_special": False}
    )
    return list(answer["tokens"])


def _message(turn: LlamaMessage) -> TemplateMessage:
    """A message for llama.cpp as one for a template."""
    calls = turn.get("tool_calls", ())
    return TemplateMessage(
        role=turn.get("role", "user"),
        content=turn.get("content") or "",
        thinking=turn.get("reasoning_content", ""),
        tool_name=turn.get("name", ""),
        tool_call_id=turn.get("tool_call_id", ""),
        tool_calls=tuple(
            {
                "ID": call.get("id", ""),
                "Function": {
                    "Index": number,
                    "Name": call["function"]["name"],
                    "Arguments": msgspec.json.decode(call["function"]["arguments"]),
                },
            }
            for number, call in enumerate(calls)
        ),
    )
