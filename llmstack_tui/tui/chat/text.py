"""What the screen says of an answer while it comes, and of one that is there. Pure."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.languages import tr
from llmstack_tui.base.units import seconds_text
from llmstack_tui.chat.types import TurnState
from llmstack_tui.tui.draw.text import bar, content_of

if TYPE_CHECKING:
    from textual.content import Content

    from llmstack_tui.providers.types import Prefill
    from llmstack_tui.providers.usage import Usage
    from llmstack_tui.tui.draw.marks import Marks

_BAR_CELLS = 16
# Before, the speed says little.
_LEFT_AFTER_S = 1.0


class AnswerPhase(Enum):
    """What a model does for an answer."""

    WAITS = "waits"
    LOADS = "loads"
    READS = "reads"
    THINKS = "thinks"
    WRITES = "writes"


class AnswerProgress(Struct, frozen=True, kw_only=True):
    """How far an answer has come.

    Attributes:
        prefill: how far the prompt is read, where the server tells it.
        read_s: seconds since the prompt is being read.
        since_s: seconds since the question was sent.
        first_s: seconds until the first token; None before that.
        tokens: those that came, as far as we can count them: one for each piece.
    """

    phase: AnswerPhase
    since_s: float
    prefill: Prefill | None = None
    read_s: float = 0.0
    first_s: float | None = None
    tokens: int = 0


def progress_text(progress: AnswerProgress, stop_key: str, marks: Marks) -> Content:
    """One line: the state in words, with figures where there are some."""
    since = seconds_text(progress.since_s)
    stop = tr("{key} stops it.", key=stop_key)
    match progress.phase:
        case AnswerPhase.LOADS:
            said = tr("The model is being loaded, for {time}.", time=since)
        case AnswerPhase.READS if progress.prefill is not None:
            return content_of(
                *_reading(progress, progress.prefill, marks), ("   ", ""), (stop, "$text-muted")
            )
        case AnswerPhase.READS | AnswerPhase.WAITS:
            said = tr("It reads the prompt, for {time}.", time=since)
        case AnswerPhase.THINKS:
            said = f"{tr('It thinks, for {time}.', time=since)} {_speed(progress)}".rstrip()
        case _:
            said = f"{tr('It writes, for {time}.', time=since)} {_speed(progress)}".rstrip()
    return content_of((said, "$text-primary"), "   ", (stop, "$text-muted"))


def _reading(progress: AnswerProgress, prefill: Prefill, marks: Marks) -> list[Content | tuple[str, str]]:
    said = tr("It reads the prompt: {count:,} of {of:,} tokens", count=prefill.read, of=prefill.total)
    drawn = bar(
        prefill.read / prefill.total if prefill.total else 0.0, _BAR_CELLS, marks, tone="$text-primary"
    )
    parts: list[Content | tuple[str, str]] = [(f"{said}  ", "$text-primary"), drawn]
    done = prefill.read - prefill.cached
    if progress.read_s >= _LEFT_AFTER_S and done > 0:
        left_s = (prefill.total - prefill.read) * progress.read_s / done
        parts.append((f"  {tr('about {time} left', time=seconds_text(left_s))}", "$text-muted"))
    return parts


def _speed(progress: AnswerProgress) -> str:
    if progress.first_s is None or (took_s := progress.since_s - progress.first_s) < _LEFT_AFTER_S:
        return ""
    return tr("{speed:.1f} tokens/s", speed=progress.tokens / took_s)


def figures_text(usage: Usage | None, state: TurnState, problem: str = "") -> str:
    """The line below an answer: how it ended, unless well, and its figures."""
    parts = [_ENDED[state]() if state in _ENDED else "", problem]
    if usage is not None:
        if usage.first_s is not None:
            parts.append(tr("first token after {time}", time=seconds_text(usage.first_s)))
        if (speed := usage.answer_speed) is not None:
            parts.append(tr("{speed:.1f} tokens/s", speed=speed))
        if usage.answer_tokens:
            parts.append(tr("{count:,} tokens", count=usage.answer_tokens))
    return "  ".join(filter(None, parts))


_ENDED = {
    TurnState.STOPPED: lambda: tr("Stopped."),
    TurnState.BROKEN_OFF: lambda: tr("Broken off."),
}


def context_text(usage: Usage | None, context_length: int | None) -> str:
    """How much of the context is used."""
    used = usage.context_used if usage is not None else None
    length = (usage.context_length if usage is not None else None) or context_length
    if used is None:
        return tr("Context: {of:,} tokens", of=length) if length else ""
    if not length:
        return tr("Context: {used:,} tokens used", used=used)
    return tr("Context: {used:,} of {of:,} tokens used", used=used, of=length)
