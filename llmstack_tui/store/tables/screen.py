"""What the screen remembers: its sort, its folds, its theme. Of two dashboards the last to speak wins."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from llmstack_tui.store.database.values import document

if TYPE_CHECKING:
    import sqlite3

    from llmstack_tui.store.database import Statements

_T = TypeVar("_T")

_REMEMBER = """
INSERT INTO screen (key, value) VALUES (:key, :value) ON CONFLICT DO UPDATE SET value = excluded.value"""
_RECALL = "SELECT value FROM screen WHERE key = :key"


class Screen:
    """Values that JSON can say, by their names."""

    def __init__(self, database: Statements) -> None:
        self._database = database

    def remember(self, key: str, value: object) -> None:
        self._database.put(_REMEMBER, {"key": key, "value": document(value)})

    async def recall(self, key: str, default: _T, kind: type[_T]) -> _T:
        """The value remembered, or ``default`` when there is none, or none of this ``kind`` any more."""

        def make(row: sqlite3.Row) -> _T:
            try:
                return msgspec.json.decode(row["value"], type=kind)
            except msgspec.MsgspecError:
                return default

        found = await self._database.read(_RECALL, {"key": key}, make)
        return found[0] if found else default
