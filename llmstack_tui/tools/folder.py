"""The folder that the user opened: nothing outside it is read or written, whatever a path or a link says.

All here is blocking, for use in a thread.
"""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.tools.types import ToolFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_READ_BYTES = 2**20
_MOST_ENTRIES = 500
_MOST_MATCHES = 100
_MOST_SEARCHED_BYTES = 2**20
_SEARCH_S = 5.0
_LEFT_OUT = frozenset({".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv"})


class FoundLine(Struct, frozen=True):
    """A line that has the text; ``number`` counts from 1."""

    path: str
    number: int
    line: str


class OpenedFolder:
    """A folder of the user's.

    Args:
        path: of an existing folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    def inside(self, path: str) -> Path:
        """The real path of ``path``, which is relative to the folder or within it.

        Raises:
            ToolFailed: it leads out of the folder, or cannot be a path.
        """
        try:
            found = (self.path / path).resolve()
        except (OSError, RuntimeError, ValueError):
            raise ToolFailed("tools.no_path", path=path) from None
        if not found.is_relative_to(self.path):
            raise ToolFailed("tools.outside", path=path, folder=str(self.path))
        return found

    def shown(self, path: Path) -> str:
        """A path as the model knows it: relative to the folder."""
        return path.relative_to(self.path).as_posix()

    def read(self, path: str) -> str:
        """The text of a file.

        Raises:
            ToolFailed: it is none, has no text, or is too large.
        """
        file = self.inside(path)
        content = self._content(file, path)
        if b"\0" in content:
            raise ToolFailed("tools.not_text", path=path)
        try:
            return content.decode()
        except UnicodeDecodeError:
            # The encoding of old files here; every byte is a character of it, and no text is lost.
            return content.decode("latin-1")

    def _content(self, file: Path, path: str) -> bytes:
        try:
            with os.fdopen(self._descriptor(file), "rb") as opened:
                status = os.fstat(opened.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise ToolFailed("tools.no_file", path=path)
                content = opened.read(MOST_READ_BYTES + 1)
        except OSError as error:
            raise _failed(error, path) from None
        if len(content) > MOST_READ_BYTES:
            raise ToolFailed("tools.too_large", path=path, limit=MOST_READ_BYTES)
        return content

    def _descriptor(self, file: Path) -> int:
        """A file opened without following a link that was put there since its path was looked at."""
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        if os.open not in os.supports_dir_fd:
            return os.open(file, flags | getattr(os, "O_BINARY", 0))
        at = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            *folders, name = file.relative_to(self.path).parts or (".",)
            for folder in folders:
                deeper = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
                os.close(at)
                at = deeper
            return os.open(name, flags, dir_fd=at)
        finally:
            os.close(at)

    def listed(self, path: str) -> tuple[list[str], int]:
        """The entries of a folder, folders with a slash at the end, and how many more there are.

        Raises:
            ToolFailed: it is no folder, or cannot be read.
        """
        folder = self.inside(path)
        try:
            with os.scandir(folder) as entries:
                found = sorted(
                    each.name + ("/" if each.is_dir(follow_symlinks=False) else "") for each in entries
                )
        except OSError as error:
            raise _failed(error, path) from None
        return found[:_MOST_ENTRIES], max(len(found) - _MOST_ENTRIES, 0)

    def search(self, text: str, path: str, pattern: str) -> tuple[list[FoundLine], bool]:
        """The lines with ``text``, in any case, of files whose names fit ``pattern``; whether all were read.

        Hidden folders of version control and of packages are left out, and files that are no text.
        """
        folder = self.inside(path)
        wanted, found, end = text.casefold(), list[FoundLine](), time.monotonic() + _SEARCH_S
        for file in self._files(folder, pattern):
            if time.monotonic() > end:
                return found, False
            with suppress(ToolFailed, OSError):
                if file.stat().st_size > _MOST_SEARCHED_BYTES:
                    continue
                shown = self.shown(file)
                for number, line in enumerate(self.read(shown).splitlines(), 1):
                    if wanted in line.casefold():
                        if len(found) == _MOST_MATCHES:
                            return found, False
                        found.append(FoundLine(shown, number, line.strip()[:300]))
        return found, True

    def _files(self, folder: Path, pattern: str) -> Iterator[Path]:
        for at, folders, files in os.walk(folder):
            folders[:] = sorted(each for each in folders if each not in _LEFT_OUT)
            for name in sorted(files):
                file = Path(at, name)
                if file.match(pattern) and not file.is_symlink():
                    yield file


def _failed(error: OSError, path: str) -> ToolFailed:
    if isinstance(error, FileNotFoundError):
        return ToolFailed("tools.not_there", path=path)
    if isinstance(error, IsADirectoryError):
        return ToolFailed("tools.no_file", path=path)
    if isinstance(error, NotADirectoryError):
        return ToolFailed("tools.no_folder", path=path)
    return ToolFailed("tools.unreadable", path=path, why=error.strerror or str(error))
