"""Whether a talk fits into the model's context: what would be lost, said before it is sent, and what was cut.

Tokens are estimated: a real Ollama has no way to count them but to read the whole prompt. Each estimate
states its error, which gets smaller once the server has counted a request of this talk.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from llmstack_tui.providers.types import EndReason, Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llmstack_tui.chat.types import Turn
    from llmstack_tui.providers.usage import Usage

_PER_MESSAGE = 5
"""Tokens that a template puts around a message: 3 to 6 in those of Llama 3, Qwen and SmolLM2 (ChatML)."""
_PER_IMAGE = 800
"""Between 256 (Gemma 3) and some 1,500 (Qwen 2.5 VL, of a photo): as good as unknown."""
_SHORTEST_CONTEXT = 2048
"""Ollama's default for years; a model is hardly ever loaded with less, so a shorter talk is not cut."""
_LEAST_CHARACTERS = 400
"""From so many on, the server's count says more of this talk than the usual rate."""


class TokenRate(NamedTuple):
    """How many tokens a character is, and by which part of itself an estimate may be wrong."""

    per_character: float
    error: float


USUAL = TokenRate(0.28, 0.4)
"""English text has 4.5 characters in a token, Spanish and code about 3, by today's tokenizers."""


class ContextFit(StrEnum):
    """Whether a request fits into the context."""

    YES = "yes"
    MAYBE = "maybe"
    """Only if the estimate is too high."""
    NO = "no"
    UNKNOWN = "unknown"
    """The context length is not known."""


class Remedy(StrEnum):
    """What can be done about a request that does not fit."""

    TRIM = "trim"
    """Leave out the oldest turns."""
    SUMMARISE = "summarise"
    """Send a summary instead of them."""
    LONGER_CONTEXT = "longer context"
    """Load the model with a longer context."""


class RequestSize(Struct, frozen=True, kw_only=True):
    """What a request takes, and what would have to go.

    Attributes:
        tokens: of all that would be sent, as estimated with ``error`` (a part of it).
        room: tokens of the context that are left for it beside the answer; None is not known.
        left_out: the ids of the turns without which the rest fits, the oldest ones.
        tokens_left: of that rest. It never lacks the system prompt and the last question.
        remedies: what can be done, if it does not fit.
    """

    tokens: int
    error: float
    room: int | None
    fit: ContextFit
    left_out: tuple[int, ...] = ()
    tokens_left: int = 0
    remedies: tuple[Remedy, ...] = ()


class CutEnd(StrEnum):
    """Where something is missing."""

    OLDEST = "oldest"
    """The server left out the oldest messages, as Ollama does."""
    ANSWER = "answer"
    """The answer ended where the context was full."""


class Cut(Struct, frozen=True):
    """What a server has cut: so many tokens, about; None where it cannot be said."""

    end: CutEnd
    tokens: int | None


def token_rate(turns: Sequence[Turn], system: str = "") -> TokenRate:
    """The rate by which the server has counted the last answered question on this path, or the usual one."""
    for number in range(len(turns) - 1, -1, -1):
        usage = turns[number].usage
        before = turns[:number]
        characters = len(system) + sum(_characters(each) for each in before)
        if usage is None or usage.prompt_tokens is None or any(_images(each) for each in before):
            continue
        is_cut = usage.context_length is not None and usage.prompt_tokens > usage.context_length * 0.8
        tokens = usage.prompt_tokens - _PER_MESSAGE * (len(before) + bool(system))
        if characters >= _LEAST_CHARACTERS and tokens > 0 and not is_cut:
            return TokenRate(tokens / characters, 0.15)
    return USUAL


def tokens_of(turn: Turn, rate: TokenRate = USUAL) -> int:
    """The tokens of a turn with what is attached to it, about."""
    return round(_characters(turn) * rate.per_character) + _PER_MESSAGE + _images(turn) * _PER_IMAGE


