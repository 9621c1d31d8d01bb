"""Measurements: the memory that each load took, and the speed of each answer."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # `struct_of` reads the annotations
from datetime import datetime, timedelta  # noqa: TC003  # as above
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import asdict

from llmstack_tui.store.database import peek
from llmstack_tui.store.database.retention import MEASURED, SPEEDS, GrowingTable
from llmstack_tui.store.database.values import struct_of

if TYPE_CHECKING:
    from pathlib import Path

_ADD_LOAD = """
INSERT INTO measured (at, host, model, digest, context_length, cache_type, parallel,
                      server_bytes, server_gpu_bytes, device_bytes)
VALUES (:at, :host, :model, :digest, :context_length, :cache_type, :parallel,
        :server_bytes, :server_gpu_bytes, :device_bytes)"""
_LOADS = "SELECT * FROM measured WHERE digest = :digest AND host = :host ORDER BY id DESC LIMIT :limit"
_LOADS_OF_HOST = "SELECT * FROM measured WHERE host = :host ORDER BY id DESC LIMIT :limit"
_ADD_SPEED = """
INSERT INTO speeds (at, host, model, digest, tokens_per_second, first_token)
SELECT :at, :host, :model, :digest, :tokens_per_second, :first_token
WHERE NOT EXISTS (SELECT 1 FROM speeds WHERE host = :host AND model = :model AND at = :at)"""
_LAST_SPEEDS = """
SELECT * FROM speeds WHERE id IN (SELECT max(id) FROM speeds WHERE host = :host GROUP BY model)
ORDER BY model"""


class Measured(Struct, frozen=True, kw_only=True):
    """The memory that one load took, in bytes. None is "not known", never zero.

    Attributes:
        context_length: tokens of context of each slot; ``parallel``: slots.
        cache_type: of the KV cache: "f16", "q8_0", …
        server_bytes: all memory, as the server reports it; ``server_gpu_bytes``: its part on GPUs.
        device_bytes: by the name of each device, as the device (or the system, for the process) reports it.
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


class MeasuredLoads(GrowingTable):
    """Every load that was measured."""

    excess = MEASURED

    def add(self, measured: Measured) -> None:
        self._add(_ADD_LOAD, asdict(measured))

    async def history(self, host: str, digest: str, limit: int = 100) -> tuple[Measured, ...]:
        """The loads of this version with any settings, the newest first."""
        wanted = {"host": host, "digest": digest, "limit": limit}
        return await self._database.read(_LOADS, wanted, partial(struct_of, Measured))

    async def of_host(self, host: str, limit: int = 1000) -> tuple[Measured, ...]:
        """The loads of all models of a host, the newest first."""
        wanted = {"host": host, "limit": limit}
        return await self._database.read(_LOADS_OF_HOST, wanted, partial(struct_of, Measured))


def last_loads(path: Path, host: str, limit: int) -> tuple[Measured, ...]:
    """The last loads of a host, the newest first, from a file that stays as it is; blocking."""
    try:
        found = peek(path, _LOADS_OF_HOST, {"host": host, "limit": limit})
        return tuple(struct_of(Measured, row) for row in found)
    except ValueError:
        return ()


class Speed(Struct, frozen=True, kw_only=True):
    """The speed of one answer: tokens decoded per second, and the time to its first token, if measured."""

    at: datetime
    host: str
    model: str
    digest: str = ""
    tokens_per_second: float | None = None
    first_token: timedelta | None = None
    id: int = 0


class Speeds(GrowingTable):
    """The answers that were timed."""

    excess = SPEEDS

    def add(self, *speeds: Speed) -> None:
        """Keep the speeds of answers, but those that another llmstack has kept."""
        for speed in speeds:
            self._add(_ADD_SPEED, asdict(speed))

    async def last(self, host: str) -> dict[str, Speed]:
        """The last answer's speed of each model of a host, by the model's name."""
        found = await self._database.read(_LAST_SPEEDS, {"host": host}, partial(struct_of, Speed))
        return {each.model: each for each in found}
