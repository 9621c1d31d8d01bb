"""The SQLite file: opening it, its schema, the connection, how much is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

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


class Table:
    """The statements about one subject."""

    def __init__(self, database: Statements) -> None:
        self._database = database
