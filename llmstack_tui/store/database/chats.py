"""The schema of the file of talks; as that of the state, in ``migrations``."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from llmstack_tui.store.database.migrations import Migration, Schema
from llmstack_tui.store.database.values import to_sql

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

UNDO_FOR = timedelta(hours=1)
"""How long a deleted talk can be had back."""

# Only whole turns are indexed, and those never change. What is short is found by its beginning at once, too
# (`prefix`), while one types.
_MIGRATIONS = (
    Migration(
        "2026-06 chats",
        (
            """CREATE TABLE sessions (
                id TEXT PRIMARY KEY, created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL,
                title TEXT NOT NULL, folder TEXT NOT NULL, is_pinned INTEGER NOT NULL,
                model TEXT NOT NULL, host TEXT NOT NULL, system TEXT NOT NULL, parameters TEXT NOT NULL,
                leaf INTEGER, draft TEXT NOT NULL DEFAULT '', deleted_at INTEGER
            )""",
            "CREATE INDEX sessions_by_time ON sessions (changed_at)",
            """CREATE TABLE turns (
                id INTEGER PRIMARY KEY, parent INTEGER, session TEXT NOT NULL, at INTEGER NOT NULL,
                role TEXT NOT NULL, text TEXT NOT NULL, reasoning TEXT NOT NULL, more TEXT NOT NULL,
                attachments TEXT NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL, usage TEXT NOT NULL,
                state TEXT NOT NULL, reason TEXT NOT NULL, problem TEXT NOT NULL, writer TEXT NOT NULL
            )""",
            "CREATE INDEX turns_of_session ON turns (session)",
            "CREATE INDEX turns_with_files ON turns (id) WHERE attachments <> '[]'",
            "CREATE INDEX turns_under_way ON turns (id) WHERE state = 'streaming'",
            "CREATE TABLE attached (digest TEXT PRIMARY KEY, content BLOB NOT NULL)",
            """CREATE TABLE votes (
                id INTEGER PRIMARY KEY, at INTEGER NOT NULL, models TEXT NOT NULL, winner TEXT
            )""",
            """CREATE VIRTUAL TABLE turn_words USING fts5 (
                text, content = 'turns', content_rowid = 'id', prefix = '1 2',
                tokenize = 'unicode61 remove_diacritics 2'
            )""",
            """CREATE TRIGGER turn_added AFTER INSERT ON turns WHEN new.state <> 'streaming' BEGIN
                INSERT INTO turn_words (rowid, text) VALUES (new.id, new.text);
            END""",
            """CREATE TRIGGER turn_ended AFTER UPDATE OF state ON turns
            WHEN old.state = 'streaming' AND new.state <> 'streaming' BEGIN
                INSERT INTO turn_words (rowid, text) VALUES (new.id, new.text);
            END""",
            """CREATE TRIGGER turn_deleted AFTER DELETE ON turns WHEN old.state <> 'streaming' BEGIN
                INSERT INTO turn_words (turn_words, rowid, text) VALUES ('delete', old.id, old.text);
            END""",
        ),
    ),
)

_FORGET = "DELETE FROM sessions WHERE deleted_at < :before"
_TIDY = (
    "DELETE FROM turns WHERE session NOT IN (SELECT id FROM sessions)",
    """DELETE FROM attached WHERE digest NOT IN (
        SELECT json_extract(value, '$.digest') FROM turns, json_each(turns.attachments)
        WHERE attachments <> '[]')""",
)


def purge(connection: sqlite3.Connection, now: datetime) -> None:
    """Forget the talks that were deleted a while ago, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if connection.execute(_FORGET, {"before": to_sql(now - UNDO_FOR)}).rowcount:
            for statement in _TIDY:
                connection.execute(statement)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


CHATS = Schema(steps=_MIGRATIONS, prune=purge, checked=("sessions",), copies_newer=True)
