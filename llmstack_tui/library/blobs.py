"""The files of blobs: how they come into a folder of ours, and what is known of their content.

A file of somebody else is never linked: it may be written to in place, and would change the model under its
digest. It is cloned where the file system can (its bytes are shared until one of both changes), else copied.
Only blobs of models folders, which nobody writes to, are linked.

What was hashed is remembered: ``verified/sha256-…`` beside ``blobs`` has the size and the time that the file
had then. A file that has another size or time now is not believed until it is read again. Blobs of at most
`MAX_TEXT_BYTES` have no such note: they are quickly read.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import cycle
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from llmstack_tui.gguf.source import open_regular
from llmstack_tui.library.errors import LibraryError
from llmstack_tui.library.files import unfinished_path, write_whole
from llmstack_tui.library.folders import blob_path, is_whole
from llmstack_tui.library.manifest import MAX_TEXT_BYTES, blob_name

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.library.manifest import Layer

# Pieces that stay in a processor's cache, and enough of them that neither thread waits for the other's turn.
_CHUNK, _AHEAD = 1024**2, 8
# After so many bytes of a copy the disk is told to store them, so that it has little left at the end.
_STORED_EVERY = 64 * 1024**2
SPARE = 64 * 1024**2
"""Bytes that have to stay free on the disk after a copy."""
# ``FICLONE`` of Linux's ``linux/fs.h``.
_FICLONE = 0x40049409

OnProgress = Callable[[str, int | None, int | None], None]
"""Called often, with the step, the bytes done and the total; both are None for a step without bytes.

