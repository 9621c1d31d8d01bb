"""The list of the stored keys: all that is known of them but the keys themselves. Blocks."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from llmstack_tui.keys.types import KeyEntry, KeysFailed
from llmstack_tui.keys.vaults import read_whole, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_VERSION = 1
_LOCK_WAIT_S = 5.0


class _ListVersion(Struct):
    version: int


class _StoredEntries(Struct, frozen=True):
    version: int
    keys: tuple[KeyEntry, ...]


class KeyIndex:
    """The file with the entries, in the order in which they were added."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "keys.json"
        self._lock = folder / "keys.lock"

    def read(self) -> dict[str, KeyEntry]:
        """The entries by their owners; none if nothing is stored. Raises KeysFailed."""
        content = read_whole(self.file)
        if content is None:
            return {}
        try:
            version = msgspec.json.decode(content, type=_ListVersion).version
            if version != _VERSION:
                raise KeysFailed("keys.other_version", file=str(self.file), version=version, known=_VERSION)
            return {each.owner: each for each in msgspec.json.decode(content, type=_StoredEntries).keys}
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise KeysFailed("keys.damaged_list", file=str(self.file)) from None

    def write(self, entries: Mapping[str, KeyEntry]) -> None:
        """Raises KeysFailed."""
        document = _StoredEntries(_VERSION, tuple(entries.values()))
        write_whole(self.file, msgspec.json.format(msgspec.json.encode(document)))

    def put(self, entry: KeyEntry) -> None:
        self.write({**self.read(), entry.owner: entry})

    def drop(self, owner: str) -> None:
        self.write({name: entry for name, entry in self.read().items() if name != owner})

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else changes the keys meanwhile. Raises KeysFailed."""
        from filelock import FileLock, Timeout  # noqa: PLC0415 (few change keys)

        try:
            self._lock.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = FileLock(self._lock, timeout=_LOCK_WAIT_S, mode=0o600)
            lock.acquire()
        except Timeout:
            raise KeysFailed("keys.busy", file=str(self.file)) from None
        except OSError as error:
            raise KeysFailed("keys.not_written", file=str(self.file), why=error.strerror) from None
        try:
            yield
        finally:
            lock.release()
