"""A file of weights into the engine's own folder: linked where that is possible, else copied and checked."""

from __future__ import annotations

import hashlib
import os
import shutil
from typing import TYPE_CHECKING, BinaryIO, Protocol

from llmstack_tui.base.units import bytes_text
from llmstack_tui.gguf.source import InvalidGGUF, open_regular
from llmstack_tui.library.manifest import blob_name
from llmstack_tui.library.storage import LibraryError, unfinished_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from llmstack_tui.library.manifest import Layer

_CHUNK = 4 * 1024**2
# What has to stay free on the disk beside the copy.
_SPARE = 64 * 1024**2


class CopyFailed(LibraryError):
    """The file was not copied; ``str`` of it is a sentence for the user."""


class CopyCancelled(CopyFailed):
    """The user ended it."""


class OnProgress(Protocol):
    def __call__(self, status: str, completed: int | None, total: int | None, /) -> None:
        """Report what is being done, with the bytes done and the bytes in all where there are any."""


def fetch_blob(
    source: Path, target: Path, layer: Layer, *, progress: OnProgress, cancelled: Callable[[], bool]
) -> None:
    """Link or copy the blob ``source`` to ``target``, all of it or nothing.

    Raises:
        CopyFailed: with one sentence.
        OSError: if the disk does not do it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = unfinished_path(target.parent)
    try:
        link_or_copy(source, staged, layer, progress=progress, cancelled=cancelled)
        staged.replace(target)
    finally:
        staged.unlink(missing_ok=True)


def link_or_copy(
    source: Path, target: Path, layer: Layer, *, progress: OnProgress, cancelled: Callable[[], bool]
) -> None:
    """As `fetch_blob`, for a temporary ``target``: a copy that fails may leave a part of it."""
    if link(source, target):
        return
    digest = copy(source, target, layer.size, progress=progress, cancelled=cancelled)
    if blob_name(digest) != blob_name(layer.digest):
        raise CopyFailed(f"{source} is broken: its content is not what its name says.")


def link(source: Path, target: Path) -> bool:
    """Make a hard link; False where the system refuses: another disk, or a file of another user."""
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        return False
    return True


def copy(
    source: Path, target: Path, size: int, *, progress: OnProgress, cancelled: Callable[[], bool]
) -> str:
    """Copy the file; returns the digest of what was copied. Raises as `fetch_blob`."""
    free = shutil.disk_usage(target.parent).free
    if free < size + _SPARE:
        raise CopyFailed(
            f"{source} needs {bytes_text(size)} in {target.parent}, where {bytes_text(free)} are free."
        )
    with target.open("xb") as written:
        digest = read_through(source, size, progress=progress, cancelled=cancelled, into=written)
        written.flush()
        os.fsync(written.fileno())
    return digest


def read_through(
    source: Path,
    size: int,
    *,
    progress: OnProgress,
    cancelled: Callable[[], bool],
    into: BinaryIO | None = None,
) -> str:
    """The digest of the file, which must not change meanwhile; its bytes are copied ``into`` another, too.

    Raises:
        CopyFailed: with one sentence.
        OSError: if the disk does not do it.
    """
    digest, done = hashlib.sha256(), 0
    status = "reading weights" if into is None else "copying weights"
    try:
        with open_regular(source) as (file, _):
            changed_at = os.fstat(file.fileno()).st_mtime_ns
            while chunk := file.read(_CHUNK):
                if cancelled():
                    raise CopyCancelled(f"The copy of {source} was cancelled.")
                digest.update(chunk)
                if into is not None:
                    into.write(chunk)
                done += len(chunk)
                progress(status, done, size)
            if done != size or os.fstat(file.fileno()).st_mtime_ns != changed_at:
                raise CopyFailed(f"{source} changed while it was read: try again when it is complete.")
    except InvalidGGUF as error:
        raise CopyFailed(str(error)) from error
    return f"sha256:{digest.hexdigest()}"
