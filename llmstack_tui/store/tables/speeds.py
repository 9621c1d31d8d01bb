"""How fast models were seen to answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import asdict

from llmstack_tui.store.database.retention import EXCESS_SPEEDS, MAX_FIGURES, Excess
from llmstack_tui.store.database.values import to_optional_length, to_time

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime, timedelta

    from llmstack_tui.store.database.connection import Database

_ADD = """
INSERT INTO speeds (at, host, model, digest, tokens_per_second, first_token)
VALUES (:at, :host, :model, :digest, :tokens_per_second, :first_token)"""
_LAST = """
SELECT * FROM speeds WHERE id IN (SELECT max(id) FROM speeds WHERE host = :host GROUP BY model)
ORDER BY model"""
_HISTORY = "SELECT * FROM speeds WHERE host = :host AND model = :model ORDER BY id DESC LIMIT :limit"


class Speed(Struct, frozen=True, kw_only=True):
    """One answer: tokens it decoded each second, and how long its first token took. None was not timed."""

    at: datetime
    host: str
    model: str
    digest: str = ""
    tokens_per_second: float | None = None
    first_token: timedelta | None = None
    id: int = 0


class Speeds:
    """The answers that were timed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.excess = Excess(database, EXCESS_SPEEDS, MAX_FIGURES)

    def add(self, speed: Speed) -> None:
        self._database.put(_ADD, asdict(speed))
        self.excess.added()

    async def last(self, host: str) -> dict[str, Speed]:
        """The last one of each model of a host, by its name."""
        return {each.model: each for each in await self._database.read(_LAST, {"host": host}, _speed)}

    async def history(self, host: str, model: str, limit: int = 100) -> tuple[Speed, ...]:
        """The newest first."""
        return await self._database.read(_HISTORY, {"host": host, "model": model, "limit": limit}, _speed)


def _speed(row: sqlite3.Row) -> Speed:
    return Speed(
        at=to_time(row["at"]),
        host=row["host"],
        model=row["model"],
        digest=row["digest"],
        tokens_per_second=row["tokens_per_second"],
        first_token=to_optional_length(row["first_token"]),
        id=row["id"],
    )
