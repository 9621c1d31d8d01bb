"""Every version of every model that was seen installed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.store.database.values import to_time

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from llmstack_tui.store.database.connection import Database

# A list is looked at every 30 s; to write each time that it is still the same would only wear the disk.
SEEN_AGAIN_AFTER = timedelta(minutes=10)
_ROOM = 1_000

_SEEN = """
INSERT INTO models (host, name, digest, size, first_seen_at, last_seen_at)
VALUES (:host, :name, :digest, :size, :at, :at)
ON CONFLICT DO UPDATE SET
  size = coalesce(excluded.size, size),
  last_seen_at = max(last_seen_at, excluded.last_seen_at)"""
_VERSIONS = "SELECT * FROM models WHERE host = :host AND name = :name ORDER BY last_seen_at DESC, digest"
_OF_HOST = "SELECT * FROM models WHERE host = :host ORDER BY name, last_seen_at DESC, digest"


class SeenModel(Struct, frozen=True, kw_only=True):
    """One version of a model on a host. ``last_seen_at`` may be ten minutes early.

    Attributes:
        digest: of the manifest.
        size: bytes on disk, as the server last said.
    """

    host: str
    name: str
    digest: str
    size: int | None
    first_seen_at: datetime
    last_seen_at: datetime


class Models:
    """Models seen, by host, name and digest."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.recent: dict[tuple[str, str, str], tuple[int | None, datetime]] = {}
        self._room = _ROOM

    def seen(self, *, host: str, name: str, digest: str, size: int | None, at: datetime) -> None:
        """To be called at every look; what is known already is not written again at once."""
        key = (host, name, digest)
        known = self.recent.get(key)
        if known and known[0] == size and _is_fresh(known[1], at):
            return
        if len(self.recent) >= self._room:
            # The others would be written again anyway.
            self.recent = {key: told for key, told in self.recent.items() if _is_fresh(told[1], at)}
            self._room = max(_ROOM, 2 * len(self.recent))
        self.recent[key] = (size, at)
        self._database.put(_SEEN, {"host": host, "name": name, "digest": digest, "size": size, "at": at})

    async def versions(self, host: str, name: str) -> tuple[SeenModel, ...]:
        """The versions of one model, the newest seen first."""
        return await self._database.read(_VERSIONS, {"host": host, "name": name}, _model)

    async def of_host(self, host: str) -> tuple[SeenModel, ...]:
        return await self._database.read(_OF_HOST, {"host": host}, _model)


def _is_fresh(told: datetime, now: datetime) -> bool:
    return abs(now - told) < SEEN_AGAIN_AFTER


def _model(row: sqlite3.Row) -> SeenModel:
    return SeenModel(
        host=row["host"],
        name=row["name"],
        digest=row["digest"],
        size=row["size"],
        first_seen_at=to_time(row["first_seen_at"]),
        last_seen_at=to_time(row["last_seen_at"]),
    )
