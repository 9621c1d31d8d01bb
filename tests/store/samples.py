"""Rows to write, and looks past the store into its file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.sentences import quoted
from llmstack_tui.store.tables.activations import Activation
from llmstack_tui.store.tables.events import Event

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.store.store import Store

NOW = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
HOST = "http://127.0.0.1:11434"
OTHER_HOST = "http://192.168.0.7:11434"

NASTY_TEXTS = (
    "[bold]not markup[/bold]",
    "'; DROP TABLE events; --",
    'quotes " and :names and ? and %s {braces}',
    "nul \x00 and escape \x1b[31m and line\nend",
    "مرحبا بالعالم 🦙 ẞ",
    "ن" * 300,
    "",
)


def later(seconds: float = 1) -> datetime:
    return NOW + timedelta(seconds=seconds)


def event(number: int = 0, **changes: object) -> Event:
    values: dict[str, object] = {
        "at": later(number),
        "kind": "note",
        "sentence": quoted(f"event {number}"),
        "details": {"number": number},
        **changes,
    }
    return Event(**values)  # type: ignore[arg-type]


def activation(model: str = "tiny:latest", **changes: object) -> Activation:
    values: dict[str, object] = {
        "host": HOST,
        "model": model,
        "asked_by": Actor.USER,
        "started_at": NOW,
        **changes,
    }
    return Activation(**values)  # type: ignore[arg-type]


def numbers(events: tuple[Event, ...]) -> list[object]:
    return [each.details.get("number") for each in events]


def in_file(path: Path, sql: str) -> list[tuple[object, ...]]:
    """What another program finds in the file."""
    with closing(sqlite3.connect(path, timeout=10)) as connection:
        return connection.execute(sql).fetchall()


def change_file(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, timeout=10)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def transactions(trace: list[str]) -> int:
    return trace.count("COMMIT")


async def pragma(store: Store, statement: str) -> int:
    """Run a PRAGMA on the store's own connection."""
    rows = await store.database.connection.execute_fetchall(f"PRAGMA {statement}")
    return next((int(row[0]) for row in rows), 0)
