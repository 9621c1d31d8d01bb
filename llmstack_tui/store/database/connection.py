"""The connection to the state file, with a queue of writes."""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
from contextlib import suppress
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Self, TypeVar

import aiosqlite

from llmstack_tui.base.sentences import said
from llmstack_tui.store.database.opening import (
    STATE,
    Mode,
    Opened,
    is_busy,
    is_statement_error,
    open_state,
    store_error,
)
from llmstack_tui.store.database.values import to_sql
from llmstack_tui.store.errors import StoreError, StoreReadOnly

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from llmstack_tui.base.sentences import Failure
    from llmstack_tui.store.database.migrations import Schema
    from llmstack_tui.store.database.values import SqlValue

FLUSH_AFTER_S = 0.5
FLUSH_ROWS = 200
RETRY_AFTER_S = 5.0
# Each with SQLite's own wait of BUSY_WAIT_MS: about five seconds in all.
BUSY_TRIES = 20
MAX_WAITING = 10_000

_LOG = logging.getLogger(__name__)
_Write = tuple[str, "Mapping[str, SqlValue]"]
_T = TypeVar("_T")


class Database:
    """Reads at once; writes after half a second or 200 rows, in one transaction, in the order of the calls.

    A read sees all writes before it. Rows that cannot be written stay in the queue and are tried again, as
    the disk may get room; beyond `MAX_WAITING` rows, further ones are lost, and counted. For one event loop.

    Attributes:
        connection: SQLite's. Statements that are given to it directly bypass the queue.
        unkept: why nothing that is written will be in the file; None if it will, or no file was named.
        unread: why nothing that is in the file can be read; None if it can, or there is none.
    """

    def __init__(
        self,
        connection: aiosqlite.Connection,
        opened: Opened,
        file: str,
        on_trouble: Callable[[StoreError], None],
    ) -> None:
        self.mode = opened.mode
        self.notice = opened.notice
        self.unkept = opened.unkept
        self.unread = opened.unread
        self.connection = connection
        self._file = file
        self._on_trouble = on_trouble
        self._waiting: list[_Write] = []
        self._done = 0  # rows that have left the queue since the start
        self._lost = 0
        self._trouble: StoreError | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._writer: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    @classmethod
    async def open(
        cls,
        path: Path | Failure | None,
        now: datetime,
        on_trouble: Callable[[StoreError], None],
        schema: Schema = STATE,
    ) -> Self:
        """Open the file, or memory instead of it; see `open_state`."""
        opened: list[Opened] = []

        def connect() -> sqlite3.Connection:
            opened.append(open_state(path, now, schema))
            return opened[0].connection

        connection = aiosqlite.Connection(connect, iter_chunk_size=64)
        connecting = asyncio.ensure_future(_connected(connection))
        try:
            await asyncio.shield(connecting)
        except asyncio.CancelledError:
            # An open connection's thread would keep the process from ending.
            await asyncio.wait([connecting])
            await connection.close()
            raise
        return cls(connection, opened[0], str(path or "The store"), on_trouble)

    def put(self, sql: str, row: Mapping[str, object]) -> None:
        """Write soon. ``row`` has a value for each ``:name`` in ``sql``.

        The row is dropped if a newer version wrote the file, and, with a warning in the log, after `close`.

        Raises:
            TypeError: when a value cannot be stored.
        """
        values = {name: to_sql(value) for name, value in row.items()}
        if self._closing is not None:
            _LOG.warning("Not recorded, the store is closed: %s", sql)
        elif self.mode is Mode.READ_ONLY:
            return
        elif self._trouble is not None and len(self._waiting) >= MAX_WAITING:
            self._lost += 1
        else:
            self._waiting.append((sql, values))
            if len(self._waiting) >= FLUSH_ROWS and self._trouble is None:
                self._write_now()
            else:
                self._write_soon()

    async def read(
        self, sql: str, row: Mapping[str, object], make: Callable[[sqlite3.Row], _T]
    ) -> tuple[_T, ...]:
        """What ``make`` makes of each row found.

        Raises:
            StoreError: when the file cannot be read, or a row cannot be understood.
        """
        if self._trouble is None:
            with suppress(StoreError):  # It was reported, and the file can still be read.
                await self.flush()
        if self._closing is not None:
            raise StoreError("store.closed", file=self._file)
        values = {name: to_sql(value) for name, value in row.items()}
        try:
            async with self._lock:
                found = await self.connection.execute_fetchall(sql, values)
            return tuple(map(make, found))
        except sqlite3.Error as error:
            raise store_error(error, self._file) from error
        except (ValueError, TypeError, LookupError, OverflowError) as error:
            raise StoreError("store.bad_entry", file=self._file, why=str(error)) from error

    async def change(
        self, sql: str, row: Mapping[str, object], make: Callable[[sqlite3.Row], _T]
    ) -> tuple[_T, ...]:
        """Write at once; returns what ``make`` makes of each row that the statement returns.

        Raises:
            StoreError: when it cannot be written; it is not tried again later.
        """
        if self.mode is Mode.READ_ONLY:
            raise StoreReadOnly("store.read_only", file=self._file)
        await self.flush()
        if self._closing is not None:
            raise StoreError("store.closed", file=self._file)
        values = {name: to_sql(value) for name, value in row.items()}
        try:
            return tuple(map(make, await self._commit(lambda: self.connection.execute_fetchall(sql, values))))
        except sqlite3.Error as error:
            raise store_error(error, self._file) from error

    async def flush(self) -> None:
        """Return when all earlier writes are in the file.

        Raises:
            StoreError: when they cannot be written now. They stay in the queue, and are tried again later.
        """
        wanted = self._done + len(self._waiting)
        while self._done < wanted:
            await asyncio.shield(self._write_now())

    async def close(self) -> None:
        """Try once to write the queue, and end the connection's thread, even when cancelled."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(), name="store: close")
        try:
            await asyncio.shield(self._closing)
        except asyncio.CancelledError:
            await asyncio.wait([self._closing])
            raise

    async def _close(self) -> None:
        try:
            await self.flush()
        except StoreError as error:
            count = len(self._waiting) + self._lost
            self._on_trouble(StoreError("store.not_recorded", count=count, why=said(error)))
            self._waiting.clear()
        finally:
            if self._timer is not None:
                self._timer.cancel()
            await self.connection.close()

    def _write_soon(self) -> None:
        if self._timer is None and self._writer is None:
            delay = FLUSH_AFTER_S if self._trouble is None else RETRY_AFTER_S
            self._timer = asyncio.get_running_loop().call_later(delay, self._write_now)

    def _write_now(self) -> asyncio.Task[None]:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        # A writer that is done no longer sees new rows, even if its callback has not run yet.
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_waiting(), name="store: write")
            self._writer.add_done_callback(self._written)
        return self._writer

    def _written(self, writer: asyncio.Task[None]) -> None:
        if self._writer is writer:
            self._writer = None
        if writer.cancelled():
            return
        error = writer.exception()
        if error is None and self._lost:
            self._on_trouble(StoreError("store.writable_again", count=self._lost, file=self._file))
            self._lost = 0
        elif isinstance(error, StoreError) and self._trouble is None and self._closing is None:
            self._on_trouble(error)
        self._trouble = error if isinstance(error, StoreError) else None
        if self._waiting and self._closing is None:
            self._write_soon()

    async def _write_waiting(self) -> None:
        """Write the rows that are in the queue now, and leave later ones for the next time."""
        wanted = self._done + len(self._waiting)
        size = len(self._waiting)
        while self._done < wanted:
            batch = self._waiting[: min(size, wanted - self._done)]
            try:
                await self._transact(batch)
            except Exception as error:
                if isinstance(error, sqlite3.Error) and not is_statement_error(error):
                    raise store_error(error, self._file) from error
                if len(batch) > 1:  # One of them cannot be written: find it by halving, and write the others.
                    size = len(batch) // 2
                    continue
                _LOG.exception("Not recorded: %s", batch[0][0])
                size = len(self._waiting)
            del self._waiting[: len(batch)]
            self._done += len(batch)

    async def _transact(self, batch: Sequence[_Write]) -> None:
        """Write all of ``batch`` or nothing."""

        async def write() -> None:
            for sql, rows in groupby(batch, key=itemgetter(0)):
                await self.connection.executemany(sql, [values for _, values in rows])

        await self._commit(write)

    async def _commit(self, work: Callable[[], Awaitable[_T]]) -> _T:
        """Run ``work`` in one transaction, and try again while another program keeps the file locked."""
        tries_left = BUSY_TRIES
        while True:
            async with self._lock:
                try:
                    await self.connection.execute("BEGIN IMMEDIATE")
                    done = await work()
                    await self.connection.commit()
                except BaseException as error:
                    with suppress(sqlite3.Error):
                        await self.connection.rollback()
                    tries_left -= 1
                    if not (isinstance(error, sqlite3.Error) and is_busy(error)) or not tries_left:
                        raise
                else:
                    return done
            await asyncio.sleep(random.uniform(0.001, 0.02))  # noqa: S311


async def _connected(connection: aiosqlite.Connection) -> None:
    await connection
