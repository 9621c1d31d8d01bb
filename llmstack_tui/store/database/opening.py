"""Opens the state file, whatever state it is in. Blocking: runs in the thread of the connection.

The normal case, a sound file of this version, takes no lock. Creating, migrating and setting aside a file are
for one process at a time: they are done under a lock file, after the file was examined again.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.paths import is_file
from llmstack_tui.base.sentences import QUOTED, Failure, Sentence, said
from llmstack_tui.base.structs import replace
from llmstack_tui.store.database import retention
from llmstack_tui.store.database.migrations import MIGRATIONS, Schema, migrate, recorded
from llmstack_tui.store.errors import StoreBusy, StoreDamaged, StoreError, StoreFull, StoreReadOnly

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


OPENING_WAIT_S = 10.0
# Short, because reads wait in the same thread. `Database` tries again, so that writers wait long enough.
BUSY_WAIT_MS = 250
# The talks have a file and a schema of their own (`chats`): the state is checked whole at every start, which
# would take 0.1 s with 50,000 messages in it, and a damaged file of one kind leaves the other as it is.
STATE = Schema(steps=MIGRATIONS, prune=retention.prune)

MAX_WAL_BYTES = 4_000_000
_INDEX_BYTES = 32 * 1024

# SQLite's error codes by cause.
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_READ_ONLY = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM})
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_STATEMENT_ERRORS = frozenset(
    {
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_MISUSE,
        sqlite3.SQLITE_RANGE,
        sqlite3.SQLITE_TOOBIG,
    }
)


class Mode(StrEnum):
    """Where writes go: to the file, nowhere (a newer version wrote the file), or to memory."""

    FILE = "file"
    READ_ONLY = "read only"
    MEMORY = "memory"


class Opened(Struct, frozen=True):
    """An open connection.

    Attributes:
        notice: a sentence for the user if it is not simply the file's.
        unkept: why nothing that is written here will be in the file; None if it will, or no file was named.
        unread: why nothing that is in the file can be read here; None if it can, or there is none.
    """

    connection: sqlite3.Connection
    mode: Mode
    notice: Sentence | None = None
    unkept: StoreError | None = None
    unread: StoreError | None = None


def open_state(path: Path | Failure | None, now: datetime, schema: Schema = STATE) -> Opened:
    """Open or create a file; if that is not possible, a database in memory with what can be read."""
    if path is None:
        return Opened(_memory(schema), Mode.MEMORY)
    try:
        if isinstance(path, Path):
            return _open_or_create(path, now, schema)
        unkept = StoreError(QUOTED, text=said(path))
    except OSError as error:
        unkept = StoreError(
            "store.system", file=str(error.filename or path), why=error.strerror or str(error)
        )
    except StoreError as error:
        unkept = error
    notice = Sentence("store.not_remembered", {"why": (unkept.sentence,)})
    copied = _copied(path, unkept, schema) if isinstance(path, Path) else None
    return Opened(copied or _memory(schema), Mode.MEMORY, notice, unkept, None if copied else unkept)


def examined(path: Path) -> StoreError | None:
    """What is wrong with the state file, which stays as it is; None if it is sound, or can be made."""
    try:
        return _fault(path) if path.exists() else _unmade(path)
    except StoreError as error:
        return error
    except OSError as error:
        return StoreError("store.system", file=str(path), why=error.strerror or str(error))


def _unmade(path: Path) -> StoreError | None:
    """Why the file could not be made; None if it could."""
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if not above.is_dir():
        return StoreError("store.system", file=str(above), why=os.strerror(errno.EEXIST))
    if not os.access(above, os.W_OK | os.X_OK):
        return StoreReadOnly("store.unwritable", file=str(path), why=os.strerror(errno.EACCES))
    return None


def _fault(path: Path) -> StoreError | None:
    if not path.is_file():
        return StoreError("store.not_a_file", file=str(path))
    with _connected(f"{path.absolute().as_uri()}?mode=ro") as connection:
        done = _checked(connection, path, STATE)
        connection.close()
    if done - STATE.names:
        return StoreReadOnly("store.read_only", file=str(path))
    if not os.access(path, os.W_OK):
        return StoreReadOnly("store.unwritable", file=str(path), why=os.strerror(errno.EACCES))
    return None


def _open_or_create(path: Path, now: datetime, schema: Schema) -> Opened:
    if path.exists() and not path.is_file():
        raise StoreError("store.not_a_file", file=str(path))
    try:
        if path.exists() and (opened := _open(path, now, schema)) is not None:
            return opened
    except (StoreBusy, StoreFull, StoreReadOnly):
        raise
    except StoreError:
        pass  # Damaged, or being set aside by another process ("disk I/O error"): try again under the lock.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    from filelock import FileLock, Timeout  # noqa: PLC0415  # most starts do not need it

    try:
        with FileLock(f"{path}.lock", timeout=OPENING_WAIT_S, mode=0o600):
            try:
                return _create_or_migrate(path, now, schema)
            except StoreDamaged:
                aside = set_aside(path, now)
            notice = Sentence("store.set_aside", {"file": str(path), "aside": aside.name})
            return replace(_create_or_migrate(path, now, schema), notice=notice)
    except Timeout:
        raise StoreBusy("store.opened_elsewhere", file=str(path), waited_s=OPENING_WAIT_S) from None


def _open(path: Path, now: datetime, schema: Schema) -> Opened | None:
    """Open a file that is up to date; None if it has to be migrated, which needs the lock."""
    with _connected(path) as connection:
        done = _checked(connection, path, schema)
        if not done - schema.names and schema.names - done:
            connection.close()
            return None
        return _configured(connection, path, now, schema, newer=bool(done - schema.names))


def _create_or_migrate(path: Path, now: datetime, schema: Schema) -> Opened:
    """Create the file, or migrate it; for one process at a time."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    with _connected(path) as connection:
        newer = bool(_checked(connection, path, schema) - schema.names)
        if not newer:
            connection.execute("PRAGMA journal_mode = WAL")
            migrate(connection, schema.steps)
        return _configured(connection, path, now, schema, newer=newer)


