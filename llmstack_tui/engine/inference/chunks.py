"""The events of llama.cpp's completions as typed pieces, whichever of its routes they came from.

``/v1/chat/completions``, ``/v1/completions`` and ``/completion`` say the same in three forms. Each event is
parsed once, straight into what is needed.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from llmstack_tui.engine.errors import UpstreamError


class ToolCallPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a call: the first of an ``index`` has the name, each has more of the arguments."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


class TokenLogprob(msgspec.Struct, frozen=True, kw_only=True):
    """How probable a token was. ``top`` is the same of the most probable ones, without theirs."""

    token: str
    logprob: float
    bytes: tuple[int, ...] = ()
    top: tuple[TokenLogprob, ...] = msgspec.field(default=(), name="top_logprobs")


class PromptProgress(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of the prompt that are computed, of how many; ``cache`` of them were known from before."""

    total: int
    processed: int
    cache: int = 0


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer cost. ``prompt_tokens`` counts all, ``cached_tokens`` those that took no time."""

    prompt_tokens: int
    cached_tokens: int
    prompt_ns: int
    answer_tokens: int
    answer_ns: int


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """What one event says.

    Attributes:
        finish: in the last piece but, perhaps, the one with ``usage``: "stop", "length" or "tool_calls".
        usage: in the last piece.
    """

    text: str = ""
    thinking: str = ""
    tool_calls: tuple[ToolCallPart, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()
    finish: str | None = None
    usage: Usage | None = None
    progress: PromptProgress | None = None


class ToolCall(Struct, frozen=True, kw_only=True):
    """A whole call. ``arguments`` is JSON, as the model wrote it."""

    id: str
    name: str
    arguments: str


class Answer:
    """Adds the pieces of one answer up."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._calls: dict[int, list[ToolCallPart]] = {}
        self._logprobs: list[TokenLogprob] = []
        self.finish: str | None = None
        self.usage: Usage | None = None

    def add(self, piece: Piece) -> None:
        self._text.append(piece.text)
        self._thinking.append(piece.thinking)
        for part in piece.tool_calls:
            self._calls.setdefault(part.index, []).append(part)
        self._logprobs.extend(piece.logprobs)
        self.finish = piece.finish or self.finish
        self.usage = piece.usage or self.usage

    @property
    def text(self) -> str:
        return "".join(self._text)

    @property
    def thinking(self) -> str:
        return "".join(self._thinking)

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(
            ToolCall(
                id="".join(part.id for part in parts),
                name="".join(part.name for part in parts),
                arguments="".join(part.arguments for part in parts),
            )
            for _, parts in sorted(self._calls.items())
        )

    @property
    def logprobs(self) -> tuple[TokenLogprob, ...]:
        return tuple(self._logprobs)


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _ToolCall(msgspec.Struct):
    index: int = 0
    id: str | None = None
    function: _Function = msgspec.field(default_factory=_Function)


class _Delta(msgspec.Struct):
    content: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Logprobs(msgspec.Struct):
    content: tuple[TokenLogprob, ...] | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    text: str | None = None
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class _Timings(msgspec.Struct):
    cache_n: int = 0
    prompt_n: int = 0
    prompt_ms: float = 0
    predicted_n: int = 0
    predicted_ms: float = 0


class _Event(msgspec.Struct):
    choices: list[_Choice] | None = None
    timings: _Timings | None = None
    prompt_progress: PromptProgress | None = None
    # Of /completion:
    content: str | None = None
    stop_type: str | None = None
    completion_probabilities: tuple[TokenLogprob, ...] | None = None


_decoder = msgspec.json.Decoder(_Event)
_STOP_TYPES = {"eos": "stop", "word": "stop", "limit": "length"}


def decode(event: bytes) -> Piece:
    """The piece in the JSON of an event.

    Raises:
        UpstreamError: it is something else.
    """
    try:
        found = _decoder.decode(event)
    except msgspec.MsgspecError as error:
        raise UpstreamError(
            f"llama.cpp sent an event that is not understood: {error}.",
            status=500,
            kind="server_error",
            fields={"event": event.decode(errors="replace")[:500]},
        ) from error
    usage = _usage(found.timings) if found.timings else None
    if found.choices:
        return _from_choice(found.choices[0], usage, found.prompt_progress)
    return Piece(
        text=found.content or "",
        logprobs=found.completion_probabilities or (),
        finish=_STOP_TYPES.get(found.stop_type) if found.stop_type else None,
        usage=usage,
        progress=found.prompt_progress,
    )


def _from_choice(choice: _Choice, usage: Usage | None, progress: PromptProgress | None) -> Piece:
    logprobs = (choice.logprobs.content if choice.logprobs else None) or ()
    delta = choice.delta
    if delta is None:
        return Piece(
            text=choice.text or "",
            logprobs=logprobs,
            finish=choice.finish_reason,
            usage=usage,
            progress=progress,
        )
    return Piece(
        text=delta.content or "",
        thinking=delta.reasoning_content or "",
        tool_calls=tuple(map(_part, delta.tool_calls or ())),
        logprobs=logprobs,
        finish=choice.finish_reason,
        usage=usage,
        progress=progress,
    )


def _part(call: _ToolCall) -> ToolCallPart:
    function = call.function
    return ToolCallPart(
        index=call.index, id=call.id or "", name=function.name or "", arguments=function.arguments or ""
    )


def _usage(timings: _Timings) -> Usage:
    return Usage(
        prompt_tokens=timings.cache_n + timings.prompt_n,
        cached_tokens=timings.cache_n,
        prompt_ns=round(timings.prompt_ms * 1e6),
        answer_tokens=timings.predicted_n,
        answer_ns=round(timings.predicted_ms * 1e6),
    )
