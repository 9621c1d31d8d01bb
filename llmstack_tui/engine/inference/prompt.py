"""What llama.cpp is asked, and what to leave out of a prompt that is longer than the model's context.

Of a conversation the oldest turns go first; system messages and the last message stay (``server/prompt.go``
in Ollama). What is then still too long loses its middle: the first ``num_keep`` tokens stay and the end, and
half of the rest of the context is left for the answer (``completionPromptForRequest`` in its ``llm/``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

CHAT, COMPLETION = "/v1/chat/completions", "/completion"
# What llama.cpp calls a prompt that does not fit into the context.
TOO_LONG = "exceed_context_size_error"

Turn = dict[str, Any]


class Upstream(Protocol):
    """llama.cpp's server, asked for one answer."""

    async def call(self, path: str, body: Mapping[str, object]) -> dict[str, Any]: ...


class Ask(Struct, frozen=True):
    """A request to llama.cpp's server. A `CHAT` has ``messages``, a `COMPLETION` has a ``prompt``."""

    path: str
    body: Mapping[str, Any]


def completion(prompt: str | list[int], fields: Mapping[str, Any]) -> Ask:
    """The completion of a prompt with the ``fields`` of a chat, which have other names there."""
    body = {key: value for key, value in fields.items() if key not in _OF_CHATS}
    wanted = fields.get("response_format")
    if wanted:
        body["json_schema"] = wanted["json_schema"]["schema"] if "json_schema" in wanted else {}
    if fields.get("logprobs"):
        body["n_probs"] = fields["top_logprobs"]
    return Ask(COMPLETION, {**body, "prompt": prompt})


async def render(upstream: Upstream, ask: Mapping[str, Any], turns: Sequence[Turn]) -> str:
    """The prompt that the model's template makes of ``turns``, and of what ``ask`` has for it."""
    inputs = {key: ask[key] for key in _OF_TEMPLATES if key in ask}
    answer = await upstream.call("/apply-template", {**inputs, "messages": list(turns)})
    return str(answer["prompt"])


async def tokenize(upstream: Upstream, text: str) -> list[int]:
    """The tokens of a prompt, with those that begin every prompt of the model."""
    answer = await upstream.call("/tokenize", {"content": text, "add_special": True, "parse_special": True})
    return list(answer["tokens"])


async def detokenize(upstream: Upstream, tokens: Sequence[int]) -> str:
    answer = await upstream.call("/detokenize", {"tokens": list(tokens)})
    return str(answer["content"])


async def conversation(upstream: Upstream, ask: Ask, answer: str) -> list[int]:
    """The tokens of what was asked and of the answer."""
    prompt = ask.body["prompt"] if ask.path == COMPLETION else await _rendered(upstream, ask)
    if isinstance(prompt, str):
        return await tokenize(upstream, prompt + answer)
    return [*prompt, *await tokenize(upstream, answer)]


async def shortened(upstream: Upstream, ask: Ask, context_length: int) -> Ask:
    """The same request, short enough for the context."""
    body = ask.body
    if ask.path == CHAT:

        async def count(turns: Sequence[Turn]) -> int:
            return len(await tokenize(upstream, await render(upstream, body, turns)))

        turns = await fitting(body["messages"], context_length - 1, count)
        ask = Ask(CHAT, {**body, "messages": turns})
        prompt = await _rendered(upstream, ask)
    else:
        prompt = body["prompt"]
    tokens = await tokenize(upstream, prompt)
    shorter = without_middle(tokens, context_length, body.get("n_keep", 0))
    return ask if len(shorter) == len(tokens) else completion(shorter, body)


async def fitting(
    turns: Sequence[Turn], limit: int, count: Callable[[Sequence[Turn]], Awaitable[int]]
) -> list[Turn]:
    """The turns without the oldest ones, as many as fit into ``limit`` tokens; at least the last one.

    ``count`` says how long a prompt of some turns is. It is asked a few times, not once per turn.
    """
    first, last = 0, len(turns) - 1
    while first < last:
        middle = (first + last) // 2
        if await count(without_oldest(turns, middle)) <= limit:
            last = middle
        else:
            first = middle + 1
    return without_oldest(turns, first)


def without_oldest(turns: Sequence[Turn], count: int) -> list[Turn]:
    """The turns without the first ``count``, of which the system messages stay."""
    system = [turn for turn in turns[:count] if turn.get("role") == "system"]
    return [*system, *turns[count:]]


def without_middle(tokens: Sequence[int], context_length: int, keep: int) -> list[int]:
    """The tokens, if they fit, else their first ``keep`` and their end, with room left for an answer."""
    most = context_length - 1
    if len(tokens) <= most:
        return list(tokens)
    keep = min(len(tokens) if keep < 0 else keep, most)
    length = context_length - max((context_length - keep) // 2, 1)
    return [*tokens[:keep], *tokens[len(tokens) - (length - keep) :]]


_OF_TEMPLATES = ("tools", "chat_template_kwargs")
_OF_CHATS = frozenset({"messages", "response_format", "logprobs", "top_logprobs", *_OF_TEMPLATES})


async def _rendered(upstream: Upstream, ask: Ask) -> str:
    return await render(upstream, ask.body, ask.body["messages"])
