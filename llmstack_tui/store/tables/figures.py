"""What was measured: the memory that each load took, and how fast each answer came."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import asdict

from llmstack_tui.store.database.retention import EXCESS_MEASURED, EXCESS_SPEEDS, MAX_FIGURES, Excess
from llmstack_tui.store.database.values import to_optional_length, to_time

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from llmstack_tui.store.database import Statements

_ADD_LOAD = """
INSERT INTO measured (at, host, model, digest, context_length, cache_type, parallel,
                      server_bytes, server_gpu_bytes, device_bytes)
VALUES (:at, :host, :model, :digest, :context_length, :cache_type, :parallel,
        :server_bytes, :server_gpu_bytes, :device_bytes)"""
# IS: unknown equals unknown.
_LAST_LOAD = """
SELECT * FROM measured
WHERE digest = :digest AND host = :host AND context_length IS :context_length
  AND cache_type IS :cache_type AND parallel IS :parallel
ORDER BY id DESC LIMIT 1"""
_LOADS = "SELECT * FROM measured WHERE digest = :digest AND host = :host ORDER BY id DESC LIMIT :limit"

_LOADS_OF_HOST = "SELECT * FROM measured WHERE host = :host ORDER BY id DESC LIMIT :limit"
_ADD_SPEED = """
INSERT INTO speeds (at, host, model, digest, tokens_per_second, first_token)
VALUES (:at, :host, :model, :digest, :tokens_per_second, :first_token)"""
_LAST_SPEEDS = """
SELECT * FROM speeds WHERE id IN (SELECT max(id) FROM speeds WHERE host = :host GROUP BY model)
ORDER BY model"""
_SPEEDS = "SELECT * FROM speeds WHERE host = :host AND model = :model ORDER BY id DESC LIMIT :limit"


class Measured(Struct, frozen=True, kw_only=True):
    """What one load took, in bytes. None is "nobody said", never zero.

    Attributes:
        context_length: tokens of context of each slot; ``parallel``: slots.
        cache_type: of the KV cache: "f16", "q8_0", …
        server_bytes: all memory, as the server reckons; ``server_gpu_bytes``: its part on GPUs.
        device_bytes: by the name of each device, as the device (or the system, for the process) says.
    """

    at: datetime
    host: str
    model: str
    digest: str
    context_length: int | None = None
    cache_type: str | None = None
    parallel: int | None = None
    server_bytes: int | None = None
    server_gpu_bytes: int | None = None
    device_bytes: Mapping[str, int] = field(default_factory=dict)
    id: int = 0


class MeasuredLoads:
    """Every load that was measured."""

    def __init__(self, database: Statements) -> None:
        self._database = database
        self.excess = Excess(database.put, EXCESS_MEASURED, MAX_FIGURES)

    def add(self, measured: Measured) -> None:
        self._database.put(_ADD_LOAD, asdict(measured))
        self.excess.added()

    async def last(
        self,
        host: str,
        digest: str,
        *,
        context_length: int | None = None,
        cache_type: str | None = None,
        parallel: int | None = None,
    ) -> Measured | None:
        """The last load of this version with exactly these settings; None is "unknown", not "any"."""
        settings = {"context_length": context_length, "cache_type": cache_type, "parallel": parallel}
        found = await self._database.read(_LAST_LOAD, {"host": host, "digest": digest, **settings}, _measured)
        return found[0] if found else None

    async def history(self, host: str, digest: str, limit: int = 100) -> tuple[Measured, ...]:
        """The loads of this version with any settings, the newest first."""
        return await self._database.read(_LOADS, {"host": host, "digest": digest, "limit": limit}, _measured)

    async def of_host(self, host: str, limit: int = 1000) -> tuple[Measured, ...]:
        """The loads of all models of a host, the newest first."""
        return await self._database.read(_LOADS_OF_HOST, {"host": host, "limit": limit}, _measured)


def _measured(row: sqlite3.Row) -> Measured:
    return Measured(
        at=to_time(row["at"]),
        host=row["host"],
        model=row["model"],
        digest=row["digest"],
        context_length=row["context_length"],
        cache_type=row["cache_type"],
        parallel=row["parallel"],
        server_bytes=row["server_bytes"],
        server_gpu_bytes=row["server_gpu_bytes"],
        device_bytes={str(name): int(size) for name, size in json.loads(row["device_bytes"]).items()},
        id=row["id"],
    )


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

    def __init__(self, database: Statements) -> None:
        self._database = database
        self.excess = Excess(database.put, EXCESS_SPEEDS, MAX_FIGURES)

    def add(self, speed: Speed) -> None:
        self._database.put(_ADD_SPEED, asdict(speed))
        self.excess.added()

    async def last(self, host: str) -> dict[str, Speed]:
        """The last one of each model of a host, by its name."""
        return {each.model: each for each in await self._database.read(_LAST_SPEEDS, {"host": host}, _speed)}

    async def history(self, host: str, model: str, limit: int = 100) -> tuple[Speed, ...]:
        """The newest first."""
        return await self._database.read(_SPEEDS, {"host": host, "model": model, "limit": limit}, _speed)


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
