"""What is said of an answer while it comes, and of one that is there."""

from __future__ import annotations

import pytest

from llmstack_tui.chat.types import TurnState
from llmstack_tui.providers.types import Prefill
from llmstack_tui.providers.usage import Usage
from llmstack_tui.tui.chat.text import AnswerPhase, AnswerProgress, context_text, figures_text, progress_text
from llmstack_tui.tui.draw.marks import ASCII

_PREFILL = Prefill(read=1200, total=4000, cached=200)


@pytest.mark.parametrize(
    ("progress", "said"),
    [
        (AnswerProgress(phase=AnswerPhase.LOADS, since_s=2.0), "The model is being loaded, for 2.0 s."),
        (AnswerProgress(phase=AnswerPhase.READS, since_s=2.0), "It reads the prompt, for 2.0 s."),
        (
            AnswerProgress(phase=AnswerPhase.READS, since_s=3.0, read_s=3.0, prefill=_PREFILL),
            "It reads the prompt: 1,200 of 4,000 tokens  ####------------  about 8.4 s left",
        ),
        (
            AnswerProgress(phase=AnswerPhase.THINKS, since_s=1.2, first_s=1.0, tokens=3),
            "It thinks, for 1.2 s.",
        ),
        (
            AnswerProgress(phase=AnswerPhase.WRITES, since_s=3.0, first_s=1.0, tokens=50),
            "It writes, for 3.0 s. 25.0 tokens/s",
        ),
    ],
)
def test_the_state_in_words(progress: AnswerProgress, said: str) -> None:
    assert progress_text(progress, "esc", ASCII).plain == f"{said}   esc stops it."


def test_the_figures_of_an_answer() -> None:
    usage = Usage(first_s=0.31, answer_tokens=120, answer_s=4.0)
    assert figures_text(usage, TurnState.WHOLE) == "first token after 0.3 s  30.0 tokens/s  120 tokens"
    assert figures_text(None, TurnState.STOPPED) == "Stopped."
    assert figures_text(None, TurnState.BROKEN_OFF, "It went away.") == "Broken off.  It went away."
    assert figures_text(None, TurnState.WHOLE) == ""


@pytest.mark.parametrize(
    ("usage", "length", "said"),
    [
        (None, None, ""),
        (None, 4096, "Context: 4,096 tokens"),
        (Usage(prompt_tokens=1000, answer_tokens=204), 4096, "Context: 1,204 of 4,096 tokens used"),
        (Usage(prompt_tokens=1000, context_length=2048), 4096, "Context: 1,000 of 2,048 tokens used"),
        (Usage(prompt_tokens=1000), None, "Context: 1,000 tokens used"),
    ],
)
def test_how_much_of_the_context_is_used(usage: Usage | None, length: int | None, said: str) -> None:
    assert context_text(usage, length) == said
