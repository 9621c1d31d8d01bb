from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.hardware.readings import size, whole


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("17179869184\n", 17179869184),
        (" 0 ", 0),
        ("9007199254740993", 2**53 + 1),
        (str(2**64 - 1), 2**64 - 1),
        (str(2**64), None),
        ("9" * 5000, None),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        ("max", None),
        ("", None),
    ],
)
def test_counts(text: str, number: int | None) -> None:
    assert whole(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2048.00M", 2**31),
        ("2048,50M", 2**31 + 2**19),
        ("1.5G", 3 * 2**29),
        ("512", 512),
        ("0.00M", 0),
        ("9007199254740993B", 2**53 + 1),
        ("-1.00M", None),
        ("99999999999999999999T", None),
        ("1.2.3M", None),
        ("M", None),
        ("1,024.00M", None),
        ("", None),
    ],
)
def test_sizes(text: str, number: int | None) -> None:
    assert size(text) == number


@given(st.integers(0, 2**64 - 1))
def test_every_count_is_exact(number: int) -> None:
    assert whole(f" {number}\n") == number
    assert size(f"{number}B") == number


@given(st.text())
def test_any_text_is_a_number_or_none(text: str) -> None:
    assert (whole(text) or 0) >= 0
    assert (size(text) or 0) >= 0