@contextmanager
def _connected(path: Path | str) -> Iterator[sqlite3.Connection]:
    """A connection, by path or URI, that stays open unless the block fails."""
    is_uri = isinstance(path, str)
    try:
        connection = sqlite3.connect(path, timeout=OPENING_WAIT_S, isolation_level=None, uri=is_uri)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise store_error(error, str(path)) from error


def _checked(connection: sqlite3.Connection, path: Path, schema: Schema) -> frozenset[str]:
    """Check the file; returns the names of its migrations.

    Takes 10 ms for 50,000 events. If damage were only found later, the session's history would be lost.
    """
    verdict: object = "ok"
    try:
        # Tables can be named once the file has been made.
        for part in schema.checked if schema.checked and recorded(connection) else ("1",):
            if verdict == "ok":
                (verdict,) = connection.execute(f"PRAGMA quick_check({part})").fetchone()
    except sqlite3.OperationalError as error:
        if not is_statement_error(error):
            raise
        verdict = error  # The statement is valid, so the file is not: "unsupported file format".
    except UnicodeDecodeError:
        verdict = "names in it are no text"  # SQLite quotes their bytes.
    if verdict != "ok":
        raise StoreDamaged("store.damaged", file=str(path), why=str(verdict))
    return recorded(connection)


def _configured(
    connection: sqlite3.Connection, path: Path, now: datetime, schema: Schema, *, newer: bool
) -> Opened:
    connection.row_factory = sqlite3.Row
    if newer and schema.copies_newer:
        raise StoreReadOnly("store.read_only", file=str(path))
    if newer:
        connection.execute("PRAGMA query_only = ON")
        notice = Sentence("store.newer", {"file": str(path)})
        unkept = StoreReadOnly("store.read_only", file=str(path))
        return Opened(connection, Mode.READ_ONLY, notice, unkept)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA journal_size_limit = {MAX_WAL_BYTES:d}")
    _prune_if_free(connection, now, schema)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_WAIT_MS:d}")
    return Opened(connection, Mode.FILE)


def _prune_if_free(connection: sqlite3.Connection, now: datetime, schema: Schema) -> None:
    """Forget old rows, unless another program is writing. Fails if the file cannot be written."""
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        schema.prune(connection, now)
    except sqlite3.OperationalError as error:
        if not is_busy(error):
            raise


def set_aside(path: Path, now: datetime) -> Path:
    """Rename a damaged file. Its log goes first, or SQLite would apply it to the new file."""
    dated = Path(f"{path}.damaged-{now.astimezone():%Y-%m-%d}")
    aside, count = dated, 1
    while aside.exists():
        count += 1
        aside = Path(f"{dated}-{count}")
    for suffix in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(f"{aside}{suffix}")
    return aside


def _memory(schema: Schema) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    migrate(connection, schema.steps)
    return connection


def _copied(path: Path, why: StoreError, schema: Schema) -> sqlite3.Connection | None:
    """A database in memory with what is in a file that cannot be written; None if it cannot be read, either.

    Without it, the guard would stop models that are pinned.
    """
    # A file without a writable log opens only as one that nobody else changes.
    ways = ("mode=ro",) if isinstance(why, StoreBusy) else ("mode=ro", "mode=ro&immutable=1")
    for way in ways if is_file(path) else ():
        memory = sqlite3.connect(":memory:", isolation_level=None)
        with suppress(sqlite3.Error, StoreError), _connected(f"{path.absolute().as_uri()}?{way}") as file:
            try:
                if _checked(file, path, schema) <= schema.names or schema.copies_newer:
                    file.backup(memory)
                    memory.row_factory = sqlite3.Row
                    migrate(memory, schema.steps)
                    return memory
            finally:
                file.close()
        memory.close()
    return None


def store_error(error: sqlite3.Error, file: str) -> StoreError:
    """Our error for one of SQLite's about ``file``."""
    code, why = _code(error), str(error)
    if code in _BUSY:
        return StoreBusy("store.locked", file=file)
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(file)):
        return StoreFull("store.full", file=file)
    if code in _DAMAGED:
        return StoreDamaged("store.damaged_meanwhile", file=file, why=why)
    if code in _READ_ONLY:
        return StoreReadOnly("store.unwritable", file=file, why=why)
    return StoreError("store.unusable", file=file, why=why)


def _is_full(file: str) -> bool:
    """Whether the disk has no room even for SQLite's index, 32 KiB; it calls that an error of the disk."""
    try:
        return shutil.disk_usage(Path(file).parent).free < _INDEX_BYTES
    except OSError:
        return False


def is_busy(error: sqlite3.Error) -> bool:
    return _code(error) in _BUSY


def is_statement_error(error: Exception) -> bool:
    """Whether the statement or its values are at fault, so that trying again would fail again."""
    return not isinstance(error, sqlite3.Error) or _code(error) in _STATEMENT_ERRORS


def _code(error: sqlite3.Error) -> int:
    # The low byte is the primary code. Errors of Python's module itself have none: we misused it.
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE) & 0xFF
