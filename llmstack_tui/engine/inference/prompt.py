"""Requests to llama.cpp's server, and how a prompt that is longer than the context is truncated.

First the oldest turns of a conversation are dropped, except system messages and the last message
(``server/prompt.go`` in Ollama). If the rest is still too long, its middle is cut out: the first ``num_keep``
tokens and the end stay, and half of the remaining context is left for the answer
(``completionPromptForRequest`` in Ollama's ``llm/``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from llmstack_tui.base.structs import replace
from llmstack_tui.engine.errors import PromptTooLong
from llmstack_tui.engine.inference.schemas import strict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from llmstack_tui.engine.inference.tagged_answer import AnswerTags
    from llmstack_tui.ollama.options import Options

CHAT, COMPLETION = "/v1/chat/completions", "/completion"
# llama.cpp's kind of error for a prompt that does not fit into the context.
TOO_LONG = "exceed_context_size_error"

# With no other limit, an answer ends after this many times the context length.
_OPEN_ENDED_CONTEXTS = 10
_TEMPLATE_FIELDS = ("tools", "chat_template_kwargs", "response_format")
_CHAT_FIELDS = frozenset({"messages", "logprobs", "top_logprobs", "tool_choice", *_TEMPLATE_FIELDS})

_ANY_OBJECT = {"type": "object"}

LlamaMessage = dict[str, Any]


class LlamaServer(Protocol):
    """llama.cpp's server, for requests with a single answer."""

    async def call(self, path: str, body: Mapping[str, object]) -> dict[str, Any]: ...


class LlamaRequest(Struct, frozen=True):
    """A request for a completion. The body for `CHAT` has ``messages``, for `COMPLETION` a ``prompt``.

    Attributes:
        turns: what the ``prompt`` was made of, so that it can be made of fewer turns.
        write: what makes it of them; None for a prompt that is not made of turns.
        tags: what the answer is to be searched for; None where llama.cpp does that.
        after_thinking: the fields of the body that count for the answer, but not for the thinking before it.
    """

    path: str
    body: Mapping[str, Any]
    turns: Sequence[LlamaMessage] = ()
    write: Callable[[Sequence[LlamaMessage]], Awaitable[str]] | None = None
    tags: AnswerTags | None = None
    after_thinking: Mapping[str, Any] = {}


def raw_completion(prompt: str | list[int], fields: Mapping[str, Any]) -> LlamaRequest:
    """The completion of a text or of tokens, with the ``fields`` of a chat, some of which are renamed."""
    body = {key: value for key, value in fields.items() if key not in _CHAT_FIELDS}
    wanted = fields.get("response_format")
    if wanted:
        body["json_schema"] = strict(wanted["json_schema"]["schema"] if "json_schema" in wanted else {})
    if fields.get("logprobs"):
        body["n_probs"] = fields["top_logprobs"]
    return LlamaRequest(COMPLETION, {**body, "prompt": prompt})


def sampling(options: Options, *, context_length: int) -> dict[str, object]:
    """The sampling options as fields of a request, as in ``llm/llama_server.go`` of Ollama."""
    limit = _OPEN_ENDED_CONTEXTS * context_length
    return {
        "n_predict": limit if options.num_predict < 0 else min(options.num_predict, limit),
        "n_keep": max(options.num_keep, -1),
        "seed": options.seed,
        "temperature": options.temperature,
        "top_k": options.top_k,
        "top_p": options.top_p,
        "min_p": options.min_p,
        "typical_p": options.typical_p,
        # llama.cpp makes a buffer of that length, and refuses -1, which means the whole context.
        "repeat_last_n": min(options.repeat_last_n, context_length)
        if options.repeat_last_n >= 0
        else context_length,
        # It divides by the penalty; 1 is none.
        "repeat_penalty": options.repeat_penalty if options.repeat_penalty > 0 else 1.0,
        "presence_penalty": options.presence_penalty,
        "frequency_penalty": options.frequency_penalty,
        "stop": list(options.stop),
    }


def response_format(wanted: object) -> dict[str, object] | None:
    """The ``response_format`` of a request, from Ollama's ``format``: "json" or a JSON schema.

    Raises:
        ValueError: it is neither; the message is Ollama's.
    """
    if wanted is None or wanted == "":
        return None
    if wanted == "json":
        return {"type": "json_object"}
    if isinstance(wanted, dict):
        return {"type": "json_schema", "json_schema": {"name": "schema", "schema": wanted}}
    shown = f'"{wanted}"' if isinstance(wanted, str) else str(wanted)
    raise ValueError(f'invalid format: {shown[:80]}; expected "json" or a valid JSON Schema object')


def with_free_tools(request: LlamaRequest) -> LlamaRequest | None:
    """The same with tools that may be called with any arguments; None if they may be, or there are none.

    The template gets the tools as they are: the model reads their schemas, and no grammar holds it to them.
    """
    tools = request.body.get("tools", ())
    free = [{**tool, "function": {**tool["function"], "parameters": _ANY_OBJECT}} for tool in tools]
    if free == list(tools):
        return None
    inputs = {**request.body.get("chat_template_kwargs", {}), "tools": tools}
    return LlamaRequest(request.path, {**request.body, "tools": free, "chat_template_kwargs": inputs})


