"""A text file of the user's, or of another program: what may be done with it, and how it is written.

It is written to a new file beside it, which then takes its place, with its mode; before that, it is copied.
So whatever fails, it is as it was, or whole. A link is followed, and said to be one. All here is blocking,
for use in a thread.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.private_files import private_opener
from llmstack_tui.base.secret import Secret
from llmstack_tui.base.sentences import Failure

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 2**20
_TRIES = 100


class NotWritten(Failure):
    """A file cannot be written. Nothing was changed."""


class Written(Struct, frozen=True):
    """A file that was written, and the copy of what it was before; None if there was none."""

    file: Path
    backup: Path | None


def target_of(file: Path) -> Path:
    """Where a file really is, if it is a link.

    Raises:
        NotWritten: the link leads nowhere.
    """
    if not file.is_symlink():
        return file
    try:
        return file.resolve(strict=True)
    except (OSError, RuntimeError):
        with suppress(OSError):
            raise NotWritten("file.dead_link", file=str(file), target=str(file.readlink())) from None
        raise NotWritten("file.no_file", file=str(file)) from None


def read(file: Path, most_bytes: int = MOST_BYTES) -> str | None:
    """The text of a file that may be written; None if it is not there, but can be made.

    Raises:
        NotWritten: it cannot be read or written, or is no text.
    """
    try:
        status = file.stat()
    except FileNotFoundError:
        _check_folder(file)
        return None
    except OSError as error:
        raise NotWritten("file.unreadable", file=str(file), why=_why(error)) from None
    if not stat.S_ISREG(status.st_mode):
        raise NotWritten("file.no_file", file=str(file))
    if status.st_size > most_bytes:
        raise NotWritten("file.too_large", file=str(file), limit=most_bytes)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise NotWritten("file.unreadable", file=str(file), why=_why(error)) from None
    if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
        raise NotWritten("file.of_another_user", file=str(file), owner=_owner(status.st_uid))
    _check_disk(file, file)
    if not status.st_mode & stat.S_IWUSR or not os.access(file, os.W_OK):
        raise NotWritten("file.read_only_file", file=str(file))
    _check_folder(file)
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise NotWritten("file.not_text", file=str(file)) from None


def write(
    file: Path, text: Secret, before: Secret | None, *, copy: bool = True, daily: bool = False
) -> Written:
    """Write a file that has the text ``before`` now, None for no file; returns where the copy of it is.

    Args:
        copy: keep a copy of what it was before, beside it.
        daily: make a copy at the first change of a day only, for a file that is changed often.

    Raises:
        NotWritten: it has another text by now, or cannot be written. It is as it was.
    """
    if _secret(read(file)) != before:
        raise NotWritten("file.changed", file=str(file))
    backup: Path | None = None
    is_new = True
    made = [folder for folder in reversed((file.parent, *file.parent.parents)) if not folder.exists()]
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _put(part, text)
        if before is not None:
            mode = stat.S_IMODE(file.stat().st_mode)
            if copy:
                backup, is_new = _copied(file, mode, daily=daily)
            part.chmod(mode)
        part.replace(file)
    except OSError as error:
        for each in (part, backup if is_new else None):
            if each is not None:
                with suppress(OSError):
                    each.unlink()
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()
        raise NotWritten("file.not_written", file=str(file), why=_why(error)) from None
    return Written(file, backup)


def _secret(text: str | None) -> Secret | None:
    return None if text is None else Secret(text)


def _put(file: Path, text: Secret) -> None:
    file.unlink(missing_ok=True)
    # Not through a link; what it has is for its owner alone until it gets the mode of the one before.
    with open(file, "x", encoding="utf-8", newline="", opener=private_opener) as opened:
        opened.write(text.text)
        opened.flush()
        os.fsync(opened.fileno())


def _copied(file: Path, mode: int, *, daily: bool) -> tuple[Path, bool]:
    """A copy beside the file, under a name that is free, and whether it was made just now."""
    day = datetime.now(UTC).strftime("%Y%m%d" if daily else "%Y%m%d-%H%M%S")
    for number in range(_TRIES):
        copy = file.with_name(f"{file.name}.before-{day}{f'-{number}' if number else ''}")
        if daily and copy.is_file():
            return copy, False
        with suppress(FileExistsError):
            with open(copy, "xb", opener=private_opener) as opened:
                opened.write(file.read_bytes())
                os.fsync(opened.fileno())
            copy.chmod(mode)
            return copy, True
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))


def _check_folder(file: Path) -> None:
    """Raise if nothing can be made beside the file, whose folder may still have to be made."""
    folder = next(each for each in file.parents if os.path.lexists(each))
    if not folder.is_dir():
        raise NotWritten("file.not_written", file=str(file), why=os.strerror(errno.ENOTDIR))
    _check_disk(folder, file)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise NotWritten("file.not_written", file=str(file), why=os.strerror(errno.EACCES))


def _check_disk(place: Path, file: Path) -> None:
    """Raise if a place is on a disk of which all can only be read, which `os.access` does not tell apart."""
    if hasattr(os, "statvfs") and os.statvfs(place).f_flag & os.ST_RDONLY:
        raise NotWritten("file.not_written", file=str(file), why=os.strerror(errno.EROFS))


def _owner(user: int) -> str:
    with suppress(ImportError, KeyError):
        from pwd import getpwuid  # noqa: PLC0415 (not on Windows)

        return getpwuid(user).pw_name
    return str(user)


def _why(error: OSError) -> str:
    return error.strerror or str(error)
