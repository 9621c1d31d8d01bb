"""Whether a stop was taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from llmstack_tui.lifecycle.actions import Sighting, is_kept

START = datetime(2026, 1, 1, tzinfo=UTC)


def sighting(expires_s: float | None, seen_at_s: float) -> Sighting:
    return Sighting(None if expires_s is None else START + timedelta(seconds=expires_s), seen_at_s)


@pytest.mark.parametrize(
    ("first", "later", "kept"),
    [
        # A busy model after a stop: the time stands still, in the past.
        (sighting(0, 100), sighting(0, 130), False),
        # In its first request it moves with the clock.
        (sighting(0, 100), sighting(30, 130), False),
        (sighting(300, 100), sighting(330.4, 130), False),
        # A newer request has ended and set its own keep-alive.
        (sighting(0, 100), sighting(330, 130), True),
        (sighting(0, 100), sighting(32, 130), True),
        # For ever.
        (sighting(0, 100), sighting(9e9, 101), True),
        # A server that tells no time tells nothing.
        (sighting(None, 100), sighting(900, 101), False),
        (sighting(0, 100), sighting(None, 101), False),
    ],
)
def test_only_a_jump_ahead_of_the_clock_keeps_a_model(first: Sighting, later: Sighting, kept: bool) -> None:
    assert is_kept(first, later) is kept