def size_of(
    turns: Sequence[Turn],
    system: str = "",
    *,
    context_length: int | None,
    answer_tokens: int = 512,
    longest_context: int | None = None,
    rate: TokenRate | None = None,
) -> RequestSize:
    """What a request for these turns takes. The last question and what follows it would stay.

    Args:
        context_length: that the model is loaded with, or would be.
        answer_tokens: that are kept free for the answer; a quarter of the context at most.
        longest_context: that the model could be loaded with.
    """
    rate = rate or token_rate(turns, system)
    counts = {each.id: tokens_of(each, rate) for each in turns}
    fixed = round(len(system) * rate.per_character) + (_PER_MESSAGE if system else 0)
    tokens = fixed + sum(counts.values())
    if context_length is None:
        return RequestSize(
            tokens=tokens, error=rate.error, room=None, fit=ContextFit.UNKNOWN, tokens_left=tokens
        )
    room = context_length - min(answer_tokens, context_length // 4)
    if tokens <= room:
        return RequestSize(tokens=tokens, error=rate.error, room=room, fit=ContextFit.YES, tokens_left=tokens)
    left, gone = tokens, list[int]()
    older = list(_exchanges(turns))[:-1]
    for exchange in older:
        if left <= room:
            break
        gone += (each.id for each in exchange)
        left -= sum(counts[each.id] for each in exchange)
    remedies = []
    if gone and left <= room:
        remedies += [Remedy.TRIM, Remedy.SUMMARISE]
    if longest_context is not None and longest_context > context_length:
        remedies.append(Remedy.LONGER_CONTEXT)
    return RequestSize(
        tokens=tokens,
        error=rate.error,
        room=room,
        fit=ContextFit.MAYBE if tokens * (1 - rate.error) <= room else ContextFit.NO,
        left_out=tuple(gone),
        tokens_left=left,
        remedies=tuple(remedies),
    )


def context_needed(size: RequestSize, answer_tokens: int = 512) -> int:
    """The context length with which the whole request fits, even if the estimate is too low: whole 1,024s."""
    needed = size.tokens * (1 + size.error) + answer_tokens
    return -(-round(needed) // 1024) * 1024


def cut_of(usage: Usage, reason: EndReason | None, error: float = USUAL.error) -> Cut | None:
    """What the server has cut of a request that was answered; None if nothing, as far as can be seen.

    Args:
        error: of the estimate of ``usage.sent_tokens``; 0 if they were counted.
    """
    full = usage.context_length
    if (
        usage.sent_tokens is not None
        and usage.prompt_tokens is not None
        and usage.prompt_tokens < usage.sent_tokens * (1 - error)
        and usage.sent_tokens * (1 + error) > (full or _SHORTEST_CONTEXT)
    ):
        return Cut(CutEnd.OLDEST, usage.cut_tokens)
    used = usage.context_used
    if reason is EndReason.LENGTH and full is not None and used is not None and used >= full - 1:
        return Cut(CutEnd.ANSWER, None)
    return None


def without(turns: Sequence[Turn], left_out: Sequence[int]) -> tuple[Turn, ...]:
    """The turns that are sent if those are left out."""
    gone = frozenset(left_out)
    return tuple(each for each in turns if each.id not in gone)


def _exchanges(turns: Sequence[Turn]) -> Iterator[tuple[Turn, ...]]:
    """Each question with what follows it: an answer or a tool's result alone would mislead the model."""
    begun: list[Turn] = []
    for each in turns:
        if each.message.role is Role.USER and begun:
            yield tuple(begun)
            begun = []
        begun.append(each)
    if begun:
        yield tuple(begun)


def _characters(turn: Turn) -> int:
    message = turn.message
    calls = sum(len(each.name) + len(each.written or str(each.arguments)) for each in message.tool_calls)
    files = sum(each.size_bytes for each in turn.attachments if not each.is_image)
    return len(message.text) + calls + files


def _images(turn: Turn) -> int:
    return len(turn.message.images) + sum(each.is_image for each in turn.attachments)
