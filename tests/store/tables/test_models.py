"""Models seen, and the list of each host."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.hosts.types import Model
from llmstack_tui.store.store import Store
from llmstack_tui.store.tables.models import InstalledList, SeenModel, last_list
from tests.store.samples import HOST, NASTY_TEXTS, NOW, OTHER_HOST, change_file, in_file, later

if TYPE_CHECKING:
    from pathlib import Path

MODELS = (
    Model(
        name="qwen2.5-coder:7b",
        digest="dae161e27b0e",
        size=4_683_087_519,
        modified_at=NOW,
        parameters="7.6B",
        capabilities=frozenset({"completion", "tools"}),
    ),
    *(Model(name=text, digest="", remote_host="https://ollama.com") for text in NASTY_TEXTS),
)


async def test_versions_of_a_model_with_the_times_they_were_seen(store: Store) -> None:
    def seen(digest: str, size: int | None, minutes: int, host: str = HOST) -> None:
        store.models.seen(host=host, name="a:7b", digest=digest, size=size, at=later(60 * minutes))

    seen("old", 100, 0)
    seen("old", 100, 60)
    seen("new", None, 61)
    seen("new", 2**53 + 1, 62)
    seen("old", 100, 5, OTHER_HOST)
    assert await store.models.versions(HOST, "a:7b") == (
        SeenModel(
            host=HOST,
            name="a:7b",
            digest="new",
            size=2**53 + 1,
            first_seen_at=later(3660),
            last_seen_at=later(3720),
        ),
        SeenModel(
            host=HOST, name="a:7b", digest="old", size=100, first_seen_at=NOW, last_seen_at=later(3600)
        ),
    )
    assert [each.digest for each in await store.models.versions(OTHER_HOST)] == ["old"]


async def test_another_program_that_saw_it_earlier_does_not_turn_time_back(store: Store, path: Path) -> None:
    async with await Store.open(path) as other:
        for each, at in ((store, later(100)), (other, later(50))):
            each.models.seen(host=HOST, name="a", digest="d", size=1, at=at)
            await each.flush()
        (model,) = await other.models.versions(HOST, "a")
    assert model.last_seen_at == later(100)


async def test_looking_every_30_seconds_does_not_write_every_30_seconds(store: Store) -> None:
    trace: list[str] = []
    await store.database.connection.set_trace_callback(trace.append)
    for look in range(61):
        at = NOW + timedelta(seconds=30 * look)
        store.models.seen(host=HOST, name="a", digest="d", size=1, at=at)
        store.installed.save(HOST, MODELS, at)
        await store.flush()
    writes = [statement for statement in trace if "INSERT" in statement]
    assert len(writes) == 2 * 4  # at 0, 10, 20 and 30 minutes


async def test_a_list_comes_back_as_it_was(store: Store, path: Path) -> None:
    store.installed.save(HOST, MODELS, NOW)
    store.installed.save(OTHER_HOST, (), NOW)
    await store.flush()
    async with await Store.open(path) as other:
        assert await other.installed.load(HOST, Model) == InstalledList(HOST, NOW, MODELS)
        assert await other.installed.load(OTHER_HOST, Model) == InstalledList(OTHER_HOST, NOW, ())
        assert await other.installed.load("http://unknown", Model) is None


async def test_the_last_list_is_read_without_opening_the_store(store: Store, path: Path) -> None:
    store.installed.save(HOST, MODELS, NOW)
    await store.flush()
    assert last_list(path, HOST, Model) == InstalledList(HOST, NOW, MODELS)
    assert last_list(path, OTHER_HOST, Model) is None
    assert last_list(path, HOST, AnotherModel) is None


@pytest.mark.parametrize("content", [None, b"", b"no database" * 1000])
def test_where_nothing_can_be_read_there_is_no_last_list(path: Path, content: bytes | None) -> None:
    path.parent.mkdir()
    if content is not None:
        path.write_bytes(content)
    assert last_list(path, HOST, Model) is None
    # The file is left for the store, which tells of what is wrong with it.
    assert (path.read_bytes() if path.exists() else None) == content
    assert list(path.parent.iterdir()) == ([] if content is None else [path])


async def test_a_list_that_changed_is_written_at_once(store: Store) -> None:
    store.installed.save(HOST, MODELS, NOW)
    store.installed.save(HOST, MODELS[:1], later(2))
    assert await store.installed.load(HOST, Model) == InstalledList(HOST, later(2), MODELS[:1])


@dataclass(frozen=True)
class AnotherModel:
    label: str


async def test_a_list_of_another_shape_is_no_list(store: Store) -> None:
    store.installed.save(HOST, MODELS, NOW)
    assert await store.installed.load(HOST, AnotherModel) is None


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"a": 1}'])
async def test_a_list_that_is_not_what_we_wrote_is_no_list(store: Store, path: Path, text: str) -> None:
    store.installed.save(HOST, MODELS, NOW)
    await store.flush()
    change_file(path, f"UPDATE installed SET models = '{text}'")  # noqa: S608
    assert await store.installed.load(HOST, Model) is None


async def test_3000_models_are_one_row(store: Store, path: Path) -> None:
    models = [Model(name=f"m{n}:latest", digest=f"{n:064}", size=n) for n in range(3000)]
    store.installed.save(HOST, models, NOW)
    loaded = await store.installed.load(HOST, Model)
    assert loaded is not None
    assert list(loaded.models) == models
    assert in_file(path, "SELECT count(*) FROM installed") == [(1,)]
