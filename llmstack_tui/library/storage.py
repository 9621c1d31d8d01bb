"""Changes of the engine's own models folder: one at a time, and never half."""

from __future__ import annotations

import errno
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from llmstack_tui.library import manifest as layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from llmstack_tui.base.names import ModelName

_LOCK_WAIT_S = 60.0
GRACE_S = 3600.0
"""What changed within this time may be part of a pull, an import or a creation that is under way."""

# Held, beside the models, by an engine as long as it downloads something: two that write into one file would
# spoil it, and what is being fetched is not to be cleaned up.
DOWNLOADS_LOCK = ".downloads.lock"


class LibraryError(Exception):
    """A change of the models folder that did not happen; ``str`` of it is a sentence for the user."""


def is_full(error: OSError) -> bool:
    """Whether there is no room left, or none for this user."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}


def reason(error: OSError) -> str:
    """The operating system's word for what went wrong, as part of a sentence."""
    if is_full(error):
        return "the disk is full"
    if error.errno == errno.EFBIG:
        return "the disk takes no file that is so large"
    if error.errno == errno.EROFS:
        return "the disk is read-only"
    if error.errno in {errno.EACCES, errno.EPERM}:
        return "it is not permitted"
    return (error.strerror or str(error)).rstrip(".")


@contextmanager
def locked(models: Path) -> Iterator[None]:
    """Be the only one, of all threads and processes, that changes the folder.

    Raises:
        LibraryError: if the folder cannot be written, or another change takes too long.
    """
    try:
        models.mkdir(parents=True, exist_ok=True)
        lock = FileLock(models / ".lock", timeout=_LOCK_WAIT_S)
        lock.acquire()
    except Timeout:
        raise LibraryError(
            f"Another import or removal in {models} is not done yet: try again later."
        ) from None
    except OSError as error:
        raise LibraryError(f"The models folder {models} cannot be written: {reason(error)}.") from error
    try:
        yield
    finally:
        lock.release()


def blobs_of(models: Path, name: ModelName) -> frozenset[str]:
    """The file names of the blobs of a model; empty if it is not there, or its manifest says nothing."""
    try:
        return _blob_names(layout.manifest_path(models, name))
    except (OSError, layout.InvalidManifest):
        return frozenset()


def remove_unused(models: Path, left: frozenset[str]) -> None:
    """Remove those blobs in ``left``, and older ones, that no manifest names. For the holder of the lock.

    A young blob without a manifest may be waiting for one: a client sends blobs first. What a download that
    was interrupted has left is kept for the next time.
    """
    used = set[str]()
    for path in layout.manifests_folder(models).glob("*/*/*/*"):
        try:
            used |= _blob_names(path)
        except FileNotFoundError:
            continue
        except (OSError, layout.InvalidManifest):
            # It may name any blob.
            return
    for path in layout.blobs_folder(models).glob("sha256-*"):
        with suppress(OSError):
            if "-partial" in path.name:
                continue
            if path.name not in used and (path.name in left or time.time() - path.stat().st_ctime > GRACE_S):
                path.unlink()


def install(models: Path, name: ModelName, content: bytes) -> bool | None:
    """Write the manifest ``content`` if all that it names is there; None if it is not.

    True says that the model was there before with something that it does not use any more. Such blobs go
    when they are an hour old and no other manifest names them.

    Raises:
        LibraryError: if the folder cannot be written.
    """
    wanted = layout.decode_manifest(content).blobs
    with locked(models):
        try:
            if not all(layout.is_whole(layout.blob_path(models, each.digest), each.size) for each in wanted):
                return None
            unused = blobs_of(models, name) - {layout.blob_name(each.digest) for each in wanted}
            layout.write_whole(layout.manifest_path(models, name), content)
        except OSError as error:
            raise LibraryError(f"The model {name} cannot be written: {reason(error)}.") from error
        if unused:
            remove_unused(models, frozenset())
        return bool(unused)


def _blob_names(manifest: Path) -> frozenset[str]:
    blobs = layout.decode_manifest(layout.read_small(manifest)).blobs
    return frozenset(layout.blob_name(layer.digest) for layer in blobs)
