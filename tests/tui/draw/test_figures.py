"""Numbers as a person reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from llmstack_tui.tui.draw.figures import about_text, clock_text, count_text, left_text

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_an_unknown_figure_is_never_nought() -> None:
    assert count_text(None) == left_text(None) == "?"


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
