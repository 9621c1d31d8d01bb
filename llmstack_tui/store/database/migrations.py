"""The schema of the file, as named steps. A released step is never changed; new ones go at the end.

Steps only add, so that an older program can read what a newer one wrote, and run beside it.
Rows belong to a host (its base URL) and a model (its canonical name with the tag). The module ``values``
defines how times and other values are stored.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.store.database.values import to_sql

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable


class Migration(Struct, frozen=True):
    """One step: a name that is recorded in the file, and its statements."""

    name: str
    statements: tuple[str, ...]


class Schema(Struct, frozen=True, kw_only=True):
    """What is in a file.

    Attributes:
        steps: the migrations, in their order.
        prune: forgets old rows when the file is opened.
        checked: the tables that are checked when it is opened; all, where none is named.
        copies_newer: a file that a newer version wrote is copied to memory, where it can be written;
            else it is opened to be read.
    """

    steps: tuple[Migration, ...]
    prune: Callable[[sqlite3.Connection, datetime], None]
    checked: tuple[str, ...] = ()
    copies_newer: bool = False

    @property
    def names(self) -> frozenset[str]:
        return frozenset(step.name for step in self.steps)


MIGRATIONS = (
    Migration(
        "2026-01 models",
        (
            """CREATE TABLE models (
                host TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER,
                first_seen_at INTEGER NOT NULL, last_seen_at INTEGER NOT NULL,
                PRIMARY KEY (host, name, digest)
            ) WITHOUT ROWID""",
            """CREATE TABLE installed (
                host TEXT PRIMARY KEY, read_at INTEGER NOT NULL, models TEXT NOT NULL
            )""",
        ),
    ),
    Migration(
        "2026-01 activations",
        (
            """CREATE TABLE activations (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                host TEXT NOT NULL, model TEXT NOT NULL, digest TEXT NOT NULL,
                asked_by TEXT NOT NULL, reason TEXT NOT NULL, context_length INTEGER, keep_alive INTEGER,
                started_at INTEGER NOT NULL, loaded_at INTEGER,
                ended_at INTEGER, outcome TEXT, ended_by TEXT, end_reason TEXT NOT NULL DEFAULT ''
            )""",
            "CREATE INDEX activations_of_model ON activations (host, model)",
            "CREATE INDEX activations_under_way ON activations (host) WHERE ended_at IS NULL",
        ),
    ),
    Migration(
        "2026-01 figures",
        (
            """CREATE TABLE measured (
                id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,
                host TEXT NOT NULL, model TEXT NOT NULL, digest TEXT NOT NULL,
                context_length INTEGER, cache_type TEXT, parallel INTEGER,
                server_bytes INTEGER, server_gpu_bytes INTEGER, device_bytes TEXT NOT NULL
            )""",
            "CREATE INDEX measured_of_digest ON measured (digest)",
            """CREATE TABLE speeds (
                id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,
                host TEXT NOT NULL, model TEXT NOT NULL, digest TEXT NOT NULL,
                tokens_per_second REAL, first_token INTEGER
            )""",
            "CREATE INDEX speeds_of_model ON speeds (host, model)",
        ),
    ),
    Migration(
        "2026-01 events",
        (
            """CREATE TABLE events (
                id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL,
                host TEXT, model TEXT, text TEXT NOT NULL, reason TEXT NOT NULL, details TEXT NOT NULL
            )""",
            "CREATE INDEX events_by_time ON events (at)",
        ),
    ),
    Migration("2026-01 screen", ("CREATE TABLE screen (key TEXT PRIMARY KEY, value TEXT NOT NULL)",)),
    Migration(
        "2026-02 updates",
        (
            """CREATE TABLE registry_answers (
                name TEXT PRIMARY KEY, asked_at INTEGER NOT NULL, answer TEXT NOT NULL
            )""",
            """CREATE TABLE updates_left_alone (
                host TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (host, name)
            ) WITHOUT ROWID""",
        ),
    ),
    Migration(
        "2026-03 downloads",
        (
            """CREATE TABLE downloads (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                host TEXT NOT NULL, model TEXT NOT NULL, key TEXT NOT NULL, asked TEXT NOT NULL,
                why TEXT NOT NULL, asked_at INTEGER NOT NULL,
                wish TEXT NOT NULL DEFAULT 'run', state TEXT NOT NULL DEFAULT 'waiting',
                step TEXT NOT NULL DEFAULT '', layers TEXT NOT NULL DEFAULT '[]', speed REAL,
                reason TEXT NOT NULL DEFAULT '', was_active TEXT, ended_at INTEGER
            )""",
            "CREATE UNIQUE INDEX downloads_under_way ON downloads (host, key) WHERE ended_at IS NULL",
        ),
    ),
    Migration(
        "2026-04 guarded",
        (
            """CREATE TABLE guarded (
                host TEXT NOT NULL, key TEXT NOT NULL, model TEXT NOT NULL,
                pinned INTEGER NOT NULL DEFAULT 0, idle_stop INTEGER,
                PRIMARY KEY (host, key)
            ) WITHOUT ROWID""",
        ),
    ),
    # Sentences as JSON instead of text; older rows keep their text.
    Migration(
        "2026-05 sentences",
        (
            "ALTER TABLE events ADD COLUMN sentence TEXT",
            "ALTER TABLE events ADD COLUMN reasons TEXT",
            "ALTER TABLE activations ADD COLUMN reasons TEXT",
            "ALTER TABLE activations ADD COLUMN end_reasons TEXT",
            "ALTER TABLE downloads ADD COLUMN reasons TEXT",
            """UPDATE activations SET reasons = json_array(json_object('kind', 'reason.' || reason))
            WHERE reason IN ('chat', 'restart', 'remove', 'pull', 'update')""",
        ),
    ),
)


def recorded(connection: sqlite3.Connection) -> frozenset[str]:
    """The names of the steps that the file has been through."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'migrations'").fetchone():
        return frozenset()
    return frozenset(name for (name,) in connection.execute("SELECT name FROM migrations"))


def migrate(connection: sqlite3.Connection, steps: tuple[Migration, ...] = MIGRATIONS) -> None:
    """Apply the missing steps to the file: all of them, or after an error none."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied_at INTEGER NOT NULL)"
        )
        done = recorded(connection)
        for step in steps:
            if step.name not in done:
                for statement in step.statements:
                    connection.execute(statement)
                connection.execute(
                    "INSERT INTO migrations VALUES (?, ?)", (step.name, to_sql(datetime.now(UTC)))
                )
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
