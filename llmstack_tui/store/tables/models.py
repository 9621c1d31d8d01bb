"""Installed models: the last list of each host, and every version of a model that was ever listed."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from types import GenericAlias
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec
from msgspec import Struct

from llmstack_tui.store.database import Table, peek
from llmstack_tui.store.database.values import struct_of, to_time

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

    from llmstack_tui.store.database import Statements

_T = TypeVar("_T")

# Lists are read every 30 s; writing each time that one has not changed would only wear the disk.
SEEN_AGAIN_AFTER = timedelta(minutes=10)
_ROOM = 1_000

_SEEN = """
INSERT INTO models (host, name, digest, size, first_seen_at, last_seen_at)
VALUES (:host, :name, :digest, :size, :at, :at)
ON CONFLICT DO UPDATE SET
  size = coalesce(excluded.size, size),
  last_seen_at = max(last_seen_at, excluded.last_seen_at)"""
_VERSIONS = """
SELECT * FROM models WHERE host = :host AND (:name IS NULL OR name = :name)
ORDER BY name, last_seen_at DESC, digest"""
_SAVE_LIST = """
INSERT INTO installed (host, read_at, models) VALUES (:host, :read_at, :models)
ON CONFLICT DO UPDATE SET read_at = excluded.read_at, models = excluded.models"""
_LOAD_LIST = "SELECT read_at, models FROM installed WHERE host = :host"


class InstalledList(Struct, Generic[_T], frozen=True):
    """A host's list at ``read_at``, which may be ten minutes too early if the list did not change."""

    host: str
    read_at: datetime
    models: tuple[_T, ...]


class InstalledLists(Table):
    """One list per host; the struct of its models is the caller's."""

    def __init__(self, database: Statements) -> None:
        super().__init__(database)
        self._saved: dict[str, tuple[bytes, datetime]] = {}

    def save(self, host: str, models: Sequence[object], read_at: datetime) -> None:
        """Call this with every list that is read; one that did not change is written only rarely."""
        document = msgspec.json.encode(models)
        saved = self._saved.get(host)
        if saved and saved[0] == document and abs(read_at - saved[1]) < SEEN_AGAIN_AFTER:
            return
        self._saved[host] = (document, read_at)
        self._database.put(_SAVE_LIST, {"host": host, "read_at": read_at, "models": document.decode()})

    async def load(self, host: str, model_type: type[_T]) -> InstalledList[_T] | None:
        """The list of ``host``; None if there is none that ``model_type`` can hold."""

        def make(row: sqlite3.Row) -> InstalledList[_T] | None:
            return _installed(host, row["read_at"], row["models"], model_type)

        found = await self._database.read(_LOAD_LIST, {"host": host}, make)
        return found[0] if found else None


def last_list(path: Path, host: str, model_type: type[_T]) -> InstalledList[_T] | None:
    """The list of ``host``, read from the file at ``path`` without opening a store; blocking.

    The file is not changed. None if it cannot be read; the reason is reported when the store is opened.
    """
    found = peek(path, _LOAD_LIST, {"host": host})
    return _installed(host, found[0]["read_at"], found[0]["models"], model_type) if found else None


def _installed(host: str, read_at: int, models: str, model_type: type[_T]) -> InstalledList[_T] | None:
    try:
        decoded = msgspec.json.decode(models, type=GenericAlias(tuple, (model_type, ...)))
    except msgspec.MsgspecError:
        return None
    return InstalledList(host, to_time(read_at), decoded)


class SeenModel(Struct, frozen=True, kw_only=True):
    """One version of a model on a host. ``last_seen_at`` may be ten minutes too early.

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


class Models(Table):
    """All versions of models ever listed, by host, name and digest."""

    def __init__(self, database: Statements) -> None:
        super().__init__(database)
        self.recent: dict[tuple[str, str, str], tuple[int | None, datetime]] = {}
        self._room = _ROOM

    def seen(self, *, host: str, name: str, digest: str, size: int | None, at: datetime) -> None:
        """Call this for each model of a list that is read; one that did not change is written only rarely."""
        key = (host, name, digest)
        known = self.recent.get(key)
        if known and known[0] == size and _is_fresh(known[1], at):
            return
        if len(self.recent) >= self._room:
            # The entries that are not fresh would be written again anyway.
            self.recent = {key: written for key, written in self.recent.items() if _is_fresh(written[1], at)}
            self._room = max(_ROOM, 2 * len(self.recent))
        self.recent[key] = (size, at)
        self._database.put(_SEEN, {"host": host, "name": name, "digest": digest, "size": size, "at": at})

    async def versions(self, host: str, name: str | None = None) -> tuple[SeenModel, ...]:
        """The versions of one model, or of all models, the last seen first."""
        wanted = {"host": host, "name": name}
        return await self._database.read(_VERSIONS, wanted, partial(struct_of, SeenModel))


def _is_fresh(written: datetime, now: datetime) -> bool:
    return abs(now - written) < SEEN_AGAIN_AFTER
