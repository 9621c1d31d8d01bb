"""The list that each host gave last, so that there is something to show before it answers."""

from __future__ import annotations

from types import GenericAlias
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec
from msgspec import Struct

from llmstack_tui.store.database.values import to_time
from llmstack_tui.store.tables.models import SEEN_AGAIN_AFTER

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from datetime import datetime

    from llmstack_tui.store.database.connection import Database

_T = TypeVar("_T")

_SAVE = """
INSERT INTO installed (host, read_at, models) VALUES (:host, :read_at, :models)
ON CONFLICT DO UPDATE SET read_at = excluded.read_at, models = excluded.models"""
_LOAD = "SELECT read_at, models FROM installed WHERE host = :host"


class InstalledList(Struct, Generic[_T], frozen=True):
    """What a host listed at ``read_at``. The time may be ten minutes early while the list stayed the same."""

    host: str
    read_at: datetime
    models: tuple[_T, ...]


class InstalledLists:
    """One list per host, of whatever dataclass the caller has for a model."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._saved: dict[str, tuple[bytes, datetime]] = {}

    def save(self, host: str, models: Sequence[object], read_at: datetime) -> None:
        """To be called at every look; a list that did not change is not written again at once."""
        document = msgspec.json.encode(models)
        saved = self._saved.get(host)
        if saved and saved[0] == document and abs(read_at - saved[1]) < SEEN_AGAIN_AFTER:
            return
        self._saved[host] = (document, read_at)
        self._database.put(_SAVE, {"host": host, "read_at": read_at, "models": document.decode()})

    async def load(self, host: str, model_type: type[_T]) -> InstalledList[_T] | None:
        """The list of ``host``; None when there is none, or none that ``model_type`` can hold any more."""

        def make(row: sqlite3.Row) -> InstalledList[_T] | None:
            try:
                models = msgspec.json.decode(row["models"], type=GenericAlias(tuple, (model_type, ...)))
            except msgspec.MsgspecError:
                return None
            return InstalledList(host, to_time(row["read_at"]), models)

        found = await self._database.read(_LOAD, {"host": host}, make)
        return found[0] if found else None
