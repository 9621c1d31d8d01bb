"""What fits into a context, what would be lost, and what a server has cut."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from llmstack_tui.chat.rules.context import (
    USUAL,
    ContextFit,
    Cut,
    CutEnd,
    Remedy,
    context_needed,
    cut_of,
    size_of,
    token_rate,
    tokens_of,
    without,
)
from llmstack_tui.chat.types import Attachment, Turn
from llmstack_tui.providers.types import ChatMessage, EndReason, Role, ToolCall
from llmstack_tui.providers.usage import Usage

AT = datetime(2026, 1, 1, tzinfo=UTC)


def turn(id_: int, role: Role, length: int, usage: Usage | None = None, *files: Attachment) -> Turn:
    message = ChatMessage(role=role, text="x" * length)
    return Turn(
        id=id_, parent=id_ - 1 or None, session="s", message=message, at=AT, usage=usage, attachments=files
    )


# Three exchanges of 1,000 and 2,000 characters, 845 tokens about each, and a question.
TALK = tuple(
    turn(number + 1, Role.ASSISTANT if number % 2 else Role.USER, 2_000 if number % 2 else 1_000)
    for number in range(7)
)


def test_what_fits_is_sent_whole() -> None:
    size = size_of(TALK, "x" * 100, context_length=8192, rate=USUAL)
    assert (size.tokens, size.room, size.fit) == (28 + 5 + 2_550 + 285, 8192 - 512, ContextFit.YES)
    assert (size.left_out, size.remedies, size.tokens_left) == ((), (), size.tokens)


def test_the_oldest_questions_go_with_their_answers() -> None:
    size = size_of(TALK, context_length=2048, longest_context=8192, rate=USUAL)
    assert (size.fit, size.left_out, size.tokens_left) == (ContextFit.NO, (1, 2, 3, 4), 1_135)
    assert size.remedies == (Remedy.TRIM, Remedy.SUMMARISE, Remedy.LONGER_CONTEXT)
    assert [each.id for each in without(TALK, size.left_out)] == [5, 6, 7]
    assert context_needed(size) == 5120


def test_a_last_question_that_is_too_long_alone_cannot_be_trimmed() -> None:
    size = size_of(TALK, context_length=256, longest_context=256, rate=USUAL)
    assert (size.fit, size.left_out, size.remedies) == (ContextFit.NO, (1, 2, 3, 4, 5, 6), ())


def test_what_is_near_may_fit() -> None:
    assert size_of(TALK, context_length=2800, rate=USUAL).fit is ContextFit.MAYBE
    assert size_of(TALK, context_length=None, rate=USUAL).fit is ContextFit.UNKNOWN
    assert size_of((), context_length=10).fit is ContextFit.YES


def test_the_servers_own_count_makes_the_estimate_better() -> None:
    counted = turn(2, Role.ASSISTANT, 100, Usage(prompt_tokens=510))
    assert token_rate((TALK[0], counted, TALK[2])) == (0.505, 0.15)
    cut = turn(2, Role.ASSISTANT, 100, Usage(prompt_tokens=510, context_length=512))
    assert token_rate((TALK[0], cut)) == token_rate((turn(1, Role.USER, 10), counted)) == USUAL


def test_files_and_calls_of_tools_count() -> None:
    text = Attachment(name="a", media_type="text/plain", size_bytes=1_000, digest="a")
    image = Attachment(name="b", media_type="image/png", size_bytes=9_999_999, digest="b")
    assert tokens_of(turn(1, Role.USER, 0, None, text)) == 285
    assert tokens_of(turn(1, Role.USER, 0, None, image)) == 805
    call = ToolCall(id="1", name="read", arguments=None, written="x" * 96)
    message = ChatMessage(role=Role.ASSISTANT, text="", tool_calls=(call,))
    assert tokens_of(Turn(id=1, parent=None, session="s", message=message, at=AT)) == 33


@pytest.mark.parametrize(
    ("usage", "reason", "cut"),
    [
        (Usage(sent_tokens=4000, prompt_tokens=2000, context_length=2048), EndReason.STOP,
         Cut(CutEnd.OLDEST, 2000)),
        (Usage(sent_tokens=4000, prompt_tokens=2000), EndReason.STOP, Cut(CutEnd.OLDEST, 2000)),
        (Usage(sent_tokens=2000, prompt_tokens=1900, context_length=2048), EndReason.STOP, None),
        (Usage(sent_tokens=100, prompt_tokens=10, context_length=8192), EndReason.STOP, None),
        (Usage(sent_tokens=20, prompt_tokens=7), EndReason.STOP, None),
        (Usage(sent_tokens=None, prompt_tokens=10), EndReason.STOP, None),
        (Usage(prompt_tokens=2000, answer_tokens=48, context_length=2048), EndReason.LENGTH,
         Cut(CutEnd.ANSWER, None)),
        (Usage(prompt_tokens=100, answer_tokens=48, context_length=2048), EndReason.LENGTH, None),
    ],
)  # fmt: skip
def test_what_a_server_has_cut_is_seen(usage: Usage, reason: EndReason, cut: Cut | None) -> None:
    assert cut_of(usage, reason) == cut