It ends the work by raising `Cancelled`.
"""


def silent(status: str, completed: int | None, total: int | None) -> None:
    """An `OnProgress` that does nothing."""


class StagedBlob(NamedTuple):
    """A whole blob that has no name yet. ``verified``: whether its content was read and has the digest."""

    digest: str
    path: Path
    verified: bool


def stage(
    source: Path, blobs: Path, size: int, progress: OnProgress, *, ours: bool, digest: str = ""
) -> StagedBlob:
    """Link, clone or copy ``source`` to an unfinished name in ``blobs``.

    Args:
        ours: whether it is a blob of a models folder, which may be linked.
        digest: the digest that is expected. If it is given, a link is not read, and a copy has to match.

    Raises:
        LibraryError: it failed.
        OSError: the operating system refused.
    """
    target = unfinished_path(blobs)
    try:
        is_linked = ours and _link(source, target)
        if is_linked and digest:
            return StagedBlob(digest, target, verified=False)
        if is_linked or _clone(source, target):
            if target.stat().st_size != size:
                raise LibraryError("library.changed", source=str(source))
            found = hash_file(target, size, progress)
        else:
            found = _copy(source, target, size, progress)
        if digest and blob_name(found) != blob_name(digest):
            raise LibraryError("library.damaged", path=str(source))
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return StagedBlob(found, target, verified=True)


def place(staged: StagedBlob, models: Path) -> None:
    """Give the blob its name, in place of a file that has it already, which may be damaged."""
    blob = blob_path(models, staged.digest)
    size = staged.path.stat().st_size
    try:
        staged.path.replace(blob)
    except PermissionError:
        # Windows does not replace a file that is in use.
        if not is_whole(blob, size):
            raise
    else:
        if staged.verified:
            remember(blob)
        else:
            forget(blob)


def fetch_blob(source: Path, models: Path, layer: Layer, progress: OnProgress) -> None:
    """Link or copy the blob ``source`` of another models folder, and read it: all or nothing.

    Raises:
        LibraryError: it failed; of the kind ``library.damaged`` if the content is not that of the digest.
        OSError: the operating system refused.
    """
    blob = blob_path(models, layer.digest)
    blob.parent.mkdir(parents=True, exist_ok=True)
    staged = stage(source, blob.parent, layer.size, progress, ours=True)
    try:
        if blob_name(staged.digest) != blob.name:
            raise LibraryError("library.damaged", path=str(source))
        place(staged, models)
    finally:
        staged.path.unlink(missing_ok=True)


def is_intact(blob: Path, layer: Layer, progress: OnProgress) -> bool:
    """Whether the blob is there, whole, with the content of its digest. Read unless it is believed.

    Raises OSError, InvalidGGUF, and LibraryError if it changes meanwhile.
    """
    if not is_whole(blob, layer.size):
        return False
    if is_believed(blob):
        return True
    if not layer.size or blob_name(hash_file(blob, layer.size, progress)) == blob.name:
        remember(blob)
        return True
    distrust(blob)
    return False


def may_have(models: Path, layer: Layer) -> bool:
    """Whether the blob is there, whole, and not known to have changed. It is not read."""
    blob = blob_path(models, layer.digest)
    return is_whole(blob, layer.size) and is_believed(blob) is not False


def is_believed(blob: Path) -> bool | None:
    """Whether the file is as it was when its content was verified; None if it never was."""
    try:
        noted = _note(blob).read_text()
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return False
    return noted == _look(blob)


def remember(blob: Path) -> None:
    """Note that the file, as it is now, has the content of its digest."""
    with suppress(OSError):  # Not to know it costs a reading.
        if blob.stat().st_size > MAX_TEXT_BYTES:
            write_whole(_note(blob), _look(blob).encode())
        else:
            forget(blob)


def distrust(blob: Path) -> None:
    """Note that the file is damaged."""
    with suppress(OSError):
        write_whole(_note(blob), b"damaged\n")


def keep(blob: Path) -> None:
    """Have a sweep spare the blob for another hour: a client asked for it, and may be about to use it."""
    with suppress(OSError):  # One that is linked may be another user's.
        status = blob.stat()
        # This changes its ctime alone; by its mtime it is known to be as it was when it was verified.
        os.utime(blob, ns=(status.st_atime_ns, status.st_mtime_ns))


def forget(blob: Path) -> None:
    """Forget what is known of the file."""
    with suppress(OSError):
        _note(blob).unlink(missing_ok=True)


def remove_blob(blob: Path) -> None:
    """Remove the file, and what is known of it. Raises OSError."""
    blob.unlink(missing_ok=True)
    forget(blob)


def _note(blob: Path) -> Path:
    return blob.parent.parent / "verified" / blob.name


def _look(blob: Path) -> str:
    status = blob.stat()
    return f"{status.st_size} {status.st_mtime_ns}\n"


def _link(source: Path, target: Path) -> bool:
    """Make a hard link; False where the system refuses: another disk, or a file of another user."""
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        return False
    return True


def _clone(source: Path, target: Path) -> bool:
    """Clone the file, if both are on a file system that can: Btrfs, XFS, APFS and others."""
    try:
        if sys.platform == "linux":
            import fcntl  # noqa: PLC0415

            with open_regular(source) as (file, _), target.open("xb") as cloned:
                fcntl.ioctl(cloned.fileno(), _FICLONE, file.fileno())
        elif sys.platform == "darwin":
            import ctypes  # noqa: PLC0415

            ctypes.CDLL(None).clonefile(os.fsencode(os.path.realpath(source)), os.fsencode(target), 0)
    except (OSError, AttributeError):
        target.unlink(missing_ok=True)
    return target.exists()


def _copy(source: Path, target: Path, size: int, progress: OnProgress) -> str:
    """Copy the file; returns the digest of what was copied."""
    free = shutil.disk_usage(target.parent).free
    if free < size + SPARE:
        raise LibraryError(
            "library.no_room", source=str(source), need=size, folder=str(target.parent), free=free
        )
    with target.open("xb", buffering=0) as written:
        digest = hash_file(source, size, progress, into=written)
        progress("writing to the disk", None, None)
        os.fsync(written.fileno())
    return digest


def hash_file(source: Path, size: int, progress: OnProgress, *, into: BinaryIO | None = None) -> str:
    """The digest of the file, which must not change meanwhile. Copies it ``into`` another, if given.

    One thread hashes what another has read and writes.
    """
    digest, done, stored = hashlib.sha256(), 0, 0
    status = "reading weights" if into is None else "copying weights"
    buffers = cycle([memoryview(bytearray(min(_CHUNK, max(size, 1)))) for _ in range(_AHEAD)])
    hashing: deque[Future[None]] = deque()
    with open_regular(source) as (file, _), ThreadPoolExecutor(1) as hasher:
        changed_at = os.fstat(file.fileno()).st_mtime_ns
        # A file may grow for as long as it is read.
        while done <= size and (count := file.readinto(buffer := next(buffers))):
            piece = buffer[:count]
            hashing.append(hasher.submit(digest.update, piece))
            if len(hashing) == _AHEAD:  # The next buffer is the one of the oldest.
                hashing.popleft().result()
            if into is not None:
                _write(into, piece)
            done += count
            if into is not None and done - stored >= _STORED_EVERY:
                _begin_to_store(into, stored, done)
                stored = done
            progress(status, done, size)
        for each in hashing:
            each.result()
        if done != size or os.fstat(file.fileno()).st_mtime_ns != changed_at:
            raise LibraryError("library.changed", source=str(source))
    return f"sha256:{digest.hexdigest()}"


def _begin_to_store(file: BinaryIO, begin: int, end: int) -> None:
    """Have the disk store these bytes without waiting for it; only Linux begins so early."""
    if sys.platform == "linux":
        os.posix_fadvise(file.fileno(), begin, end - begin, os.POSIX_FADV_DONTNEED)


def _write(file: BinaryIO, piece: memoryview) -> None:
    while piece:
        piece = piece[file.write(piece) :]
