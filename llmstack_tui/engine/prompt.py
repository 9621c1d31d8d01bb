"""What to leave out of a prompt that is longer than the model's context, as Ollama does it.

Of a conversation the oldest turns go first; system messages and the last message stay (``server/prompt.go``).
What is then still too long loses its middle: the first ``num_keep`` tokens stay and the end, and half of the rest
of the context is left for the answer (``completionPromptForRequest`` in ``llm/llama_server.go``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

Message = dict[str, Any]


class Upstream(Protocol):
    """llama.cpp's server, asked for one answer."""

    async def call(self, path: str, body: Mapping[str, object]) -> dict[str, Any]: ...


async def render(upstream: Upstream, request: Mapping[str, object], messages: Sequence[Message]) -> str:
    """The prompt that the model's template makes of ``messages``; ``request`` has its other inputs."""
    inputs = {key: request[key] for key in ("tools", "chat_template_kwargs") if key in request}
    answer = await upstream.call("/apply-template", {**inputs, "messages": list(messages)})
    return str(answer["prompt"])


async def tokenize(upstream: Upstream, text: str) -> list[int]:
    """The tokens of a prompt, with those that begin every prompt of the model."""
    answer = await upstream.call("/tokenize", {"content": text, "add_special": True, "parse_special": True})
    return list(answer["tokens"])


async def detokenize(upstream: Upstream, tokens: Sequence[int]) -> str:
    answer = await upstream.call("/detokenize", {"tokens": list(tokens)})
    return str(answer["content"])


async def fitting_messages(
    messages: Sequence[Message], limit: int, count: Callable[[Sequence[Message]], Awaitable[int]]
) -> list[Message]:
    """The messages without the oldest turns, as many as fit into ``limit`` tokens; at least the last one.

    ``count`` says how long a prompt of some messages is. It is asked a few times, not once per message.
    """
    first, last = 0, len(messages) - 1
    while first < last:
        middle = (first + last) // 2
        if await count(without_oldest(messages, middle)) <= limit:
            last = middle
        else:
            first = middle + 1
    return without_oldest(messages, first)


def without_oldest(messages: Sequence[Message], count: int) -> list[Message]:
    """The messages without the first ``count``, of which the system messages stay."""
    system = [message for message in messages[:count] if message.get("role") == "system"]
    return [*system, *messages[count:]]


def without_middle(tokens: Sequence[int], context_length: int, keep: int) -> list[int]:
    """The tokens, if they fit, else their first ``keep`` and their end, with room left for an answer."""
    most = context_length - 1
    if len(tokens) <= most:
        return list(tokens)
    keep = min(len(tokens) if keep < 0 else keep, most)
    length = context_length - max((context_length - keep) // 2, 1)
    return [*tokens[:keep], *tokens[len(tokens) - (length - keep) :]]
