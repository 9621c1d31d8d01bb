"""SQLite's error codes, in our words."""

from __future__ import annotations

import sqlite3

from llmstack_tui.store.errors import StoreBusy, StoreDamaged, StoreError, StoreFull, StoreReadOnly

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


def explained(error: sqlite3.Error, file: str) -> StoreError:
    """The error to raise for one of SQLite's about ``file``."""
    code = _code(error)
    if code in _BUSY:
        return StoreBusy(f"Another program keeps {file} locked; it is tried again later.")
    if code == sqlite3.SQLITE_FULL:
        return StoreFull(f"The disk is full, {file} cannot grow: free some space.")
    if code in _DAMAGED:
        return StoreDamaged(
            f"{file} is damaged ({error}): the next start sets it aside and begins a new one."
        )
    if code in _READ_ONLY:
        return StoreReadOnly(f"{file} cannot be written to ({error}): give this user the right to.")
    return StoreError(f"{file} cannot be used: {error}.")


def is_busy(error: sqlite3.Error) -> bool:
    return _code(error) in _BUSY


def is_of_the_statement(error: Exception) -> bool:
    """Whether the statement or its values are at fault, so that trying again would fail again."""
    return not isinstance(error, sqlite3.Error) or _code(error) in _OF_THE_STATEMENT


def _code(error: sqlite3.Error) -> int:
    # The low byte is the primary code. What the Python module raises by itself has none: it is our misuse.
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE) & 0xFF
