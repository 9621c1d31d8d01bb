"""The user's choices: per model (pins, how long it may be idle), and what the screen remembers."""

from __future__ import annotations

from datetime import timedelta  # noqa: TC003  # `struct_of` reads the annotations
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct

from llmstack_tui.store.database import Table
from llmstack_tui.store.database.values import document, struct_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

_T = TypeVar("_T")

_PIN = """
INSERT INTO guarded (host, key, model, pinned) VALUES (:host, :key, :model, :pinned)
ON CONFLICT DO UPDATE SET model = excluded.model, pinned = excluded.pinned"""
_IDLE = """
INSERT INTO guarded (host, key, model, idle_stop) VALUES (:host, :key, :model, :idle_stop)
ON CONFLICT DO UPDATE SET model = excluded.model, idle_stop = excluded.idle_stop"""
_TIDY = "DELETE FROM guarded WHERE host = :host AND key = :key AND NOT pinned AND idle_stop IS NULL"
_FORGET = "DELETE FROM guarded WHERE host = :host AND key = :key"
_MOVE = "UPDATE OR REPLACE guarded SET key = :new_key, model = :model WHERE host = :host AND key = :key"
_OF = "SELECT key, model, pinned, idle_stop FROM guarded WHERE host = :host"
_REMEMBER = """
INSERT INTO screen (key, value) VALUES (:key, :value) ON CONFLICT DO UPDATE SET value = excluded.value"""
_RECALL = "SELECT value FROM screen WHERE key = :key"


class ModelPreference(Struct, frozen=True):
    """The user's choices for one model.

    Attributes:
        model: its name, as it was written.
        idle_stop: how long it may be idle; zero or negative is for ever, None leaves it to the settings.
    """

    model: str
    pinned: bool = False
    idle_stop: timedelta | None = None


class ModelPreferences(Table):
    """Preferences by host and `model_key`."""

    def pin(self, host: str, key: str, model: str, *, pinned: bool = True) -> None:
        self._database.put(_PIN, {"host": host, "key": key, "model": model, "pinned": pinned})
        self._database.put(_TIDY, {"host": host, "key": key})

    def set_idle_stop(self, host: str, key: str, model: str, length: timedelta | None) -> None:
        """Set how long a model may be idle; None leaves it to the settings."""
        row = {"host": host, "key": key, "model": model, "idle_stop": length}
        self._database.put(_IDLE, row)
        self._database.put(_TIDY, {"host": host, "key": key})

    def forget(self, host: str, key: str) -> None:
        """Drop the preferences of a removed model."""
        self._database.put(_FORGET, {"host": host, "key": key})

    def renamed(self, host: str, key: str, new_key: str, model: str) -> None:
        """Keep a model's preferences under its new name."""
        self._database.put(_MOVE, {"host": host, "key": key, "new_key": new_key, "model": model})

    async def of(self, host: str) -> Mapping[str, ModelPreference]:
        """The preferences on a host, by `model_key`."""

        def make(row: sqlite3.Row) -> tuple[str, ModelPreference]:
            return row["key"], struct_of(ModelPreference, row)

        return dict(await self._database.read(_OF, {"host": host}, make))


class Screen(Table):
    """What the screen remembers (sorting, folded hosts, …): JSON values by name.

    If two dashboards write, the last one wins.
    """

    def remember(self, key: str, value: object) -> None:
        self._database.put(_REMEMBER, {"key": key, "value": document(value)})

    async def recall(self, key: str, default: _T, kind: type[_T]) -> _T:
        """The value of ``key``, or ``default`` if there is none that fits ``kind``."""

        def make(row: sqlite3.Row) -> _T:
            try:
                return msgspec.json.decode(row["value"], type=kind)
            except msgspec.MsgspecError:
                return default

        found = await self._database.read(_RECALL, {"key": key}, make)
        return found[0] if found else default
