"""The answers of registries about models, and the updates that the user declined."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from llmstack_tui.store.database import Table

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import datetime

_T = TypeVar("_T")

_SAVE = """
INSERT INTO registry_answers (name, asked_at, answer) VALUES (:name, :asked_at, :answer)
ON CONFLICT DO UPDATE SET asked_at = excluded.asked_at, answer = excluded.answer"""
_LOAD = "SELECT name, answer FROM registry_answers"
_LEAVE = """
INSERT INTO updates_left_alone (host, name, digest) VALUES (:host, :name, :digest)
ON CONFLICT DO UPDATE SET digest = excluded.digest"""
_WANT = "DELETE FROM updates_left_alone WHERE host = :host AND name = :name"
_LEFT = "SELECT host, name, digest FROM updates_left_alone"


class Updates(Table):
    """Registries' answers by `model_key`, as structs of the caller's; and declined updates, by host."""

    def save(self, name: str, answer: object, asked_at: datetime) -> None:
        document = msgspec.json.encode(answer).decode()
        self._database.put(_SAVE, {"name": name, "asked_at": asked_at, "answer": document})

    async def load(self, kind: type[_T]) -> Mapping[str, _T]:
        """All answers that ``kind`` can still hold."""

        def make(row: sqlite3.Row) -> tuple[str, _T | None]:
            try:
                return row["name"], msgspec.json.decode(row["answer"], type=kind)
            except msgspec.MsgspecError:
                return row["name"], None

        found = await self._database.read(_LOAD, {}, make)
        return {name: answer for name, answer in found if answer is not None}

    def leave_alone(self, host: str, name: str, digest: str) -> None:
        """Do not offer the version ``digest`` for this model; "" for no version at all."""
        self._database.put(_LEAVE, {"host": host, "name": name, "digest": digest})

    def offer_again(self, host: str, name: str) -> None:
        """Offer updates of this model again."""
        self._database.put(_WANT, {"host": host, "name": name})

    async def left_alone(self) -> Mapping[tuple[str, str], str]:
        """The declined digest, or "" for all versions, by host and name."""

        def make(row: sqlite3.Row) -> tuple[tuple[str, str], str]:
            return (row["host"], row["name"]), row["digest"]

        return dict(await self._database.read(_LEFT, {}, make))
