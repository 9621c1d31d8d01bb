"""Pulls: any program may set the requested state of one; only the program that pulls writes the observed."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  # `struct_of` reads the annotations
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import asdict

from llmstack_tui.base.sentences import Sentences  # noqa: TC001  # as above
from llmstack_tui.store.database import Table
from llmstack_tui.store.database.values import struct_of, to_sentences

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection

# How many ended pulls are kept.
MAX_OVER = 200

_ADD = """
INSERT INTO downloads (host, model, key, asked, why, asked_at)
VALUES (:host, :model, :key, :asked, :why, :asked_at)
ON CONFLICT DO NOTHING RETURNING id"""
_UNDER_WAY = "SELECT id FROM downloads WHERE host = :host AND key = :key AND ended_at IS NULL"
_REQUEST = "UPDATE downloads SET wish = :requested WHERE id = :id AND ended_at IS NULL"
_UPDATE = """
UPDATE downloads SET state = :state, step = :step, layers = :layers, speed = :speed, reasons = :reasons,
                     was_active = :was_active, ended_at = :ended_at
WHERE id = :id AND ended_at IS NULL"""
_ALL = """
SELECT * FROM downloads WHERE host IN (SELECT value FROM json_each(:hosts))
ORDER BY ended_at IS NOT NULL, ended_at DESC, id"""
_PUT_BACK = """
INSERT OR IGNORE INTO downloads (id, host, model, key, asked, why, asked_at, wish, state, step, layers, speed,
                                 reasons, was_active, ended_at)
VALUES (:id, :host, :model, :key, :asked, :why, :asked_at, :requested, :state, :step, :layers, :speed,
        :reasons, :was_active, :ended_at)"""
_FORGET = "DELETE FROM downloads WHERE id = :id AND ended_at IS NOT NULL"
_FORGET_OVER = """
DELETE FROM downloads
WHERE ended_at IS NOT NULL AND host IN (SELECT value FROM json_each(:hosts)) AND id NOT IN
  (SELECT id FROM downloads WHERE ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT :keep)"""


class DownloadRecord(Struct, frozen=True, kw_only=True):
    """One pull, as it is recorded.

    Attributes:
        model: its name as a server lists it; ``asked``: as it is sent to the server.
        requested: "run", "pause", "cancel" or "discard".
        state: "waiting" or "running"; once it is over, "done", "failed" or "cancelled".
        layers: of each the digest, the bytes that are there and all its bytes.
        was_active: how the model was loaded before it was stopped for the pull; None if it was not stopped.
    """

    id: int
    host: str
    model: str
    asked: str
    why: str
    asked_at: datetime
    requested: str = "run"
    state: str = "waiting"
    step: str = ""
    layers: tuple[tuple[str, int, int | None], ...] = ()
    speed: float | None = None
    reason: Sentences = ()
    was_active: str | None = None
    ended_at: datetime | None = None


class DownloadRecords(Table):
    """Pulls. A model on a host has at most one that is not over, whichever program asked for it."""

    async def add(
        self, *, host: str, model: str, key: str, asked: str, why: str, asked_at: datetime
    ) -> tuple[int, bool]:
        """The id of the pull, and whether it is new: False if an earlier pull of the model is not over.

        Raises:
            StoreError: when it cannot be written.
        """
        row = {"host": host, "model": model, "key": key, "asked": asked, "why": why, "asked_at": asked_at}
        while True:
            for number in await self._database.change(_ADD, row, _id):
                return number, True
            for number in await self._database.read(_UNDER_WAY, {"host": host, "key": key}, _id):
                return number, False

    def request(self, number: int, requested: str) -> None:
        self._database.put(_REQUEST, {"id": number, "requested": requested})

    def update(self, row: DownloadRecord) -> None:
        """Write the observed state. A pull that is over stays as it is."""
        self._database.put(_UPDATE, {**asdict(row), "reasons": row.reason})
        if row.ended_at is not None:
            self.forget_over((row.host,), keep=MAX_OVER)

    async def all(self, hosts: Collection[str]) -> tuple[DownloadRecord, ...]:
        """The pulls that are not over, in the order of asking; then those that are, newest first."""
        return await self._database.read(_ALL, {"hosts": list(hosts)}, _row)

    def forget(self, number: int) -> None:
        """Remove a pull from the record, if it is over."""
        self._database.put(_FORGET, {"id": number})

    def put_back(self, row: DownloadRecord, key: str) -> None:
        """Record a pull again that is over and was forgotten; ``key`` is that of `add`."""
        self._database.put(_PUT_BACK, {**asdict(row), "reasons": row.reason, "key": key})

    def forget_over(self, hosts: Collection[str], *, keep: int = 0) -> None:
        """Remove all but the last ``keep`` ended pulls from the record."""
        self._database.put(_FORGET_OVER, {"hosts": list(hosts), "keep": keep})


def _id(row: sqlite3.Row) -> int:
    return int(row["id"])


def _row(row: sqlite3.Row) -> DownloadRecord:
    reason = to_sentences(row["reasons"], row["reason"])
    return struct_of(DownloadRecord, row, requested=row["wish"], reason=reason)
