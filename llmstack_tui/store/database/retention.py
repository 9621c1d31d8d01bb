"""How much is kept: events for 90 days, and a limited number of rows of each table that grows.

Old events are only forgotten if there are newer ones, so that a clock that is years ahead for a moment does
not empty the history.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from llmstack_tui.store.database import Table
from llmstack_tui.store.database.values import to_sql

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import datetime

    from llmstack_tui.store.database import Statements

MAX_EVENT_AGE = timedelta(days=90)
_PRUNE_EVERY = 5_000

_OLD_EVENTS = "DELETE FROM events WHERE at < :cutoff AND EXISTS (SELECT 1 FROM events WHERE at >= :cutoff)"
# For each table the statement that forgets the oldest rows, and how many are kept. Ids rise and are never
# reused, so the highest id is the largest possible number of rows.
EVENTS = ("DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - :keep", 50_000)
ACTIVATIONS = (
    """DELETE FROM activations
    WHERE ended_at IS NOT NULL AND id <= (SELECT max(id) FROM activations) - :keep""",
    20_000,
)
MEASURED = ("DELETE FROM measured WHERE id <= (SELECT max(id) FROM measured) - :keep", 20_000)
SPEEDS = ("DELETE FROM speeds WHERE id <= (SELECT max(id) FROM speeds) - :keep", 20_000)
VERSIONS = (
    """DELETE FROM models WHERE last_seen_at <
    (SELECT last_seen_at FROM models ORDER BY last_seen_at DESC LIMIT 1 OFFSET :keep - 1)""",
    20_000,
)
_ANSWERS = (
    """DELETE FROM registry_answers WHERE name IN
    (SELECT name FROM registry_answers ORDER BY asked_at DESC LIMIT -1 OFFSET :keep)""",
    2000,
)
_EXCESS = (EVENTS, ACTIVATIONS, MEASURED, SPEEDS, VERSIONS, _ANSWERS)


class GrowingTable(Table):
    """Also forgets old rows while the program runs, so that a flood of events cannot fill the disk.

    Attributes:
        excess: the statement that forgets the oldest rows, and how many are kept.
    """

    excess: tuple[str, int]

    def __init__(self, database: Statements) -> None:
        super().__init__(database)
        self._added = 0

    def _add(self, sql: str, row: Mapping[str, object]) -> None:
        """Write a new row soon."""
        self._database.put(sql, row)
        self._added += 1
        if self._added % _PRUNE_EVERY == 0:
            statement, keep = self.excess
            self._database.put(statement, {"keep": keep})


def prune(connection: sqlite3.Connection, now: datetime) -> None:
    """Forget old and excess rows, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(_OLD_EVENTS, {"cutoff": to_sql(now - MAX_EVENT_AGE)})
        for statement, keep in _EXCESS:
            connection.execute(statement, {"keep": keep})
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
