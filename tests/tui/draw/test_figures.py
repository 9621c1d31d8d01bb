"""Numbers as a person reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from llmstack_tui.tui.draw.figures import (
    about_text,
    age_text,
    bytes_text,
    clock_text,
    count_text,
    left_text,
    seconds_text,
)

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "?"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (226_000, "226 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (397_821_319, "398 MB"),
        (999_600_000, "1.0 GB"),
        (4_683_087_332, "4.7 GB"),
        (99_940_000_000, "99.9 GB"),
        (99_960_000_000, "100 GB"),
        (1_234_000_000_000, "1.2 TB"),
        (5_000_000_000_000_000, "5000 TB"),
    ],
)
def test_bytes(count: int | None, text: str) -> None:
    assert bytes_text(count) == text


def test_an_unknown_figure_is_never_nought() -> None:
    assert bytes_text(None) == count_text(None) == left_text(None) == "?"


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (timedelta(seconds=252.9), "4:12"),
        (timedelta(seconds=0), "0:00"),
        (timedelta(seconds=-3.3), "in use"),
        (timedelta(hours=2, minutes=5, seconds=59), "2 h 05"),
        (timedelta(days=1, hours=3), "1 day"),
        (timedelta(days=12), "12 days"),
        (timedelta(days=293 * 365), "never"),
    ],
)
def test_the_time_that_is_left(left: timedelta, text: str) -> None:
    assert left_text(left) == text


def test_a_long_time_is_not_painted_every_second() -> None:
    assert clock_text(7200) == clock_text(7259) != clock_text(7260)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (0.44, "0.4 s"), (12.4, "12 s"), (180, "3 min"), (7300, "2 h")]
)
def test_how_long_something_took(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "1 s"), (12.9, "12 s"), (130, "2 min"), (9000, "2 h")])
def test_how_old_something_is(seconds: float, text: str) -> None:
    assert age_text(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "~0 B"),
        (517_013_192, "~517 MB"),
        (4_949_000_000, "~4.9 GB"),
        (9_940_000_000, "~9.9 GB"),
        (9_960_000_000, "~10 GB"),
        (44_500_000_000, "~44 GB"),
        (999_400_000_000, "~999 GB"),
        (1_500_000_000_000, "~1.5 TB"),
    ],
)
def test_an_estimate_takes_at_most_seven_characters(count: int, text: str) -> None:
    assert about_text(count) == text
    assert len(text) <= 7
