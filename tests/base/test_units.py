"""Bytes and lengths of time as a person reads them."""

from __future__ import annotations

import pytest

from llmstack_tui.base.units import (
    bytes_text,
    duration_text,
    exact_duration_text,
    parameters_text,
    seconds_text,
)


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
        (999_499_999, "999 MB"),
        (999_600_000, "1.0 GB"),
        (4_683_087_332, "4.7 GB"),
        (99_940_000_000, "99.9 GB"),
        (99_960_000_000, "100 GB"),
        (150_000_000_000, "150 GB"),
        (1_234_000_000_000, "1.2 TB"),
        (5_000_000_000_000_000, "5000 TB"),
        (-2_500_000_000, "-2.5 GB"),
    ],
)
def test_bytes(count: int | None, text: str) -> None:
    assert bytes_text(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0 s"),
        (12.4, "12 s"),
        (119.4, "119 s"),
        (119.6, "2 min"),
        (600, "10 min"),
        (7169, "119 min"),
        (7300, "2 h"),
        (36 * 3600, "36 h"),
        (5 * 86400, "5 days"),
    ],
)
def test_lengths_of_time(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (0.44, "0.4 s"), (9.96, "10 s"), (180, "3 min")]
)
def test_how_long_something_took(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (1.5, "1.5 s"),
        (90, "1 min 30 s"),
        (600, "10 min"),
        (3600, "1 h"),
        (9000, "2 h 30 min"),
        (86_400, "1 day"),
        (2 * 86_400 + 60, "2 days 1 min"),
    ],
)
def test_a_length_of_time_that_was_chosen(seconds: float, text: str) -> None:
    assert exact_duration_text(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (999, "999"),
        (226_000, "226K"),
        (134_515_008, "135M"),
        (7_241_732_096, "7.24B"),
        (70 * 10**9, "70B"),
        (10**12, "1T"),
    ],
)
def test_parameters_are_written_as_people_do(count: int, text: str) -> None:
    assert parameters_text(count) == text
