"""What is wanted of single models."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from llmstack_tui.store.store import Store
from llmstack_tui.store.tables.preferences import ModelPreference
from tests.store.samples import HOST, OTHER_HOST

if TYPE_CHECKING:
    from pathlib import Path


async def test_wishes_are_kept_by_host_and_model(path: Path) -> None:
    async with await Store.open(path) as store:
        store.preferences.pin(HOST, "tiny:latest", "tiny")
        store.preferences.set_idle_stop(HOST, "tiny:latest", "tiny:latest", timedelta(minutes=5))
        store.preferences.set_idle_stop(OTHER_HOST, "big:1", "big:1", timedelta(0))
    async with await Store.open(path) as store:
        assert await store.preferences.of(HOST) == {
            "tiny:latest": ModelPreference("tiny:latest", pinned=True, idle_stop=timedelta(minutes=5))
        }
        assert await store.preferences.of(OTHER_HOST) == {
            "big:1": ModelPreference("big:1", idle_stop=timedelta(0))
        }


async def test_what_is_wanted_no_more_is_gone(store: Store) -> None:
    store.preferences.pin(HOST, "tiny", "tiny")
    store.preferences.set_idle_stop(HOST, "tiny", "tiny", timedelta(minutes=5))
    store.preferences.pin(HOST, "tiny", "tiny", pinned=False)
    assert await store.preferences.of(HOST) == {
        "tiny": ModelPreference("tiny", idle_stop=timedelta(minutes=5))
    }
    store.preferences.set_idle_stop(HOST, "tiny", "tiny", None)
    assert await store.preferences.of(HOST) == {}


async def test_a_wish_goes_where_its_model_goes(store: Store) -> None:
    for name in ("tiny", "old", "taken"):
        store.preferences.pin(HOST, name, name)
    store.preferences.set_idle_stop(HOST, "old", "old", timedelta(minutes=5))
    store.preferences.renamed(HOST, "old", "taken", "taken:1")
    store.preferences.forget(HOST, "tiny")
    assert await store.preferences.of(HOST) == {
        "taken": ModelPreference("taken:1", pinned=True, idle_stop=timedelta(minutes=5))
    }
