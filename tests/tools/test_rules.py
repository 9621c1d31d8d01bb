"""Rules: arithmetic, circles, and who is asked."""

from __future__ import annotations

import math

import pytest

from llmstack_tui.providers.types import ToolCall
from llmstack_tui.tools.rules.calculation import NoNumber, calculated
from llmstack_tui.tools.rules.circles import CallRecord, is_circle
from llmstack_tui.tools.rules.permissions import must_ask, remembered_by
from llmstack_tui.tools.types import Effect, Permission, Proposal


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("2 + 3 * 4", 14),
        ("2 * (3 + sqrt(16)) ** 2", 98),
        ("-7 // 2", -4),
        ("7 % -3", -2),
        ("2^10", 1024),
        ("round(2 / 3, 2)", 0.67),
        ("max(1, 2.5, -3)", 2.5),
        ("2 * pi", 2 * math.pi),
        ("10 ** 20", 10**20),
        ("2 ** -1", 0.5),
    ],
)
def test_arithmetic(expression: str, value: float) -> None:
    assert calculated(expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        "", "x", "1 +", "__import__('os')", "().__class__", "'a' * 9", "[1] * 9", "True", "lambda: 1",
        "9 ** 9 ** 9", "10 ** 100000", "1e308 * 10", "1 / 0", "sqrt(-1)", "(-8) ** 0.5", "log(0)",
        "sqrt(1, 2)",
        "round(1, ndigits=2)", "(" * 300 + "1" + ")" * 300, "1" * 400 + "** 99", "1j",
        "9" * 600, "1 if 1 else 2",
    ],
)  # fmt: skip
def test_what_is_no_arithmetic_ends_with_a_reason(expression: str) -> None:
    with pytest.raises(NoNumber, match=r"\w"):
        calculated(expression)


def _steps(names: str) -> list[CallRecord]:
    return [CallRecord("read_file", name, "text") for name in names]


@pytest.mark.parametrize(
    ("names", "circle"),
    [
        ("", False), ("aa", False), ("aaa", True), ("abab", False), ("ababab", True), ("xyabcabcabc", True),
        ("abcdabcdabcd", True), ("aab", False), ("abcde" * 3, False), ("aba", False),
    ],
)  # fmt: skip
def test_the_same_calls_three_times_over_are_a_circle(names: str, circle: bool) -> None:
    assert is_circle(_steps(names)) is circle


def test_a_call_that_gives_something_new_each_time_is_none() -> None:
    assert not is_circle([CallRecord("current_time", "{}", str(second)) for second in range(9)])


def _proposal(effect: Effect, scope: str = "") -> Proposal:
    return Proposal(call=ToolCall(id="1", name="tool", arguments={}), effect=effect, scope=scope)


def test_who_is_asked() -> None:
    allowed = {Permission("/home/ana/notes", "tool", "example.com")}
    there = "/home/ana/notes"
    assert not must_ask(_proposal(Effect.NONE), there, set())
    assert not must_ask(_proposal(Effect.READS), there, set())
    assert must_ask(_proposal(Effect.WRITES, "*"), there, allowed)
    assert must_ask(_proposal(Effect.FETCHES, "example.com"), there, set())
    assert not must_ask(_proposal(Effect.FETCHES, "example.com"), there, allowed)
    assert must_ask(_proposal(Effect.FETCHES, "example.com"), "/home/ana/other", allowed)
    assert must_ask(_proposal(Effect.FETCHES, "example.org"), there, allowed)


def test_what_has_no_scope_is_asked_each_time() -> None:
    command = _proposal(Effect.RUNS)
    assert remembered_by(command, "/home/ana") is None
    assert must_ask(command, "/home/ana", {Permission("/home/ana", "tool", "")})
