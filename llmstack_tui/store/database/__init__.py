"""The SQLite file: opening it, its schema, the connection, how much is kept."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping
    from pathlib import Path

T = TypeVar("T")


class Statements(Protocol):
    """What tables need of a `Database`, which documents it."""

    def put(self, sql: str, row: Mapping[str, object]) -> None:
        """Write soon."""

    async def change(
        self, sql: str, row: Mapping[str, object], make: Callable[[sqlite3.Row], T]
    ) -> tuple[T, ...]:
        """Write at once; returns what ``make`` makes of each row that the statement returns."""

    async def read(
        self, sql: str, row: Mapping[str, object], make: Callable[[sqlite3.Row], T]
    ) -> tuple[T, ...]:
        """What ``make`` makes of each row found."""


def peek(path: Path, sql: str, row: Mapping[str, object]) -> tuple[sqlite3.Row, ...]:
    """Rows of the file at ``path``, which stays as it is, without opening a store; blocking.

    There are none if it cannot be read; the reason is reported when the store is opened.
    """
    import sqlite3  # noqa: PLC0415  # as in `Store.open`

    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=0)) as connection:
            connection.row_factory = sqlite3.Row
            return tuple(connection.execute(sql, row).fetchall())
    except (sqlite3.Error, ValueError):
        return ()


class Table:
    """The statements about one subject."""

    def __init__(self, database: Statements) -> None:
        self._database = database
