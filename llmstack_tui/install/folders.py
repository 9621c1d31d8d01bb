"""The versions in the user's own folders, and what is remembered about them.

``versions/X`` has version X, ``current`` leads to the one in use, ``downloads`` has what is under way, and
``record.json`` is the `Record`.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import msgspec
import psutil
from filelock import FileLock, Timeout

from llmstack_tui.base.private_files import replace_private
from llmstack_tui.install.rules.releases import newest_first, version_of
from llmstack_tui.install.types import InstallFailed, Record, Versions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_RECORD = "record.json"


def read_versions(folder: Path) -> Versions:
    """What is there. Blocking."""
    try:
        kept = [each.name for each in (folder / "versions").iterdir() if version_of(each.name) == each.name]
    except OSError:
        kept = []
    current = ""
    with suppress(OSError):
        current = (folder / "current").readlink().name
    return Versions(
        kept=newest_first(kept),
        current=current if current in kept else "",
        is_running=any(True for _ in processes(folder)),
        record=read_record(folder),
    )


def read_record(folder: Path) -> Record:
    """The record; an empty one if there is none that can be read."""
    try:
        return msgspec.json.decode((folder / _RECORD).read_bytes(), type=Record)
    except (OSError, msgspec.MsgspecError):
        return Record()


def write_record(folder: Path, record: Record) -> None:
    """Write the record, whole or not at all. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    replace_private(folder / _RECORD, msgspec.json.encode(record))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Have the folder alone, and without what an installation left there that was killed.

    Raises:
        InstallFailed: another installation is under way.
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        with lock:
            for each in (folder / "versions").glob(".*.partial"):
                shutil.rmtree(each, ignore_errors=True)
            yield
    except Timeout:
        raise InstallFailed("install.busy") from None


def processes(folder: Path) -> Iterator[psutil.Process]:
    """The servers that run from one of these versions, not those that systemd would start again."""
    versions = folder / "versions"
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            line = process.cmdline()
            if "serve" in line and any(_is_below(part, versions, folder / "current") for part in line[:2]):
                yield process


def _is_below(part: str, *folders: Path) -> bool:
    return any(part.startswith(f"{folder}{os.sep}") for folder in folders)
