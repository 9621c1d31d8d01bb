"""How far a pull is and how fast it goes, line by line."""

from __future__ import annotations

import pickle

import pytest

from llmstack_tui.downloads.progress import Tracker
from llmstack_tui.downloads.types import LayerProgress
from llmstack_tui.hosts.types import Progress

LARGE, SMALL = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def pulling(digest: str, completed: int | None, total: int | None = 1000) -> Progress:
    return Progress(status=f"pulling {digest[7:19]}", digest=digest, total=total, completed=completed)


def test_layers_and_steps() -> None:
    tracker = Tracker()
    tracker.heard(Progress(status="pulling manifest"), 0)
    assert (tracker.step, tracker.layers) == ("pulling manifest", ())
    tracker.heard(pulling(LARGE, None), 0)
    tracker.heard(pulling(LARGE, 400), 1)
    tracker.heard(pulling(SMALL, 7, 7), 1)
    assert tracker.layers == (LayerProgress(LARGE, 400, 1000), LayerProgress(SMALL, 7, 7))
    # What is checked is no progress of the download.
    tracker.heard(Progress(status="verifying sha256 digest", digest=LARGE, total=1000, completed=3), 2)
    assert tracker.step == "verifying sha256 digest"
    assert tracker.layers[0].completed == 400


def test_what_is_expected_is_shown_until_the_server_says_more() -> None:
    tracker = Tracker()
    tracker.heard(pulling(SMALL, 7, 7), 0)
    tracker.expects([LayerProgress(LARGE, 0, 1000), LayerProgress(SMALL, 0, 7)])
    assert tracker.layers == (LayerProgress(LARGE, 0, 1000), LayerProgress(SMALL, 7, 7))
    tracker.heard(pulling(LARGE, 10, None), 0)
    assert tracker.layers[0] == LayerProgress(LARGE, 10, 1000)


def test_the_speed_is_that_of_the_last_seconds() -> None:
    tracker = Tracker()
    # What was there before is not fast.
    tracker.heard(pulling(LARGE, 100_000, 10**6), 0.0)
    assert tracker.speed(0.0) is None
    for tenth in range(1, 101):
        tracker.heard(pulling(LARGE, 100_000 + 100 * tenth, 10**6), tenth / 10)
        if tenth < 10:
            assert tracker.speed(tenth / 10) is None
    assert tracker.speed(10.0) == pytest.approx(1000, rel=0.1)
    for tenth in range(101, 201):
        tracker.heard(pulling(LARGE, 110_000 + 1000 * (tenth - 100), 10**6), tenth / 10)
    assert tracker.speed(20.0) == pytest.approx(10_000, rel=0.1)
    assert tracker.speed(22.0) == pytest.approx(6000, rel=0.2)
    assert tracker.speed(26.0) == 0, "nothing came of late"


def test_going_back_is_no_speed() -> None:
    tracker = Tracker()
    for second, completed in enumerate((0, 500, 100, 100, 100, 100, 100, 100)):
        tracker.heard(pulling(LARGE, completed), float(second))
    assert tracker.received == 500
    assert tracker.speed(7.0) == 0


def test_that_nothing_comes_is_known_only_after_a_while() -> None:
    tracker = Tracker()
    tracker.heard(pulling(LARGE, 100), 0.0)
    assert tracker.speed(4.9) is None
    assert tracker.speed(5.1) == 0
    tracker.heard(pulling(LARGE, 200), 5.2)
    tracker.heard(pulling(LARGE, 300), 6.4)
    assert tracker.speed(6.4)


def test_memory_does_not_grow_with_the_lines() -> None:
    tracker = Tracker()
    sizes = []
    for number in range(100_000):
        tracker.heard(pulling(LARGE, number, 10**6), number / 1000)
        tracker.speed(number / 1000)
        if number % 50_000 == 49_999:
            sizes.append(len(pickle.dumps(tracker)))
    assert sizes[1] < 1.1 * sizes[0] < 5000


def test_neither_memory_nor_the_screen_grow_with_layers_that_no_model_has() -> None:
    tracker = Tracker()
    for number in range(100_000):
        tracker.heard(pulling(f"sha256:{number:064x}", 5, 10), number / 1000)
    assert len(tracker.layers) == 200
    tracker.heard(pulling(f"sha256:{7:064x}", 6, 10), 200)
    assert tracker.layers[7].completed == 6
