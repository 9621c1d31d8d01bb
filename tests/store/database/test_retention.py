"""What is forgotten while a program runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.store.database import retention
from llmstack_tui.store.store import Store
from llmstack_tui.store.tables.figures import Measured, Speed
from tests.store.samples import HOST, activation, event, in_file, later

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


async def test_what_grows_is_cut_without_a_new_start(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_PRUNE_EVERY", 50)
    async with await Store.open(path) as store:
        for part in (store.events, store.activations, store.measured, store.speeds):
            monkeypatch.setattr(part, "excess", (part.excess[0], 20))
        for number in range(200):
            at = later(number)
            store.activations.observe(activation(f"m:{number}", started_at=at, ended_at=at))
            store.measured.add(Measured(at=at, host=HOST, model="m:1", digest="d"))
            store.speeds.add(Speed(at=at, host=HOST, model="m:1"))
            store.events.record_observed(event(number), seen_by="us")
    for table in ("events", "activations", "measured", "speeds"):
        assert in_file(path, f"SELECT count(*), max(id) FROM {table}") == [(20, 200)], table  # noqa: S608


async def test_versions_that_were_not_seen_for_longest_are_forgotten(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await Store.open(path) as store:
        for number in range(30):
            store.models.seen(host=HOST, name="m:1", digest=f"{number}", size=1, at=later(number))
    monkeypatch.setattr(retention, "_EXCESS", ((retention.VERSIONS[0], 20),))
    async with await Store.open(path) as store:
        left = await store.models.versions(HOST, "m:1")
    assert [each.digest for each in left] == [f"{number}" for number in reversed(range(10, 30))]


async def test_what_was_told_of_versions_is_held_no_longer_than_it_counts(path: Path) -> None:
    async with await Store.open(path) as store:
        for number in range(5_000):
            store.models.seen(host=HOST, name="m:1", digest=f"{number}", size=1, at=later(number))
        assert len(store.models.recent) < 2_000
