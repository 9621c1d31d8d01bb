"""The key of the built-in engine: where it comes from, and how its file is made.

The engine and our own client read it here. It is in no argument of a process, and nothing writes it but
`make_key`.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.base import paths
from llmstack_tui.base.private_files import private_opener
from llmstack_tui.base.sentences import Failure
from llmstack_tui.config.kinds import secret_of

if TYPE_CHECKING:
    from llmstack_tui.base.secret import Secret
    from llmstack_tui.config.settings import EngineSettings, LoadedSettings

_BYTES = 32
_MOST_BYTES = 4096


class KeyFailed(Failure, ValueError):
    """A key's file cannot be used."""


def engine_key(settings: EngineSettings) -> Secret | None:
    """The key that the engine of this user asks for, and that our client sends to it; None if it has none.

    Raises:
        KeyFailed: there should be one, and it cannot be read.
    """
    if settings.api_key is not None:
        return settings.api_key
    try:
        file = key_file(settings)
    except paths.NoHome:
        return None
    if settings.api_key_file is None and not os.path.lexists(file):
        return None
    return read_key(file)


def engine_key_of(loaded: LoadedSettings) -> Secret | None:
    """As `engine_key`, for who opens the engine: a setting that is wrong must not leave it without a key.

    Raises:
        KeyFailed: as there, or one of the settings is wrong.
    """
    if loaded.invalid & {"engine.api_key", "engine.api_key_file"}:
        raise KeyFailed("key.invalid_setting", problems=loaded.problems)
    return engine_key(loaded.settings.engine)


def key_file(settings: EngineSettings) -> Path:
    """The file of the engine's key, which may not be there. Raises NoHome."""
    return Path(settings.api_key_file or paths.data_folder() / "engine.key").expanduser()


def read_key(file: Path) -> Secret:
    """The key in a file that only its owner can read.

    Raises:
        KeyFailed: with the cause.
    """
    try:
        # Not to wait for ever where somebody has put a pipe.
        with os.fdopen(os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as opened:
            status = os.fstat(opened.fileno())
            if os.name == "posix" and status.st_mode & 0o077:
                raise KeyFailed("key.open_to_others", file=str(file))
            text = opened.read(_MOST_BYTES) if stat.S_ISREG(status.st_mode) else b""
    except FileNotFoundError:
        raise KeyFailed("key.missing", file=str(file)) from None
    except OSError as error:
        raise KeyFailed("key.unreadable", file=str(file), why=error.strerror) from None
    found = secret_of(text.decode("ascii", errors="replace").strip())
    if found is None:
        raise KeyFailed("key.malformed", file=str(file))
    return found


def make_key(file: Path, *, replace: bool = False) -> bool:
    """Write a new key to ``file``. Returns False, and changes nothing, if it is there and not to be replaced.

    Raises:
        KeyFailed: it cannot be written.
    """
    from secrets import token_urlsafe  # noqa: PLC0415 (few make a key)

    target = file.with_name(f"{file.name}.{os.getpid()}.part") if replace else file
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if replace:
            target.unlink(missing_ok=True)
        # Not through a link, and not over what is there.
        with open(target, "x", opener=private_opener) as opened:
            opened.write(f"{token_urlsafe(_BYTES)}\n")
        if replace:
            target.replace(file)
    except OSError as error:
        if isinstance(error, FileExistsError) and os.path.lexists(file):
            return False
        raise KeyFailed("key.not_written", file=str(file), why=error.strerror) from None
    return True