def with_tool_names(turns: Sequence[LlamaMessage]) -> list[LlamaMessage]:
    """The turns, in which each result says which tool of which call it is from: many templates tell that.

    OpenAI's and Anthropic's clients send the call's id, and some of Ollama's neither id nor name: then the
    results are those of the calls in their order.
    """
    named, called = list[LlamaMessage](), dict[str, str]()
    for turn in turns:
        if calls := turn.get("tool_calls"):
            called = {call["id"]: call["function"]["name"] for call in calls}
        elif turn.get("role") == "tool" and called:
            by_name = (each for each, name in called.items() if name == turn.get("name"))
            call = turn.get("tool_call_id") or next(by_name, next(iter(called)))
            name = called.pop(call, "")
            named.append({"tool_call_id": call, **({"name": name} if name else {}), **turn})
            continue
        named.append(turn)
    return named


async def render(server: LlamaServer, fields: Mapping[str, Any], turns: Sequence[LlamaMessage]) -> str:
    """The text that the model's chat template makes of ``turns`` and of the tools in ``fields``.

    Raises:
        UpstreamError: the format in ``fields`` cannot be kept to, over which `COMPLETION` passes in silence.
    """
    inputs = {key: fields[key] for key in _TEMPLATE_FIELDS if key in fields}
    answer = await server.call("/apply-template", {**inputs, "messages": list(turns)})
    return str(answer["prompt"])


async def tokenize(server: LlamaServer, text: str, *, begins: bool = True) -> list[int]:
    """The tokens of a prompt, including the special tokens that begin every prompt of the model.

    Args:
        begins: False for what follows on other tokens.
    """
    answer = await server.call("/tokenize", {"content": text, "add_special": begins, "parse_special": True})
    return list(answer["tokens"])


async def detokenize(server: LlamaServer, tokens: Sequence[int]) -> str:
    answer = await server.call("/detokenize", {"tokens": list(tokens)})
    return str(answer["content"])


async def written(server: LlamaServer, request: LlamaRequest) -> str | list[int]:
    """A request's prompt: its text, or its tokens."""
    if request.path == CHAT:
        return await render(server, request.body, request.body["messages"])
    prompt: str | list[int] = request.body["prompt"]
    return prompt


async def tokens(server: LlamaServer, request: LlamaRequest) -> list[int]:
    """The tokens of a request's prompt."""
    prompt = await written(server, request)
    return await tokenize(server, prompt) if isinstance(prompt, str) else prompt


async def after_thinking(server: LlamaServer, request: LlamaRequest, thought: str) -> LlamaRequest:
    """The request for the answer itself, once the model has written ``thought``."""
    prompt = request.body["prompt"]
    if isinstance(prompt, str):
        prompt += thought
    elif thought:
        prompt = [*prompt, *await tokenize(server, thought, begins=False)]
    body = {**request.body, **request.after_thinking, "prompt": prompt}
    return replace(request, body=body, after_thinking={})


async def truncated(
    server: LlamaServer, request: LlamaRequest, context_length: int, *, may_cut: bool = True
) -> LlamaRequest:
    """The same request with a prompt that fits into the context.

    Raises:
        PromptTooLong: it does not without its oldest turns, and its middle may not be cut out.
    """
    whole, body, write = request, request.body, request.write
    if request.path == CHAT or write is not None:

        async def count(turns: Sequence[LlamaMessage]) -> int:
            text = await (render(server, body, turns) if write is None else write(turns))
            return len(await tokenize(server, text))

        turns = await fitting(request.turns or body["messages"], context_length - 1, count)
        made = {"messages": turns} if write is None else {"prompt": await write(turns)}
        request = replace(request, body={**body, **made})
    found = await tokens(server, request)
    shorter = without_middle(found, context_length, body.get("n_keep", 0))
    if len(shorter) == len(found):
        return request
    if not may_cut:
        raise PromptTooLong(len(await tokens(server, whole)), context_length)
    return replace(raw_completion(shorter, body), tags=request.tags, after_thinking=request.after_thinking)


async def fitting(
    turns: Sequence[LlamaMessage], limit: int, count: Callable[[Sequence[LlamaMessage]], Awaitable[int]]
) -> list[LlamaMessage]:
    """The system messages and the newest turns that fit into ``limit`` tokens, at least the last turn.

    ``count`` counts the tokens of some turns. It is called a few times (binary search), not once per turn.
    """
    first, last = 0, len(turns) - 1
    while first < last:
        middle = (first + last) // 2
        if await count(without_oldest(turns, middle)) <= limit:
            last = middle
        else:
            first = middle + 1
    return without_oldest(turns, first)


def without_oldest(turns: Sequence[LlamaMessage], count: int) -> list[LlamaMessage]:
    """The turns without the first ``count``, but with their system messages."""
    system = [turn for turn in turns[:count] if turn.get("role") == "system"]
    return [*system, *turns[count:]]


def without_middle(tokens: Sequence[int], context_length: int, keep: int) -> list[int]:
    """The tokens if they fit; else their first ``keep`` and their end, with room left for an answer."""
    most = context_length - 1
    if len(tokens) <= most:
        return list(tokens)
    keep = min(len(tokens) if keep < 0 else keep, most)
    length = context_length - max((context_length - keep) // 2, 1)
    return [*tokens[:keep], *tokens[len(tokens) - (length - keep) :]]
