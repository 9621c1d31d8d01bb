"""The last minutes of a device."""

from __future__ import annotations

import random
import tracemalloc

from llmstack_tui.base.structs import replace
from llmstack_tui.tui.draw.marks import ASCII, UNICODE
from llmstack_tui.tui.memory.gauges import SLOT_S, SLOTS, UsageHistory, sparkline
from tests.support import seeded


def fed(*readings: tuple[float, int]) -> UsageHistory:
    """``readings``: when, and what percent of the main memory."""
    history = UsageHistory()
    for at, percent in readings:
        ram = replace(seeded.RAM, total=100, used=percent)
        history.add(seeded.machine(ram=ram, taken_at=at))
    return history


def test_a_slot_shows_the_highest_of_its_readings() -> None:
    history = fed((100, 10), (104, 70), (109, 20), (110, 30))
    assert history.percents("ram", 111)[-3:] == (None, 70, 30)


def test_time_without_readings_is_blank_and_moves_on() -> None:
    history = fed((100, 10), (130, 20))
    assert history.percents("ram", 131)[-4:] == (10, None, None, 20)
    assert history.percents("ram", 151)[-4:] == (None, 20, None, None)
    assert set(history.percents("ram", 100_000)) == {None}


def test_a_clock_that_jumps_forward_leaves_the_old_behind() -> None:
    history = fed((100, 10), (10_000_000, 20))
    assert history.percents("ram", 10_000_001) == (*[None] * (SLOTS - 1), 20)


def test_a_clock_that_jumps_back_begins_anew() -> None:
    history = fed((10_000, 10), (10_010, 15), (500, 20), (510, 30))
    assert history.percents("ram", 511) == (*[None] * (SLOTS - 2), 20, 30)


def test_what_is_unknown_is_no_figure() -> None:
    history = UsageHistory()
    history.add(seeded.machine(replace(seeded.CARD, used=None, lost=True), taken_at=100))
    assert set(history.percents(seeded.CARD.id, 100)) == {None}


def test_a_device_that_is_gone_is_forgotten_when_its_last_minutes_are_over() -> None:
    history = UsageHistory()
    history.add(seeded.machine(seeded.CARD, taken_at=100))
    history.add(seeded.machine(taken_at=110))
    assert history.percents(seeded.CARD.id, 111)[-2:] == (seeded.CARD.percent, None)
    history.add(seeded.machine(taken_at=100 + SLOT_S * (SLOTS + 2)))
    assert set(history.percents(seeded.CARD.id, 105)) == {None}


def test_hours_take_no_more_than_minutes() -> None:
    history, random_ = UsageHistory(), random.Random(1)
    ram = replace(seeded.RAM, total=100, used=0)

    def live(seconds: range) -> None:
        for at in seconds:
            history.add(
                seeded.machine(replace(seeded.CARD, used=random_.randrange(10**9)), ram=ram, taken_at=at)
            )

    live(range(600))
    tracemalloc.start()
    live(range(600, 900))
    before = tracemalloc.get_traced_memory()[0]
    live(range(900, 8_000))
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 20_000


def test_heights_from_nothing_to_full() -> None:
    assert sparkline((None, 0, 12, 13, 50, 99.9, 100, 250), UNICODE) == " ▁▁▂▅███"
    assert sparkline((None, 0, 50, 100), ASCII) == " _=#"
