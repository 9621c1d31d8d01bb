"""Activations: who asked, why, and how it ended, whoever saw it first."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.sentences import quoted
from llmstack_tui.store.store import Store
from llmstack_tui.store.tables.activations import Difference, LastLoad, ListedModel, Outcome, Uses
from tests.store.samples import HOST, NOW, OTHER_HOST, activation, change_file, later

if TYPE_CHECKING:
    from pathlib import Path

MODEL = "tiny:latest"


async def test_from_the_wish_to_the_end(store: Store) -> None:
    wish = activation(
        asked_by=Actor.GUARD,
        reason=(quoted("put back after an update"),),
        context_length=8192,
        keep_alive=timedelta(seconds=-1),
    )
    store.activations.observe(wish)
    (begun,) = await store.activations.active()
    assert (begun.loaded_at, begun.ended_at, begun.outcome) == (None, None, None)
    assert (begun.asked_by, begun.reason, begun.context_length) == (wish.asked_by, wish.reason, 8192)
    assert begun.keep_alive == timedelta(seconds=-1)

    store.activations.loaded(HOST, MODEL, later(3), digest="abc")
    store.activations.end(
        HOST, MODEL, at=later(60), outcome=Outcome.STOPPED, by=Actor.USER, reason=(quoted("Deactivated."),)
    )
    (ended,) = await store.activations.history(HOST, MODEL)
    assert (ended.loaded_at, ended.digest, ended.ended_at) == (later(3), "abc", later(60))
    assert (ended.outcome, ended.ended_by, ended.end_reason) == (
        Outcome.STOPPED,
        Actor.USER,
        (quoted("Deactivated."),),
    )
    assert await store.activations.active() == ()


async def test_a_load_that_failed(store: Store) -> None:
    store.activations.observe(activation())
    store.activations.end(
        HOST, MODEL, at=later(), outcome=Outcome.FAILED, reason=(quoted("Not enough memory."),)
    )
    (failed,) = await store.activations.history(HOST, MODEL)
    assert (failed.loaded_at, failed.outcome, failed.end_reason) == (
        None,
        Outcome.FAILED,
        (quoted("Not enough memory."),),
    )
    assert await store.activations.uses(HOST) == {}


async def test_what_two_dashboards_see_is_recorded_once(store: Store, path: Path) -> None:
    seen = activation(asked_by=Actor.CLIENT, loaded_at=NOW)
    async with await Store.open(path) as other:
        for each in (store, other, store):
            each.activations.observe(seen)
            await each.flush()
        assert len(await other.activations.active(HOST)) == 1


async def test_our_own_activation_is_not_somebody_elses(store: Store) -> None:
    store.activations.observe(activation())
    store.activations.observe(activation(asked_by=Actor.CLIENT, started_at=later()))
    (only,) = await store.activations.history(HOST, MODEL)
    assert only.asked_by is Actor.USER


@pytest.mark.parametrize("known_first", [True, False])
async def test_who_knows_why_it_ended_is_believed(store: Store, *, known_first: bool) -> None:
    store.activations.observe(activation())
    ends = [(Outcome.STOPPED, Actor.CLI), (Outcome.LEFT, None)]
    for outcome, by in ends if known_first else reversed(ends):
        store.activations.end(HOST, MODEL, at=later(9), outcome=outcome, by=by)
    (only,) = await store.activations.history(HOST, MODEL)
    assert (only.outcome, only.ended_by) == (Outcome.STOPPED, Actor.CLI)


async def test_of_two_who_only_saw_it_the_first_is_believed(store: Store) -> None:
    store.activations.observe(activation())
    store.activations.end(HOST, MODEL, at=later(1), outcome=Outcome.LEFT)
    store.activations.end(HOST, MODEL, at=later(2), outcome=Outcome.UNNOTICED)
    (only,) = await store.activations.history(HOST, MODEL)
    assert (only.outcome, only.ended_at) == (Outcome.LEFT, later(1))


async def test_the_first_who_knows_is_believed(store: Store) -> None:
    store.activations.observe(activation())
    store.activations.end(HOST, MODEL, at=later(1), outcome=Outcome.STOPPED, by=Actor.CLI)
    store.activations.end(HOST, MODEL, at=later(2), outcome=Outcome.FAILED)
    (only,) = await store.activations.history(HOST, MODEL)
    assert (only.outcome, only.ended_at) == (Outcome.STOPPED, later(1))


async def test_hosts_and_models_do_not_touch_each_other(store: Store) -> None:
    for host in (HOST, OTHER_HOST):
        for model in ("a", "b"):
            store.activations.observe(activation(model, host=host))
    store.activations.end(HOST, "a", at=later(), outcome=Outcome.LEFT)
    store.activations.end("http://nowhere", "b", at=later(), outcome=Outcome.LEFT)
    assert [(each.host, each.model) for each in await store.activations.active()] == [
        (HOST, "b"),
        (OTHER_HOST, "a"),
        (OTHER_HOST, "b"),
    ]
    assert [each.model for each in await store.activations.active(HOST)] == ["b"]


async def test_history_in_pages_and_uses(store: Store) -> None:
    for number in range(5):
        store.activations.observe(activation(started_at=later(number)))
        store.activations.loaded(HOST, MODEL, later(number))
        store.activations.end(HOST, MODEL, at=later(number), outcome=Outcome.STOPPED, by=Actor.CLI)
    first = await store.activations.history(HOST, MODEL, 3)
    rest = await store.activations.history(HOST, MODEL, 3, before=first[-1].id)
    assert [each.started_at for each in first + rest] == [later(number) for number in (4, 3, 2, 1, 0)]
    assert await store.activations.uses(HOST) == {MODEL: Uses(5, later(4))}
    assert await store.activations.last_loads() == (LastLoad(HOST, MODEL, later(4)),)


async def test_a_difference_settles_the_record(store: Store) -> None:
    store.activations.observe(activation("gone"))
    (gone,) = await store.activations.active()
    loaded = ListedModel(model="new", digest="abc", context_length=4096)
    store.activations.settle(Difference((gone,), ((HOST, loaded),)), later(10))
    (ended,) = await store.activations.history(HOST, "gone")
    assert (ended.outcome, ended.ended_at) == (Outcome.UNNOTICED, later(10))
    (active,) = await store.activations.active()
    assert (active.model, active.asked_by, active.digest, active.context_length) == (
        "new",
        Actor.CLIENT,
        "abc",
        4096,
    )


async def test_what_is_loaded_a_moment_after_its_recorded_end_is_recorded(store: Store) -> None:
    store.activations.observe(activation("m:1", loaded_at=NOW))
    store.activations.end(HOST, "m:1", at=later(10), outcome=Outcome.LEFT)
    store.activations.settle(Difference((), ((HOST, ListedModel(model="m:1")),)), later(10.2))
    (again,) = await store.activations.active()
    assert (again.model, again.started_at) == ("m:1", later(10.2))


async def test_words_of_a_newer_version_are_unknown_not_an_error(store: Store, path: Path) -> None:
    store.activations.observe(activation())
    store.activations.end(HOST, MODEL, at=later(), outcome=Outcome.LEFT)
    await store.flush()
    change_file(path, "UPDATE activations SET asked_by = 'gateway', outcome = 'moved', ended_by = 'robot'")
    (found,) = await store.activations.history(HOST, MODEL)
    assert (found.asked_by, found.outcome, found.ended_by) == (Actor.UNKNOWN, Outcome.UNKNOWN, Actor.UNKNOWN)
