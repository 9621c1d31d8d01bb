"""A file of weights into the engine's own folder: linked where that is possible, else copied and checked."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

from llmstack_tui.base.units import bytes_text
from llmstack_tui.gguf.source import open_regular
from llmstack_tui.library.manifest import Layer, blob_name
from llmstack_tui.library.storage import LibraryError, unfinished_path

if TYPE_CHECKING:
    from pathlib import Path


_CHUNK = 4 * 1024**2
# What has to stay free on the disk beside the copy.
_SPARE = 64 * 1024**2

OnProgress = Callable[[str, int | None, int | None], None]
"""Called often, with what is being done, and the bytes done and in all where there are any.

It ends the work by raising `Cancelled`.
"""


def silent(status: str, completed: int | None, total: int | None) -> None:
    """Progress that nobody looks at."""


def stage(
    source: Path, blobs: Path, size: int, progress: OnProgress, *, digest: str = ""
) -> tuple[str, Path]:
    """Link or copy ``source`` to an unfinished name in ``blobs``: its digest, and where it is now.

    Args:
        digest: what it is believed to be. A link is then not read, and a copy has to match.

    Raises:
        LibraryError: with one sentence.
        OSError: if the disk does not do it.
    """
    target = unfinished_path(blobs)
    try:
        if _link(source, target):
            return digest or _read_through(target, size, progress), target
        found = _copy(source, target, size, progress)
        if digest and blob_name(found) != blob_name(digest):
            raise LibraryError(f"{source} is broken: its content is not what its name says.")
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return found, target


def fetch_blob(source: Path, target: Path, layer: Layer, progress: OnProgress) -> None:
    """Link or copy the blob ``source`` to ``target``, all of it or nothing. Raises as `stage`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _, staged = stage(source, target.parent, layer.size, progress, digest=layer.digest)
    staged.replace(target)


def _link(source: Path, target: Path) -> bool:
    """Make a hard link; False where the system refuses: another disk, or a file of another user."""
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        return False
    return True


def _copy(source: Path, target: Path, size: int, progress: OnProgress) -> str:
    """Copy the file; returns the digest of what was copied."""
    free = shutil.disk_usage(target.parent).free
    if free < size + _SPARE:
        raise LibraryError(
            f"{source} needs {bytes_text(size)} in {target.parent}, where {bytes_text(free)} are free."
        )
    with target.open("xb") as written:
        digest = _read_through(source, size, progress, into=written)
        written.flush()
        os.fsync(written.fileno())
    return digest


def _read_through(source: Path, size: int, progress: OnProgress, *, into: BinaryIO | None = None) -> str:
    """The digest of the file, which must not change meanwhile; its bytes are copied ``into`` another, too."""
    digest, done = hashlib.sha256(), 0
    status = "reading weights" if into is None else "copying weights"
    with open_regular(source) as (file, _):
        changed_at = os.fstat(file.fileno()).st_mtime_ns
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            if into is not None:
                into.write(chunk)
            done += len(chunk)
            progress(status, done, size)
        if done != size or os.fstat(file.fileno()).st_mtime_ns != changed_at:
            raise LibraryError(f"{source} changed while it was read: try again when it is complete.")
    return f"sha256:{digest.hexdigest()}"
