"""What is left out of a prompt that is too long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from llmstack_tui.engine.inference.prompt import fitting, without_middle, without_oldest

if TYPE_CHECKING:
    from collections.abc import Sequence

    Message = dict[str, Any]

SYSTEM = {"role": "system", "content": "sssss"}


def turns(*contents: str) -> list[Message]:
    return [{"role": "user", "content": content} for content in contents]


class Counter:
    """A template without words of its own: a prompt is as long as its contents."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self, messages: Sequence[Message]) -> int:
        self.calls += 1
        return sum(len(message["content"]) for message in messages)


async def test_a_conversation_that_fits_is_left_alone() -> None:
    messages = [SYSTEM, *turns("aaa", "bbb", "ccc")]
    assert await fitting(messages, 14, Counter()) == messages


async def test_the_oldest_turns_go_and_the_system_message_stays() -> None:
    messages = [SYSTEM, *turns("aaa", "bbb", "ccc")]
    assert await fitting(messages, 13, Counter()) == [SYSTEM, *turns("bbb", "ccc")]
    assert await fitting(messages, 8, Counter()) == [SYSTEM, *turns("ccc")]


async def test_the_last_message_stays_however_long_it_is() -> None:
    messages = [SYSTEM, *turns("aaa", "ccc")]
    assert await fitting(messages, 1, Counter()) == [SYSTEM, *turns("ccc")]
    assert await fitting(turns("ccc"), 1, Counter()) == turns("ccc")


async def test_a_long_conversation_is_counted_a_few_times_only() -> None:
    count = Counter()
    messages = turns(*["aaa"] * 1000)
    assert await fitting(messages, 30, count) == turns(*["aaa"] * 10)
    assert count.calls <= 11


def test_system_messages_anywhere_among_the_oldest_stay() -> None:
    messages = [*turns("a"), SYSTEM, *turns("b", "c")]
    assert without_oldest(messages, 3) == [SYSTEM, *turns("c")]


@pytest.mark.parametrize(
    ("tokens", "context", "keep", "expected"),
    [
        (range(9), 10, 0, [*range(9)]),
        (range(10), 10, 0, [5, 6, 7, 8, 9]),
        (range(100), 10, 0, [95, 96, 97, 98, 99]),
        (range(100), 10, 4, [0, 1, 2, 3, 97, 98, 99]),
        (range(100), 10, 50, [*range(9)]),
        (range(100), 10, -1, [*range(9)]),
    ],
)
def test_the_middle_of_a_prompt_goes(tokens: range, context: int, keep: int, expected: list[int]) -> None:
    assert without_middle([*tokens], context, keep) == expected
