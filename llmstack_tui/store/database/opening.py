"""Opening the file, whatever state it is in. Blocking: it runs in the thread of the connection.

The plain case, a sound file of this version, takes no lock. What only one process may do (make the file,
migrate it, set it aside) is done under a lock file, after looking again.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.structs import replace
from llmstack_tui.store.database.migrations import MIGRATIONS, migrate, recorded
from llmstack_tui.store.database.retention import prune
from llmstack_tui.store.errors import StoreBusy, StoreDamaged, StoreError, StoreFull, StoreReadOnly

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

OPENING_WAIT_S = 10.0
# Short, because reads wait in the same thread: the writer's own tries make it long enough.
BUSY_WAIT_MS = 250
MAX_WAL_BYTES = 4_000_000

_KNOWN = frozenset(step.name for step in MIGRATIONS)

# SQLite's error codes by what is amiss.
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_READ_ONLY = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM})
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_OF_THE_STATEMENT = frozenset(
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
    """Where what is put goes: into the file, nowhere (the file is another version's), or into memory."""

    FILE = "file"
    READ_ONLY = "read only"
    MEMORY = "memory"


class Opened(Struct, frozen=True):
    """An open connection, and a sentence for the user when it is not what one would expect."""

    connection: sqlite3.Connection
    mode: Mode
    notice: Sentence | None = None


def open_state(path: Path | None, now: datetime) -> Opened:
    """The state in ``path``, or a memory that lasts as long as the program where that is not possible."""
    if path is None:
        return Opened(_memory(), Mode.MEMORY)
    try:
        return _open_or_begin(path, now)
    except OSError as error:
        system = {"file": str(error.filename or path), "why": error.strerror or str(error)}
        why = Sentence("store.system", system)
    except StoreError as error:
        why = error.sentence
    return Opened(_memory(), Mode.MEMORY, Sentence("store.not_remembered", {"why": (why,)}))


def _open_or_begin(path: Path, now: datetime) -> Opened:
    try:
        if path.exists() and (opened := _open(path, now)) is not None:
            return opened
    except (StoreBusy, StoreFull, StoreReadOnly):
        raise
    except StoreError:
        pass  # Damaged, or just being set aside by another ("disk I/O error"): looked at again, alone.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    from filelock import FileLock, Timeout  # noqa: PLC0415  # most starts do without it

    try:
        with FileLock(f"{path}.lock", timeout=OPENING_WAIT_S, mode=0o600):
            try:
                return _begin(path, now)
            except StoreDamaged:
                aside = set_aside(path, now)
            notice = Sentence("store.set_aside", {"file": str(path), "aside": aside.name})
            return replace(_begin(path, now), notice=notice)
    except Timeout:
        raise StoreBusy("store.opened_elsewhere", file=str(path), waited_s=OPENING_WAIT_S) from None


def _open(path: Path, now: datetime) -> Opened | None:
    """The file as it is; None when steps are missing, which are to be taken alone."""
    with _connected(path) as connection:
        done = _examined(connection, path)
        if not done - _KNOWN and _KNOWN - done:
            connection.close()
            return None
        return _ready(connection, path, now, newer=bool(done - _KNOWN))


def _begin(path: Path, now: datetime) -> Opened:
    """The file, made or brought up to date; for one process at a time."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    with _connected(path) as connection:
        newer = bool(_examined(connection, path) - _KNOWN)
        if not newer:
            connection.execute("PRAGMA journal_mode = WAL")
            migrate(connection)
        return _ready(connection, path, now, newer=newer)


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that stays open unless the block fails."""
    try:
        connection = sqlite3.connect(path, timeout=OPENING_WAIT_S, isolation_level=None)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise explained(error, str(path)) from error


def _examined(connection: sqlite3.Connection, path: Path) -> frozenset[str]:
    """The names of the steps taken, if the file is sound.

    All of it is read: 10 ms for 50,000 events. A damaged page found later would cost that session's history.
    """
    try:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if not is_of_the_statement(error):
            raise
        verdict = error  # The statement is right, so it is the file: "unsupported file format".
    except UnicodeDecodeError:
        verdict = "names in it are no text"  # SQLite quotes them as they are.
    if verdict != "ok":
        raise StoreDamaged("store.damaged", file=str(path), why=str(verdict))
    return recorded(connection)


def _ready(connection: sqlite3.Connection, path: Path, now: datetime, *, newer: bool) -> Opened:
    connection.row_factory = sqlite3.Row
    if newer:
        connection.execute("PRAGMA query_only = ON")
        return Opened(connection, Mode.READ_ONLY, Sentence("store.newer", {"file": str(path)}))
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA journal_size_limit = {MAX_WAL_BYTES:d}")
    _prune_if_free(connection, now)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_WAIT_MS:d}")
    return Opened(connection, Mode.FILE)


def _prune_if_free(connection: sqlite3.Connection, now: datetime) -> None:
    """Forget old rows, unless another program writes just now. Fails where the file cannot be written to."""
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        prune(connection, now)
    except sqlite3.OperationalError as error:
        if not is_busy(error):
            raise


def set_aside(path: Path, now: datetime) -> Path:
    """Give a damaged file a dated name. Its log goes first: left there, it would be played into a new one."""
    dated = Path(f"{path}.damaged-{now.astimezone():%Y-%m-%d}")
    aside, count = dated, 1
    while aside.exists():
        count += 1
        aside = Path(f"{dated}-{count}")
    for suffix in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(f"{aside}{suffix}")
    return aside


def _memory() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    migrate(connection)
    return connection


def explained(error: sqlite3.Error, file: str) -> StoreError:
    """The error to raise for one of SQLite's about ``file``."""
    code, why = _code(error), str(error)
    if code in _BUSY:
        return StoreBusy("store.locked", file=file)
    if code == sqlite3.SQLITE_FULL:
        return StoreFull("store.full", file=file)
    if code in _DAMAGED:
        return StoreDamaged("store.damaged_meanwhile", file=file, why=why)
    if code in _READ_ONLY:
        return StoreReadOnly("store.unwritable", file=file, why=why)
    return StoreError("store.unusable", file=file, why=why)


def is_busy(error: sqlite3.Error) -> bool:
    return _code(error) in _BUSY


def is_of_the_statement(error: Exception) -> bool:
    """Whether the statement or its values are at fault, so that trying again would fail again."""
    return not isinstance(error, sqlite3.Error) or _code(error) in _OF_THE_STATEMENT


def _code(error: sqlite3.Error) -> int:
    # The low byte is the primary code. What the Python module raises by itself has none: it is our misuse.
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE) & 0xFF
