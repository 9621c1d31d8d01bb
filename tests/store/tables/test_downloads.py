"""Pulls in the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.store.errors import StoreError
from llmstack_tui.store.store import Store
from llmstack_tui.store.tables.downloads import MAX_OVER

if TYPE_CHECKING:
    from pathlib import Path

HOST = "http://127.0.0.1:11434"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


async def add(store: Store, model: str, host: str = HOST) -> tuple[int, bool]:
    return await store.downloads.add(
        host=host, model=model, key=model.lower(), asked=model, why="pull", asked_at=NOW
    )


async def test_of_one_model_one_pull_is_under_way(path: Path) -> None:
    async with await Store.open(path) as one, await Store.open(path) as other:
        number, is_new = await add(one, "tiny:1b")
        assert is_new
        assert await add(other, "TINY:1b") == (number, False)
        assert (await add(other, "tiny:1b", "http://elsewhere"))[1]
        (row,) = await one.downloads.all([HOST])
        one.downloads.update(replace(row, state="done", ended_at=NOW))
        await one.flush()
        again, is_new = await add(other, "tiny:1b")
        assert is_new
        assert [row.id for row in await one.downloads.all([HOST])] == [again, number]


async def test_what_is_wished_and_what_is_so_do_not_undo_each_other(path: Path) -> None:
    async with await Store.open(path) as one, await Store.open(path) as other:
        number, _ = await add(one, "tiny")
        (row,) = await one.downloads.all([HOST])
        other.downloads.request(number, "pause")
        await other.flush()
        so = replace(row, state="running", step="pulling", layers=(("sha256:a", 1, None),), speed=2.5)
        one.downloads.update(so)
        assert await one.downloads.all([HOST]) == (replace(so, requested="pause"),)
        one.downloads.update(replace(so, state="failed", reason=(quoted("It is so."),), ended_at=NOW))
        # The end stands.
        one.downloads.update(so)
        one.downloads.request(number, "run")
        (ended,) = await one.downloads.all([HOST])
        assert (ended.state, ended.requested, ended.ended_at) == ("failed", "pause", NOW)


async def test_what_is_over_is_forgotten(path: Path) -> None:
    async with await Store.open(path) as store:
        for number in range(MAX_OVER + 20):
            await add(store, f"m{number}")
            row = (await store.downloads.all([HOST]))[0]
            store.downloads.update(replace(row, state="done", ended_at=NOW + timedelta(seconds=number)))
        await add(store, "last")
        rows = await store.downloads.all([HOST])
        assert [row.model for row in rows[:3]] == ["last", f"m{MAX_OVER + 19}", f"m{MAX_OVER + 18}"]
        assert len(rows) == MAX_OVER + 1
        store.downloads.forget(rows[0].id)
        store.downloads.forget(rows[1].id)
        assert len(await store.downloads.all([HOST])) == MAX_OVER
        store.downloads.forget_over([HOST])
        assert [row.model for row in await store.downloads.all([HOST])] == ["last"]


async def test_nothing_is_added_that_would_begin_later_unasked(path: Path) -> None:
    async with await Store.open(path) as store:
        await add(store, "tiny")
        await store.database.connection.execute("PRAGMA query_only = ON")
        with pytest.raises(StoreError):
            await add(store, "other")
        await store.database.connection.execute("PRAGMA query_only = OFF")
        await store.flush()
        assert [row.model for row in await store.downloads.all([HOST])] == ["tiny"]
