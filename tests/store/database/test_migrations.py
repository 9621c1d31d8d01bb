"""The steps of the file's shape."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.sentences import Sentence, quoted
from llmstack_tui.store.database.migrations import MIGRATIONS, Migration, migrate, recorded
from llmstack_tui.store.database.opening import Mode
from llmstack_tui.store.store import Store
from tests.store.samples import event, in_file, numbers

if TYPE_CHECKING:
    from pathlib import Path


def tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_each_step_is_taken_once_and_recorded() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        before = connection.execute("SELECT * FROM migrations").fetchall()
        migrate(connection)
        assert connection.execute("SELECT * FROM migrations").fetchall() == before
        assert recorded(connection) == {step.name for step in MIGRATIONS}
        assert len(before) == len(MIGRATIONS)


def test_a_step_that_fails_leaves_nothing_of_any() -> None:
    steps = (
        Migration("good", ("CREATE TABLE good (a)",)),
        Migration("bad", ("CREATE TABLE half (a)", "CREATE TABLE good (a)")),
    )
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        with pytest.raises(sqlite3.OperationalError, match="good already exists"):
            migrate(connection, steps)
        assert tables(connection) == set()
        migrate(connection, steps[:1])
        assert "good" in tables(connection)


async def test_an_older_file_is_brought_up_to_date_with_what_is_in_it(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        later_steps = {"2026-01 screen", "2026-05 sentences"}
        migrate(connection, tuple(step for step in MIGRATIONS if step.name not in later_steps))
        connection.execute(
            "INSERT INTO events VALUES (7, 0, 'note', NULL, NULL, 'old', '', '{\"number\":7}')"
        )
    async with await Store.open(path) as store:
        assert (store.database.mode, store.notices) == (Mode.FILE, ())
        store.screen.remember("theme", "dark")
        store.events.add(event(8))
        assert numbers(await store.events.newest()) == [8, 7]
    assert in_file(path, "SELECT value FROM screen") == [('"dark"',)]


async def test_what_was_recorded_as_text_reads_as_it_did(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        migrate(connection, tuple(step for step in MIGRATIONS if step.name != "2026-05 sentences"))
        connection.execute("INSERT INTO events VALUES (1, 0, 'left', 'h', 'a', 'a left.', 'Idle.', '{}')")
        for model, reason in (("a", "chat"), ("b", "It was pinned."), ("c", "")):
            connection.execute(
                "INSERT INTO activations (host, model, digest, asked_by, reason, started_at, end_reason)"
                " VALUES ('h', ?, '', 'user', ?, 0, ?)",
                (model, reason, reason),
            )
    async with await Store.open(path) as store:
        (found,) = await store.events.newest()
        assert (found.sentence, found.reason) == (quoted("a left."), (quoted("Idle."),))
        reasons = {each.model: (each.reason, each.end_reason) for each in await store.activations.active()}
    said = (quoted("It was pinned."),)
    assert reasons == {"a": ((Sentence("reason.chat"),), (quoted("chat"),)), "b": (said, said), "c": ((), ())}
