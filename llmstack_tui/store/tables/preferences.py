"""What the user wants of single models on a host: pins, and how long they may be idle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.store.database.values import bound, to_optional_length

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import timedelta

    from llmstack_tui.store.database import Statements

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


class ModelPreference(Struct, frozen=True):
    """What the user wants of one model.

    Attributes:
        model: its name, as it was written.
        idle_stop: how long it may be idle, not above zero for ever; None is as the settings say.
    """

    model: str
    pinned: bool = False
    idle_stop: timedelta | None = None


class ModelPreferences:
    """Preferences by host and by a key that is the same for all ways to write a model's name."""

    def __init__(self, database: Statements) -> None:
        self._database = database

    def pin(self, host: str, key: str, model: str, *, pinned: bool = True) -> None:
        self._database.put(_PIN, {"host": host, "key": key, "model": model, "pinned": int(pinned)})
        self._database.put(_TIDY, {"host": host, "key": key})

    def may_idle(self, host: str, key: str, model: str, length: timedelta | None) -> None:
        """How long it may be idle; None leaves it to the settings."""
        row = {"host": host, "key": key, "model": model, "idle_stop": bound(length)}
        self._database.put(_IDLE, row)
        self._database.put(_TIDY, {"host": host, "key": key})

    def forget(self, host: str, key: str) -> None:
        """The model was removed."""
        self._database.put(_FORGET, {"host": host, "key": key})

    def renamed(self, host: str, key: str, new_key: str, model: str) -> None:
        """The preferences of a model keep to it under its new name."""
        self._database.put(_MOVE, {"host": host, "key": key, "new_key": new_key, "model": model})

    async def of(self, host: str) -> Mapping[str, ModelPreference]:
        """Those of a host, by the keys of its models."""

        def make(row: sqlite3.Row) -> tuple[str, ModelPreference]:
            preference = ModelPreference(
                row["model"], bool(row["pinned"]), to_optional_length(row["idle_stop"])
            )
            return row["key"], preference

        return dict(await self._database.read(_OF, {"host": host}, make))
