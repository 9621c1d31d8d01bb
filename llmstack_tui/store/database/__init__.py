"""The SQLite file: opening it, its shape, one connection, what is forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

T = TypeVar("T")


class Statements(Protocol):
    """What the tables need of the file; `Database` says how it is done."""

    def put(self, sql: str, row: Mapping[str, object]) -> None:
        """Write soon."""

    async def change(
        self, sql: str, row: Mapping[str, object], make: Callable[[sqlite3.Row], T]
    ) -> tuple[T, ...]:
        """Write at once, and return what the statement returns."""

    async def read(
        self, sql: str, row: Mapping[str, object], make: Callable[[sqlite3.Row], T]
    ) -> tuple[T, ...]:
        """What was found."""


class Table:
    """The statements about one subject."""

    def __init__(self, database: Statements) -> None:
        self._database = database
