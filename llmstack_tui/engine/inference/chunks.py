"""The events of llama.cpp's completions as typed chunks.

``/v1/chat/completions``, ``/v1/completions`` and ``/completion`` send the same information in three forms;
`decode` reads all three.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, field

from llmstack_tui.engine.errors import UpstreamError
from llmstack_tui.ollama.wire import WirePrefill

if TYPE_CHECKING:
    from collections.abc import Sequence


class FunctionPart(Struct, frozen=True):
    name: str | None = None
    arguments: str | None = None


class ToolCallPart(Struct, frozen=True):
    """A tool call, or a part of the call ``index``: the first part has the name, each some arguments."""

    index: int = 0
    id: str | None = None
    function: FunctionPart = FunctionPart()

    @property
    def arguments(self) -> dict[str, object]:
        """The arguments of a whole call; empty if the answer ended in the middle of them."""
        try:
            return msgspec.json.decode(self.function.arguments or "{}", type=dict[str, object])
        except msgspec.MsgspecError:
            return {}


class TokenLogprob(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The log probability (natural) of a token. ``top``: the most probable tokens at its position."""

    token: str
    logprob: float
    bytes: tuple[int, ...] = ()
    top: tuple[TokenLogprob, ...] = field(default=(), name="top_logprobs")


class CompletionUsage(Struct, frozen=True, kw_only=True):
    """Tokens of the prompt (cached ones included) and of the answer, and the times of prefill and decode."""

    prompt_tokens: int
    prompt_ns: int
    answer_tokens: int
    answer_ns: int


class CompletionChunk(Struct, frozen=True, kw_only=True):
    """The part of a completion in one event.

    Attributes:
        finish: "stop", "length" or "tool_calls" at the end; a chunk with ``usage`` may follow.
        at_word: it was ended at a text of ``stop``, the tokens of which are among ``tokens``.
        usage: set in the last chunk.
        tokens: those of `/completion`, which leaves out some of a letter that takes several.
        prefill: how far the prompt has been read; then there is nothing else.
    """

    text: str = ""
    thinking: str = ""
    tool_calls: tuple[ToolCallPart, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()
    finish: str | None = None
    at_word: bool = False
    usage: CompletionUsage | None = None
    tokens: tuple[int, ...] = ()
    prefill: WirePrefill | None = None


def joined(chunks: Sequence[CompletionChunk]) -> CompletionChunk:
    """Join the chunks of a completion into one.

    The arguments of a tool call are JSON as the model wrote it, and may be invalid.
    """
    calls: dict[int, list[ToolCallPart]] = {}
    for part in (part for chunk in chunks for part in chunk.tool_calls):
        calls.setdefault(part.index, []).append(part)
    return CompletionChunk(
        text="".join(chunk.text for chunk in chunks),
        thinking="".join(chunk.thinking for chunk in chunks),
        tool_calls=tuple(_joined_call(index, parts) for index, parts in sorted(calls.items())),
        logprobs=tuple(logprob for chunk in chunks for logprob in chunk.logprobs),
        finish=next((chunk.finish for chunk in reversed(chunks) if chunk.finish), None),
        at_word=any(chunk.at_word for chunk in chunks),
        usage=next((chunk.usage for chunk in reversed(chunks) if chunk.usage), None),
        tokens=tuple(token for chunk in chunks for token in chunk.tokens),
    )


def answer_tokens(whole: CompletionChunk) -> tuple[int, ...] | None:
    """The tokens of a whole answer, without the one that ends it; None if they are not known."""
    if whole.usage is None or whole.at_word or len(whole.tokens) != whole.usage.answer_tokens:
        return None
    return whole.tokens[:-1] if whole.finish == "stop" else whole.tokens


def _joined_call(index: int, parts: Sequence[ToolCallPart]) -> ToolCallPart:
    name = "".join(part.function.name or "" for part in parts)
    arguments = "".join(part.function.arguments or "" for part in parts)
    return ToolCallPart(index, "".join(part.id or "" for part in parts), FunctionPart(name, arguments))


class _LlamaDelta(Struct):
    content: str | None = None
    reasoning_content: str | None = None
    tool_calls: tuple[ToolCallPart, ...] | None = None


class _LlamaLogprobs(Struct):
    content: tuple[TokenLogprob, ...] | None = None


class _LlamaChoice(Struct):
    delta: _LlamaDelta | None = None
    text: str | None = None
    finish_reason: str | None = None
    logprobs: _LlamaLogprobs | None = None


class _LlamaTimings(Struct):
    cache_n: int = 0
    prompt_n: int = 0
    prompt_ms: float = 0
    predicted_n: int = 0
    predicted_ms: float = 0


class _LlamaProgress(Struct):
    total: int = 0
    cache: int = 0
    processed: int = 0


class _LlamaEvent(Struct):
    prompt_progress: _LlamaProgress | None = None
    choices: list[_LlamaChoice] | None = None
    timings: _LlamaTimings | None = None
    # From /completion:
    content: str | None = None
    stop_type: str | None = None
    completion_probabilities: tuple[TokenLogprob, ...] | None = None
    tokens: tuple[int, ...] = ()
    tokens_predicted: int = 0


_decoder = msgspec.json.Decoder(_LlamaEvent)
_STOP_TYPES = {"eos": "stop", "word": "stop", "limit": "length"}


def decode(event: bytes) -> CompletionChunk:
    """Decode the JSON of an event.

    Raises:
        UpstreamError: it is not an event of a completion.
    """
    try:
        found = _decoder.decode(event)
    except msgspec.MsgspecError as error:
        text = event[:500].decode(errors="replace")
        message = f"llama.cpp sent an event that is not understood ({error}): {text}"
        raise UpstreamError(message) from error
    if (progress := found.prompt_progress) is not None:
        prefill = WirePrefill(read=progress.processed, total=progress.total, cached=progress.cache)
        return CompletionChunk(prefill=prefill)
    usage = _usage(found.timings) if found.timings else None
    if not found.choices:
        return CompletionChunk(
            text=found.content or "",
            logprobs=found.completion_probabilities or (),
            finish=_STOP_TYPES.get(found.stop_type) if found.stop_type else None,
            at_word=found.stop_type == "word",
            usage=usage,
            tokens=found.tokens if found.tokens_predicted else (),
        )
    choice = found.choices[0]
    delta = choice.delta or _LlamaDelta(content=choice.text)
    return CompletionChunk(
        text=delta.content or "",
        thinking=delta.reasoning_content or "",
        tool_calls=delta.tool_calls or (),
        logprobs=(choice.logprobs.content if choice.logprobs else None) or (),
        finish=choice.finish_reason,
        usage=usage,
    )


def _usage(timings: _LlamaTimings) -> CompletionUsage:
    return CompletionUsage(
        prompt_tokens=timings.cache_n + timings.prompt_n,
        prompt_ns=round(timings.prompt_ms * 1e6),
        answer_tokens=timings.predicted_n,
        answer_ns=round(timings.predicted_ms * 1e6),
    )
