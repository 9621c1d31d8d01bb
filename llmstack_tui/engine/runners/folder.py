"""The folder for the sockets of an engine's models, and those that killed engines left behind."""

from __future__ import annotations

import os
import re
import shutil
import socket
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from llmstack_tui.engine.runners.confinement import CACHE

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = re.compile(r"llmstack-(?:(\d+)-)?[a-z0-9_]{8}")


def new_folder() -> Path:
    """A private folder with a short path, as a socket's has a limit; those of ended engines are removed."""
    for abandoned in _abandoned():
        shutil.rmtree(abandoned, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix=f"llmstack-{os.getpid()}-"))
    (made / CACHE).mkdir()
    return made


def _abandoned() -> Iterator[Path]:
    """The folders of engines of this user that have ended."""
    for folder in Path(tempfile.gettempdir()).glob("llmstack-*"):
        found = _NAME.fullmatch(folder.name)
        if found is None or not _is_own(folder) or (found[1] and psutil.pid_exists(int(found[1]))):
            continue
        with suppress(OSError):
            inside = list(folder.iterdir())
            sockets = [path for path in inside if path.suffix == ".sock"]
            # A process with that number may be in another container: then its models answer. Older versions,
            # whose folders have no number, kept nothing but sockets in them, and make them again.
            if (found[1] or len(sockets) == len(inside)) and not any(map(_answers, sockets)):
                yield folder


def _is_own(folder: Path) -> bool:
    try:
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and (not hasattr(os, "getuid") or status.st_uid == os.getuid())


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as asking:
        try:
            asking.connect(str(path))
        except OSError:
            return False
    return True
