"""Memory that loads took, speeds seen, and what the screen remembers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.store.store import Store
from llmstack_tui.store.tables.figures import Measured, Speed
from tests.store.samples import HOST, NOW, OTHER_HOST, later

if TYPE_CHECKING:
    from pathlib import Path


def measured(number: int, **changes: object) -> Measured:
    values: dict[str, object] = {
        "at": later(number),
        "host": HOST,
        "model": "a:7b",
        "digest": "abc",
        "server_bytes": number,
        **changes,
    }
    return Measured(**values)  # type: ignore[arg-type]


async def test_a_measured_load_comes_back_as_it_was(store: Store) -> None:
    store.measured.add(
        measured(
            1,
            context_length=8192,
            cache_type="q8_0",
            parallel=2,
            server_bytes=2**53 + 1,
            server_gpu_bytes=0,
            device_bytes={"GPU 0 RTX 2070S": 5_600_000_000, "RAM": 1},
        )
    )
    (found,) = await store.measured.history(HOST, "abc")
    assert (found.context_length, found.cache_type, found.parallel) == (8192, "q8_0", 2)
    assert (found.server_bytes, found.server_gpu_bytes, found.at) == (2**53 + 1, 0, later(1))
    assert found.device_bytes == {"GPU 0 RTX 2070S": 5_600_000_000, "RAM": 1}


async def test_the_newest_loads_of_a_version_and_of_a_host(store: Store) -> None:
    for number in (1, 2, 3):
        store.measured.add(measured(number))
    store.measured.add(measured(4, host=OTHER_HOST))
    store.measured.add(measured(5, digest="another"))
    assert [each.server_bytes for each in await store.measured.history(HOST, "abc", 2)] == [3, 2]
    assert [each.server_bytes for each in await store.measured.of_host(HOST, 3)] == [5, 3, 2]


async def test_the_last_speed_of_each_model(store: Store) -> None:
    def add(model: str, speed: float | None, host: str = HOST, after_s: int = 0) -> None:
        first_token = timedelta(milliseconds=120.5)
        at = NOW + timedelta(seconds=after_s)
        store.speeds.add(
            Speed(at=at, host=host, model=model, tokens_per_second=speed, first_token=first_token)
        )

    add("a", 10.5)
    add("a", 12.25, after_s=1)
    # Another dashboard has heard of the first of these answers, too.
    add("a", 10.5)
    add("b", None)
    add("a", 99.0, OTHER_HOST)
    last = await store.speeds.last(HOST)
    assert {name: speed.tokens_per_second for name, speed in last.items()} == {"a": 12.25, "b": None}
    assert last["a"].first_token == timedelta(milliseconds=120.5)


async def test_the_screen_remembers_the_last_word_of_either_dashboard(store: Store, path: Path) -> None:
    store.screen.remember("sort", ["size", "down"])
    await store.flush()
    async with await Store.open(path) as other:
        assert await other.screen.recall("sort", [], list[str]) == ["size", "down"]
        other.screen.remember("sort", ["name", "up"])
    assert await store.screen.recall("sort", [], list[str]) == ["name", "up"]


@pytest.mark.parametrize("value", [["a", 1], {"sort": "name"}, None, 5, "\udcff"])
async def test_what_cannot_be_understood_is_the_default(store: Store, value: object) -> None:
    store.screen.remember("theme", value)
    assert await store.screen.recall("theme", 1.5, float) == (5.0 if value == 5 else 1.5)
    assert await store.screen.recall("never said", "dark", str) == "dark"
