"""Lengths of time, in the form of people and in that of Go."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.base.durations import (
    FOREVER,
    LONGEST,
    InvalidDuration,
    InvalidLength,
    format_duration,
    format_go_duration,
    parse_duration,
    parse_go_duration,
    parse_keep_alive,
    time_at,
)


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
    with pytest.raises(InvalidLength, match="invalid"):
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


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10m", 600),
        ("1h30m", 5400),
        ("90s", 90),
        ("500ms", 0.5),
        ("1.5h", 5400),
        (".5s", 0.5),
        ("1.s", 1),
        ("0", 0),
        ("-0", 0),
        ("+2s", 2),
        ("2us", 2e-6),
        ("2µs", 2e-6),
        ("1m1m", 120),
        ("1500000ns", 0.0015),
        ("0" * 5000 + "2." + "0" * 5000 + "s", 2),
    ],
)
def test_reads_what_go_reads(text: str, seconds: float) -> None:
    assert parse_go_duration(text) == timedelta(seconds=seconds)


# The words are those of Go's time.ParseDuration; the first was recorded from a server.
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("soon", 'time: invalid duration "soon"'),
        ("", 'time: invalid duration ""'),
        ("s", 'time: invalid duration "s"'),
        (".s", 'time: invalid duration ".s"'),
        ("1m-1s", 'time: unknown unit "m-" in duration "1m-1s"'),
        ("10", 'time: missing unit in duration "10"'),
        ("1d", 'time: unknown unit "d" in duration "1d"'),
        ('a"b', 'time: invalid duration "a\\"b"'),
        ("9999999h", 'time: invalid duration "9999999h"'),
        ("9" * 5000 + "s", f'time: invalid duration "{"9" * 5000}s"'),
        ("٣s", 'time: invalid duration "٣s"'),
    ],
)
def test_refuses_with_the_words_of_go(text: str, words: str) -> None:
    with pytest.raises(InvalidDuration) as caught:
        parse_go_duration(text)
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (600, "10m0s"),
        (5400, "1h30m0s"),
        (3600, "1h0m0s"),
        (1.5, "1.5s"),
        (0.5, "500ms"),
        (0.0015, "1.5ms"),
        (0.000002, "2µs"),
        (-1, "-1s"),
        (61.25, "1m1.25s"),
    ],
)
def test_writes_what_go_writes(seconds: float, text: str) -> None:
    assert format_go_duration(timedelta(seconds=seconds)) == text


@given(st.timedeltas(min_value=-LONGEST, max_value=LONGEST))
def test_what_is_written_in_the_form_of_go_is_read_again(duration: timedelta) -> None:
    assert parse_go_duration(format_go_duration(duration)) == duration


@given(st.text())
def test_any_text_is_a_duration_of_go_or_invalid(text: str) -> None:
    try:
        duration = parse_go_duration(text)
    except InvalidDuration:
        return
    assert -LONGEST <= duration <= LONGEST


@pytest.mark.parametrize(
    ("value", "duration"),
    [
        (30, timedelta(seconds=30)),
        (0.5, timedelta(seconds=0.5)),
        (0, timedelta(0)),
        (-1, FOREVER),
        (-0.1, FOREVER),
        ("-5m", FOREVER),
        ("20m", timedelta(minutes=20)),
        (1e300, LONGEST),
        (float("inf"), LONGEST),
        (float("-inf"), FOREVER),
    ],
)
def test_a_keep_alive_counts_seconds_and_is_endless_when_negative(
    value: str | float, duration: timedelta
) -> None:
    assert parse_keep_alive(value) == duration


@pytest.mark.parametrize(
    ("unix_s", "year"), [(0, 1970), (-1e300, 1901), (2**80, 9000), (float("inf"), 9000), (1.7e9, 2023)]
)
def test_the_time_of_a_file_can_be_any_number(unix_s: float, year: int) -> None:
    assert time_at(unix_s).astimezone().year == year
