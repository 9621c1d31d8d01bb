"""The file of variables is written: whole or not at all, with a copy of what it was. Blocking."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from llmstack_tui.base.private_files import private_opener
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.variables.plans import VariablesFailed
from llmstack_tui.variables.sources import read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from llmstack_tui.variables.types import OwnFile, VariableChange

_LOCK_LIMIT_S = 10.0


def read_own(target: OwnFile) -> str | None:
    """The text of llmstack's own file; None if it is not there.

    Raises:
        VariablesFailed: it is there and cannot be read.
    """
    text = read(target.file)
    if text is None and os.path.lexists(target.file):
        raise VariablesFailed("variables.unreadable", file=str(target.file))
    return text


def write(change: VariableChange, folder: Path) -> Path | None:
    """Write the file as planned; returns where the copy of it is, None if there was none.

    Args:
        folder: our own, for the copies and the lock.

    Raises:
        VariablesFailed: the file is another than it was when the change was planned, or cannot be written.
    """
    with _alone(folder, change):
        backup = _copied(change, folder)
        file = change.target.file
        try:
            if change.after is None:
                file.unlink(missing_ok=True)
                return backup
            file.parent.mkdir(parents=True, exist_ok=True)
            part = file.with_name(f".{file.name}.{os.getpid()}.part")
            try:
                part.unlink(missing_ok=True)
                with part.open("x", encoding="utf-8") as opened:
                    opened.write(change.after)
                    opened.flush()
                    os.fsync(opened.fileno())
                part.replace(file)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            raise _not_written(file, error) from None
        return backup


def left(change: VariableChange) -> Sentence:
    """What became of the file of a change that was interrupted."""
    try:
        is_back = read_own(change.target) == change.before
    except VariablesFailed:
        is_back = False
    file = str(change.target.file)
    return Sentence("variables.back_only" if is_back else "variables.stays", {"file": file})


def prepare(change: VariableChange, folder: Path) -> tuple[Path | None, tuple[str, ...]]:
    """As `write`, for a file that only root may write: the copy, and the command that writes it.

    Raises:
        VariablesFailed: as `write`.
    """
    with _alone(folder, change):
        backup, file = _copied(change, folder), str(change.target.file)
        if change.after is None:
            return backup, ("rm", "-f", file)
        new = folder / change.target.file.name
        try:
            with open(new, "w", encoding="utf-8", opener=private_opener) as opened:
                opened.write(change.after)
        except OSError as error:
            raise _not_written(new, error) from None
        return backup, ("install", "-D", "-m", "0644", str(new), file)


@contextmanager
def _alone(folder: Path, change: VariableChange) -> Iterator[None]:
    """No other llmstack writes at the same time, and the file is what it was."""
    lock = FileLock(folder / "lock", timeout=_LOCK_LIMIT_S)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise VariablesFailed("variables.in_use") from None
    except OSError as error:
        raise _not_written(folder, error) from None
    with lock:
        lock.release()  # `with` has counted it once more.
        if read_own(change.target) != change.before:
            raise VariablesFailed("variables.changed", file=str(change.target.file))
        yield


def _copied(change: VariableChange, folder: Path) -> Path | None:
    if change.before is None:
        return None
    day = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    copy = folder / f"{change.target.file.name}.before-{day}"
    try:
        with open(copy, "x", encoding="utf-8", opener=private_opener) as opened:
            opened.write(change.before)
    except OSError as error:
        with suppress(OSError):
            copy.unlink()
        raise _not_written(copy, error) from None
    return copy


def _not_written(file: Path, error: OSError) -> VariablesFailed:
    return VariablesFailed("variables.not_written", file=str(file), why=error.strerror or str(error))
