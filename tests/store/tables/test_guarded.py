"""What is wanted of single models."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from llmstack_tui.store.store import Store
from llmstack_tui.store.tables.guarded import Wish
from tests.store.samples import HOST, OTHER_HOST

if TYPE_CHECKING:
    from pathlib import Path


async def test_wishes_are_kept_by_host_and_model(path: Path) -> None:
    async with await Store.open(path) as store:
        store.guarded.pin(HOST, "tiny:latest", "tiny")
        store.guarded.may_idle(HOST, "tiny:latest", "tiny:latest", timedelta(minutes=5))
        store.guarded.may_idle(OTHER_HOST, "big:1", "big:1", timedelta(0))
    async with await Store.open(path) as store:
        assert await store.guarded.of(HOST) == {
            "tiny:latest": Wish("tiny:latest", pinned=True, idle_stop=timedelta(minutes=5))
        }
        assert await store.guarded.of(OTHER_HOST) == {"big:1": Wish("big:1", idle_stop=timedelta(0))}


async def test_what_is_wanted_no_more_is_gone(store: Store) -> None:
    store.guarded.pin(HOST, "tiny", "tiny")
    store.guarded.may_idle(HOST, "tiny", "tiny", timedelta(minutes=5))
    store.guarded.pin(HOST, "tiny", "tiny", pinned=False)
    assert await store.guarded.of(HOST) == {"tiny": Wish("tiny", idle_stop=timedelta(minutes=5))}
    store.guarded.may_idle(HOST, "tiny", "tiny", None)
    assert await store.guarded.of(HOST) == {}


async def test_a_wish_goes_where_its_model_goes(store: Store) -> None:
    for name in ("tiny", "old", "taken"):
        store.guarded.pin(HOST, name, name)
    store.guarded.may_idle(HOST, "old", "old", timedelta(minutes=5))
    store.guarded.renamed(HOST, "old", "taken", "taken:1")
    store.guarded.forget(HOST, "tiny")
    assert await store.guarded.of(HOST) == {
        "taken": Wish("taken:1", pinned=True, idle_stop=timedelta(minutes=5))
    }
