"""Writing in batches, and what happens when it cannot be done."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.core.wording import text
from llmstack_tui.store.database import connection
from llmstack_tui.store.database.opening import Opened, open_state
from llmstack_tui.store.errors import StoreBusy, StoreDamaged, StoreError, StoreFull
from llmstack_tui.store.store import Store
from tests.store.samples import HOST, NOW, activation, change_file, event, in_file, numbers, pragma
from tests.support.waiting import paced, settle, stays, wait_until

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from llmstack_tui.store.database.migrations import Schema

COUNT = "SELECT count(*) FROM events"


async def commits(store: Store) -> list[str]:
    """Grows by one with every transaction that is written."""
    seen: list[str] = []
    await store.database.connection.set_trace_callback(
        lambda statement: seen.append(statement) if statement == "COMMIT" else None
    )
    return seen


def threads() -> set[threading.Thread]:
    """Those that run; one of a test before may still be ending, so they are told apart, not counted."""
    return {*threading.enumerate()}


async def test_a_burst_of_1000_events_a_second_costs_a_few_transactions(store: Store, path: Path) -> None:
    written = await commits(store)
    began = time.monotonic()
    async for number in paced(2000, 0.001):
        store.events.add(event(number))
    await store.flush()
    seconds = time.monotonic() - began
    assert 2 <= len(written) <= 6 * seconds
    assert in_file(path, COUNT) == [(2000,)]


async def test_one_event_is_written_by_itself_soon(store: Store, path: Path) -> None:
    written = await commits(store)
    store.events.add(event())
    assert in_file(path, COUNT) == [(0,)]
    await wait_until(lambda: in_file(path, COUNT) == [(1,)], timeout_s=10 * connection.FLUSH_AFTER_S)
    assert len(written) == 1


async def test_200_are_written_without_waiting(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "FLUSH_AFTER_S", 1000)
    for number in range(199):
        store.events.add(event(number))
    await stays(lambda: in_file(path, COUNT) == [(0,)], 0.1)
    store.events.add(event(199))
    await wait_until(lambda: in_file(path, COUNT) == [(200,)])


async def test_a_read_sees_what_was_written_before_it(store: Store) -> None:
    for number in range(3):
        store.events.add(event(number))
        assert numbers(await store.events.newest(1)) == [number]


@pytest.mark.parametrize("count", [1, 199, 200, 5000])
async def test_a_clean_close_loses_nothing(path: Path, count: int) -> None:
    async with await Store.open(path) as store:
        for number in range(count):
            store.events.add(event(number))
    assert in_file(path, COUNT) == [(count,)]


async def test_closing_while_writing_loses_nothing(path: Path) -> None:
    async with await Store.open(path) as store:
        for number in range(1000):
            store.events.add(event(number))
            await settle(1)
        flushing = asyncio.create_task(store.flush())
        await settle(1)
        for number in range(1000, 1100):
            store.events.add(event(number))
    await flushing
    assert in_file(path, COUNT) == [(1100,)]


async def test_giving_up_a_flush_does_not_give_up_the_writing(store: Store, path: Path) -> None:
    store.events.add(event())
    flushing = asyncio.create_task(store.flush())
    await settle(1)
    flushing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await flushing
    await wait_until(lambda: in_file(path, COUNT) == [(1,)])


@pytest.mark.timeout(30)
async def test_what_is_put_between_the_end_of_a_writing_and_word_of_it_is_written(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    between = list[asyncio.Task[None]]()
    commit = store.database.connection.commit

    async def add() -> None:
        assert "store: write" not in {task.get_name() for task in asyncio.all_tasks()}, "it comes too soon"
        store.events.add(event(2))
        await store.flush()

    async def commit_and_let_another_in() -> None:
        await commit()
        if not between:
            between.append(asyncio.create_task(add()))

    monkeypatch.setattr(store.database.connection, "commit", commit_and_let_another_in)
    store.events.add(event(1))
    await store.flush()
    await between[0]
    assert in_file(path, COUNT) == [(2,)]


async def test_different_writes_keep_their_order(store: Store) -> None:
    for number in range(50):
        store.screen.remember("last", number)
        store.activations.observe(activation())
        store.events.add(event(number))
    assert await store.screen.recall("last", -1, int) == 49
    assert len(await store.activations.active()) == 1
    assert numbers(await store.events.newest(50)) == list(range(49, -1, -1))


async def test_a_row_that_cannot_be_written_costs_only_itself(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(100):
        store.events.add(event(number))
        if number % 30 == 7:
            # No column holds such a number, and the column must have one.
            store.database.put("INSERT INTO screen VALUES (:key, :value)", {"key": "k", "value": 2**70})
            store.database.put("INSERT INTO nowhere VALUES (:key)", {"key": "k"})
    with caplog.at_level(logging.ERROR):
        await store.flush()
    assert len(await store.events.newest(200)) == 100
    assert len(caplog.records) == 8
    assert store.notices == ()


async def test_a_full_disk_is_said_once_and_nothing_is_lost_when_there_is_room_again(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "RETRY_AFTER_S", 0.05)
    store.events.add(event(0))
    await store.flush()
    await pragma(store, f"max_page_count = {await pragma(store, 'page_count')}")
    for number in range(1, 500):
        store.events.add(event(number))
    for _ in range(2):
        with pytest.raises(StoreFull, match=r"store\.full"):
            await store.flush()
    assert numbers(await store.events.newest()) == [0]  # what is there can still be read
    assert len(store.notices) == 1
    await pragma(store, "max_page_count = 100000")
    await wait_until(lambda: in_file(path, COUNT) == [(500,)])
    assert len(store.notices) == 1


async def test_a_full_disk_is_noticed_without_asking(path: Path) -> None:
    heard: list[Sentence] = []
    async with await Store.open(path, on_notice=heard.append) as store:
        await pragma(store, f"max_page_count = {await pragma(store, 'page_count')}")
        for number in range(300):
            store.events.add(event(number))
        await wait_until(lambda: heard)
        assert heard[0].kind == "store.full"
    assert text(heard[1]).startswith("300 entries were not recorded. The disk is full, ")
    assert store.notices == tuple(heard)


async def test_what_is_too_much_to_wait_is_counted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MAX_WAITING", 250)
    async with await Store.open(path) as store:
        await pragma(store, f"max_page_count = {await pragma(store, 'page_count')}")
        for number in range(240):
            store.events.add(event(number))
        with pytest.raises(StoreFull):
            await store.flush()
        for number in range(240, 300):
            store.events.add(event(number))
        await pragma(store, "max_page_count = 100000")
        await store.flush()
        assert len(store.notices) == 2
        assert store.notices[1] == Sentence("store.writable_again", {"count": 50, "file": str(path)})
        assert len(await store.events.newest(1000)) == 250
        store.events.add(event(300))  # and then as before
    assert len(store.notices) == 2
    assert in_file(path, COUNT) == [(251,)]


async def test_another_program_that_writes_for_a_moment_is_waited_for(store: Store, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.events.add(event())
        flushing = asyncio.create_task(store.flush())
        await stays(lambda: not flushing.done(), 0.6)
        other.execute("COMMIT")
        await flushing
    assert store.notices == ()
    assert in_file(path, COUNT) == [(1,)]


async def test_another_program_that_never_lets_go_is_an_error_and_reading_goes_on(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BUSY_TRIES", 8)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.events.add(event())
        with pytest.raises(StoreBusy, match="locked"):
            await store.flush()
        assert len(store.notices) == 1
        began = time.monotonic()
        assert await store.events.newest() == ()
        assert time.monotonic() - began < 1
        other.execute("ROLLBACK")
    await store.flush()
    assert in_file(path, COUNT) == [(1,)]


async def test_a_file_that_is_damaged_while_it_is_open(path: Path) -> None:
    async with await Store.open(path) as store:
        for number in range(2000):
            store.events.add(event(number))
        await store.flush()
        await pragma(store, "wal_checkpoint(TRUNCATE)")
        await pragma(store, "cache_size = 1")
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.seek(8192)
            file.write(b"\xff" * (size - 8192))
        with pytest.raises(StoreDamaged, match="damaged_meanwhile"):
            await store.events.newest(10_000)
        store.events.add(event())
        with pytest.raises(StoreDamaged):
            await store.flush()
    assert store.notices[0].kind == "store.damaged_meanwhile"
    async with await Store.open(path) as store:
        assert store.notices[0].kind == "store.set_aside"


@pytest.mark.parametrize("change", ["at = 'x'", "details = '['", "details = '1'", "at = 999999999999999999"])
async def test_an_entry_that_cannot_be_understood_is_an_error(store: Store, path: Path, change: str) -> None:
    store.events.add(event())
    await store.flush()
    change_file(path, f"UPDATE events SET {change}")  # noqa: S608
    with pytest.raises(StoreError, match="bad_entry"):
        await store.events.newest()


async def test_after_closing(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = await Store.open(path)
    await store.close()
    await store.close()
    await store.flush()
    store.events.add(event())
    assert "store is closed" in caplog.text
    with pytest.raises(StoreError, match="closed"):
        await store.events.newest()
    assert in_file(path, COUNT) == [(0,)]


async def test_a_time_without_a_zone_is_the_callers_mistake(store: Store) -> None:
    with pytest.raises(TypeError):
        store.models.seen(host=HOST, name="a", digest="", size=1, at=NOW.replace(tzinfo=None))
    await store.flush()


async def test_the_thread_ends_with_the_store(path: Path) -> None:
    before = threads()
    async with await Store.open(path):
        assert len(threads() - before) == 1
    await wait_until(lambda: not threads() - before)


async def test_the_thread_ends_and_the_file_is_closed_when_opening_is_given_up(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[sqlite3.Connection] = []
    began, go_on = threading.Event(), threading.Event()

    def slowly(path: Path | None, now: datetime, schema: Schema) -> Opened:
        began.set()
        go_on.wait(10)
        result = open_state(path, now, schema)
        opened.append(result.connection)
        return result

    monkeypatch.setattr(connection, "open_state", slowly)
    before = threads()
    opening = asyncio.create_task(Store.open(path))
    await wait_until(began.is_set)
    opening.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await wait_until(lambda: not threads() - before)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        _ = opened[0].total_changes


async def test_the_thread_ends_and_all_is_written_when_closing_is_given_up(path: Path) -> None:
    before = threads()
    store = await Store.open(path)
    store.events.add(event())
    closing_it = asyncio.create_task(store.close())
    await settle(1)
    closing_it.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing_it
    await wait_until(lambda: not threads() - before)
    assert in_file(path, COUNT) == [(1,)]


async def test_the_thread_ends_when_the_file_cannot_be_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BUSY_TRIES", 1)
    before = threads()
    async with await Store.open(path) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            store.events.add(event())
            await store.close()
        await store.flush()
    assert text(store.notices[0]).startswith("1 entry was not recorded. Another program ")
    await wait_until(lambda: not threads() - before)
