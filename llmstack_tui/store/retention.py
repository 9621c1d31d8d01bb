"""What is forgotten, and when: events after 90 days, and of everything that grows the oldest beyond a number.

Events are only forgotten for their age once there are younger ones: a clock that is years ahead for a moment
must not empty the history.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from llmstack_tui.store.values import bound

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

MAX_EVENT_AGE = timedelta(days=90)
MAX_EVENTS = 50_000
MAX_ACTIVATIONS = 20_000
MAX_FIGURES = 20_000
MAX_ANSWERS = 2000

# Ids are given in order and never again, so the highest one says how many rows there are at most.
EXCESS_EVENTS = "DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - :keep"
_OLD_EVENTS = (
    """DELETE FROM events WHERE at < :cutoff AND EXISTS (SELECT 1 FROM events WHERE at >= :cutoff)"""
)
_EXCESS = (
    (EXCESS_EVENTS, MAX_EVENTS),
    (
        """DELETE FROM activations
        WHERE ended_at IS NOT NULL AND id <= (SELECT max(id) FROM activations) - :keep""",
        MAX_ACTIVATIONS,
    ),
    ("DELETE FROM measured WHERE id <= (SELECT max(id) FROM measured) - :keep", MAX_FIGURES),
    ("DELETE FROM speeds WHERE id <= (SELECT max(id) FROM speeds) - :keep", MAX_FIGURES),
    (
        """DELETE FROM registry_answers WHERE name IN
        (SELECT name FROM registry_answers ORDER BY asked_at DESC LIMIT -1 OFFSET :keep)""",
        MAX_ANSWERS,
    ),
)


def prune(connection: sqlite3.Connection, now: datetime) -> None:
    """Forget what is too old or too much, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(_OLD_EVENTS, {"cutoff": bound(now - MAX_EVENT_AGE)})
        for statement, keep in _EXCESS:
            connection.execute(statement, {"keep": keep})
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
