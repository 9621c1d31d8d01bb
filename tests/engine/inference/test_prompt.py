"""The fields of a request to llama.cpp, and what is left out of a prompt that is too long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from llmstack_tui.engine.inference.prompt import (
    fitting,
    response_format,
    sampling,
    with_tool_names,
    without_middle,
    without_oldest,
)
from llmstack_tui.ollama.options import merge

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


def test_the_default_options_of_sampling() -> None:
    assert sampling(merge(), context_length=4096) == {
        "n_predict": 40_960,
        "n_keep": 4,
        "seed": -1,
        "temperature": 0.8,
        "top_k": 40,
        "top_p": 0.9,
        "min_p": 0.0,
        "typical_p": 1.0,
        "repeat_last_n": 64,
        "repeat_penalty": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "stop": [],
    }


def test_options_become_fields() -> None:
    given = {"num_predict": 7, "seed": 42, "temperature": 0.0, "stop": ["\n", "user:"]}
    fields = sampling(merge(given), context_length=2048)
    assert {name: fields[name] for name in ("n_predict", "seed", "temperature", "stop")} == {
        "n_predict": 7,
        "seed": 42,
        "temperature": 0.0,
        "stop": ["\n", "user:"],
    }


@pytest.mark.parametrize(("wanted", "sent"), [(-1, 640), (-2, 640), (0, 0), (5, 5), (10**9, 640)])
def test_a_generation_has_an_end(wanted: int, sent: int) -> None:
    assert sampling(merge({"num_predict": wanted}), context_length=64)["n_predict"] == sent


@pytest.mark.parametrize(("wanted", "sent"), [(-1, 64), (-9, 64), (0, 0), (5, 5), (10**9, 64)])
def test_repetitions_are_looked_for_in_the_context_at_most(wanted: int, sent: int) -> None:
    assert sampling(merge({"repeat_last_n": wanted}), context_length=64)["repeat_last_n"] == sent


@pytest.mark.parametrize(("wanted", "sent"), [(0, 1.0), (-2, 1.0), (0.5, 0.5), (1.1, 1.1)])
def test_no_penalty_is_none(wanted: float, sent: float) -> None:
    fields = sampling(merge({"repeat_penalty": wanted}), context_length=64)
    assert fields["repeat_penalty"] == pytest.approx(sent)


def test_formats() -> None:
    schema = {"type": "object", "properties": {"age": {"type": "integer"}}}
    assert response_format(None) is None
    assert response_format("") is None
    assert response_format("json") == {"type": "json_object"}
    assert response_format(schema) == {
        "type": "json_schema",
        "json_schema": {"name": "schema", "schema": schema},
    }


@pytest.mark.parametrize("wanted", ["yaml", 7, ["json"], True])
def test_other_formats(wanted: object) -> None:
    with pytest.raises(
        ValueError, match=r'^invalid format: .*; expected "json" or a valid JSON Schema object'
    ):
        response_format(wanted)


def called(*names: str) -> Message:
    calls = [{"id": f"call_{number}", "function": {"name": name}} for number, name in enumerate(names)]
    return {"role": "assistant", "content": "", "tool_calls": calls}


@pytest.mark.parametrize(
    ("results", "named"),
    [
        ([{"tool_call_id": "call_1"}, {"tool_call_id": "call_0"}], [("call_1", "b"), ("call_0", "a")]),
        ([{}, {}], [("call_0", "a"), ("call_1", "b")]),
        ([{"name": "b"}, {"name": "a"}], [("call_1", "b"), ("call_0", "a")]),
        ([{"name": "b"}, {}, {}], [("call_1", "b"), ("call_0", "a"), (None, None)]),
        ([{"tool_call_id": "x"}, {"name": "y", "tool_call_id": "call_0"}], [("x", None), ("call_0", "y")]),
    ],
)
def test_results_say_which_tool_they_are_from(
    results: list[Message], named: list[tuple[str | None, str | None]]
) -> None:
    said = [called("c"), {"role": "tool", "content": "0"}, called("a", "b")]
    found = with_tool_names([*said, *({"role": "tool", "content": "1", **each} for each in results)])
    assert (found[1]["tool_call_id"], found[1]["name"]) == ("call_0", "c")
    assert [(turn.get("tool_call_id"), turn.get("name")) for turn in found[3:]] == named
    assert with_tool_names([{"role": "tool", "content": "1"}]) == [{"role": "tool", "content": "1"}]
