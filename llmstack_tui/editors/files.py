"""A client's settings file: what may be done with it, and how it is written. Blocking, for use in a thread.

It is written to a new file beside it, which then takes its place, with its mode; before that, it is copied.
So whatever fails, it is as it was, or whole. A link is followed, and said to be one.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmstack_tui.base.private_files import private_opener
from llmstack_tui.base.secret import Secret
from llmstack_tui.base.sentences import Failure
from llmstack_tui.editors.types import Written

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 2**20
_TRIES = 100


class NotWritten(Failure):
    """Settings cannot be written, or not into that file. Nothing was changed."""


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
            raise NotWritten("editors.dead_link", file=str(file), target=str(file.readlink())) from None
        raise NotWritten("editors.no_file", file=str(file)) from None


def read(file: Path) -> str | None:
    """The text of a file that may be written; None if it is not there, but can be made.

    Raises:
        NotWritten: it cannot be read or written, or is no settings.
    """
    try:
        status = file.stat()
    except FileNotFoundError:
        _check_folder(file)
        return None
    except OSError as error:
        raise NotWritten("editors.unreadable", file=str(file), why=_why(error)) from None
    if not stat.S_ISREG(status.st_mode):
        raise NotWritten("editors.no_file", file=str(file))
    if status.st_size > MOST_BYTES:
        raise NotWritten("editors.too_large", file=str(file), limit=MOST_BYTES)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise NotWritten("editors.unreadable", file=str(file), why=_why(error)) from None
    if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
        raise NotWritten("editors.of_another_user", file=str(file), owner=_owner(status.st_uid))
    if not status.st_mode & stat.S_IWUSR or not os.access(file, os.W_OK):
        raise NotWritten("editors.read_only_file", file=str(file))
    _check_folder(file)
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise NotWritten("editors.not_text", file=str(file)) from None


def write(file: Path, text: Secret, before: Secret | None) -> Written:
    """Write a file that has the text ``before`` now, None for no file; returns where the copy of it is.

    Raises:
        NotWritten: it has another text by now, or cannot be written. It is as it was.
    """
    if _secret(read(file)) != before:
        raise NotWritten("editors.changed", file=str(file))
    backup: Path | None = None
    made = [folder for folder in reversed((file.parent, *file.parent.parents)) if not folder.exists()]
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _put(part, text)
        if before is not None:
            mode = stat.S_IMODE(file.stat().st_mode)
            backup = _copied(file, mode)
            part.chmod(mode)
        part.replace(file)
    except OSError as error:
        for each in (part, backup):
            if each is not None:
                with suppress(OSError):
                    each.unlink()
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()
        raise NotWritten("editors.not_written", file=str(file), why=_why(error)) from None
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


def _copied(file: Path, mode: int) -> Path:
    """A copy beside the file, under a name that is free."""
    day = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    for number in range(_TRIES):
        copy = file.with_name(f"{file.name}.before-{day}{f'-{number}' if number else ''}")
        with suppress(FileExistsError):
            with open(copy, "xb", opener=private_opener) as opened:
                opened.write(file.read_bytes())
                os.fsync(opened.fileno())
            copy.chmod(mode)
            return copy
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))


def _check_folder(file: Path) -> None:
    """Raise if nothing can be made beside the file, whose folder may still have to be made."""
    folder = next(each for each in file.parents if os.path.lexists(each))
    if not folder.is_dir():
        raise NotWritten("editors.not_written", file=str(file), why=os.strerror(errno.ENOTDIR))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise NotWritten("editors.not_written", file=str(file), why=os.strerror(errno.EACCES))


def _owner(user: int) -> str:
    with suppress(ImportError, KeyError):
        from pwd import getpwuid  # noqa: PLC0415 (not on Windows)

        return getpwuid(user).pw_name
    return str(user)


def _why(error: OSError) -> str:
    return error.strerror or str(error)
