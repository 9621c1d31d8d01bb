"""Lengths of time, as people write them and as they are written for people."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.base.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("10m", 600),
        ("1h30m", 5400),
        ("500ms", 0.5),
        ("2d", 172800),
        ("1.5h", 5400),
        ("7", 7),
        ("-1", -1),
        ("-5m", -300),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "5 m", "m", "1h-30m", "9" * 40, "9" * 40 + "h", "nan", "٣m"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="not a length of time"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (90, "1m30s"), (300, "5m"), (-1, "-1s"), (172800.5, "2d500ms"), (0.0015, "1.500ms")],
)
def test_how_they_are_written(seconds: float, text: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == text


# Beyond a century a float has no place for single microseconds.
@given(st.timedeltas(min_value=timedelta(days=-36500), max_value=timedelta(days=36500)))
def test_what_is_written_is_read_as_the_same(length: timedelta) -> None:
    assert parse_duration(format_duration(length)) == length
