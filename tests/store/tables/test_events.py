"""Events: newest first, filtered, in pages."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.sentences import quoted
from llmstack_tui.store.database.retention import EVENTS
from llmstack_tui.store.store import Store
from llmstack_tui.store.tables.activations import Outcome
from tests.store.samples import HOST, NASTY_TEXTS, NOW, OTHER_HOST, activation, event, later, numbers

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.store.tables.events import Event


async def test_an_event_comes_back_as_it_was(store: Store, path: Path) -> None:
    details = {"victim": "b", "freed": 2**40, "limits": [1, None], "inner": {"ok": True}}
    original = event(
        1, kind="stop", host=HOST, model="a:latest", reason=(quoted("over the limit"),), details=details
    )
    store.events.add(original)
    await store.flush()
    async with await Store.open(path) as other:
        (found,) = await other.events.newest()
    assert found.id == 1
    assert found.at.utcoffset() == timedelta(0)
    assert [
        getattr(found, name) for name in ("at", "kind", "sentence", "host", "model", "reason", "details")
    ] == [
        original.at,
        "stop",
        quoted("event 1"),
        HOST,
        "a:latest",
        (quoted("over the limit"),),
        details,
    ]


@pytest.mark.parametrize("text", NASTY_TEXTS)
async def test_foreign_text_comes_back_as_it_was_and_does_nothing(store: Store, text: str) -> None:
    store.events.add(
        event(0, sentence=quoted(text), model=text, reason=(quoted(text),), kind=text, details={text: text})
    )
    store.events.add(event(1))
    (found,) = await store.events.newest(model=text)
    assert (found.sentence, found.reason) == (quoted(text), (quoted(text),))
    assert (found.kind, found.details) == (text, {text: text})
    assert len(await store.events.newest()) == 2


async def test_newest_first_in_pages_even_when_the_clock_jumps_back(store: Store) -> None:
    for number in range(10):
        store.events.add(event(number, at=NOW - timedelta(hours=number)))
    first = await store.events.newest(4)
    second = await store.events.newest(4, before=first[-1].id)
    third = await store.events.newest(4, before=second[-1].id)
    assert numbers(first + second + third) == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert await store.events.newest(4, before=third[-1].id) == ()


async def test_only_what_is_new_since_a_look(store: Store) -> None:
    store.events.add(event(0))
    (known,) = await store.events.newest()
    store.events.add(event(1))
    store.events.add(event(2))
    assert numbers(await store.events.newest(after=known.id)) == [2, 1]


async def test_filters_go_together(store: Store) -> None:
    for number, (kind, host, model) in enumerate(
        (kind, host, model)
        for kind in ("load", "stop")
        for host in (HOST, OTHER_HOST, None)
        for model in ("a", "b")
    ):
        store.events.add(event(number, kind=kind, host=host, model=model))
    events = store.events
    assert numbers(await events.newest(kinds=["load"])) == [5, 4, 3, 2, 1, 0]
    assert len(await events.newest(kinds=["load", "stop"])) == 12
    assert await events.newest(kinds=[]) == ()
    assert numbers(await events.newest(host=OTHER_HOST)) == [9, 8, 3, 2]
    assert numbers(await events.newest(host=OTHER_HOST, model="a")) == [8, 2]
    assert numbers(await events.newest(1, kinds=["stop"], host=HOST, model="b")) == [7]


async def test_events_older_than_90_days_go_when_the_file_is_opened(path: Path) -> None:
    async with await Store.open(path, now=NOW) as store:
        for days in (91, 90, 89, 0):
            store.events.add(event(days, at=NOW - timedelta(days=days)))
    async with await Store.open(path, now=NOW) as store:
        assert numbers(await store.events.newest()) == [0, 89, 90]


async def test_a_clock_that_is_years_ahead_empties_nothing(path: Path) -> None:
    async with await Store.open(path, now=NOW) as store:
        store.events.add(event(1))
    async with await Store.open(path, now=NOW + timedelta(days=9999)) as store:
        assert numbers(await store.events.newest()) == [1]


@pytest.mark.slow
async def test_a_storm_is_cut_to_the_newest_events_while_it_lasts(path: Path) -> None:
    count = EVENTS[1] + 12_345
    async with await Store.open(path) as store:
        for number in range(count):
            store.events.add(event(number))
        everything = await store.events.newest(10**9)
        assert EVENTS[1] <= len(everything) <= EVENTS[1] + 5_000
        assert everything[0].id == count
    async with await Store.open(path, now=NOW) as store:
        left = await store.events.newest(10**9)
    assert len(left) == EVENTS[1]
    assert numbers(left[:1]) == [count - 1]


def _loaded_and_stopped(store: Store, stopped_s: float, *, again_s: float) -> None:
    for started_s in (0, again_s):
        started_at = later(started_s)
        store.activations.observe(
            activation("a:latest", asked_by=Actor.CLIENT, started_at=started_at, loaded_at=started_at)
        )
        if started_s < stopped_s:
            at = later(stopped_s)
            store.activations.end(HOST, "a:latest", at=at, outcome=Outcome.STOPPED, by=Actor.GUARD)


def _left(at_s: float) -> Event:
    return event(0, kind="left", host=HOST, model="a:latest", at=later(at_s))


async def test_a_stop_is_not_seen_as_leaving_once_more(store: Store) -> None:
    # Seen late, by a dashboard that nobody watches; the model is on its way back already.
    _loaded_and_stopped(store, 60, again_s=66)
    store.events.record_observed(_left(65), seen_by="us")
    assert await store.events.newest() == ()


async def test_what_came_back_after_a_stop_is_seen_to_leave(store: Store) -> None:
    _loaded_and_stopped(store, 60, again_s=62)
    store.events.record_observed(_left(66), seen_by="us")
    (found,) = await store.events.newest()
    assert found.kind == "left"
