"""Changes to the engine's own models folder: one at a time, and all or nothing.

Files of weights are linked where possible, else copied and verified.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from filelock import FileLock, Timeout

from llmstack_tui.base.sentences import QUOTED, Failure, Sentence, quoted, said
from llmstack_tui.gguf.source import InvalidGGUF, open_regular
from llmstack_tui.library.folders import (
    blob_path,
    blobs_folder,
    has_blob,
    is_whole,
    manifest_path,
    manifests_folder,
    read_small,
)
from llmstack_tui.library.manifest import InvalidManifest, Layer, blob_name, digest_of, parse_manifest

if TYPE_CHECKING:
    from llmstack_tui.base.names import ModelName
    from llmstack_tui.base.sentences import Param

# Writes content of a media type as a blob.
WriteLayer = Callable[[str, bytes], Layer]

_CHUNK = 4 * 1024**2
# Bytes that have to stay free on the disk after a copy.
_SPARE = 64 * 1024**2

OnProgress = Callable[[str, int | None, int | None], None]
"""Called often, with the step, the bytes done and the total; both are None for a step without bytes.

It ends the work by raising `Cancelled`.
"""

_LOCK_WAIT_S = 60.0
GRACE_S = 3600.0
"""A file that changed within this time may belong to a pull, an import or a creation under way."""

UNFINISHED = ".unfinished-"

# An engine holds this lock while it downloads: two engines must not write into one file, and a clean-up must
# not remove what is being fetched.
DOWNLOADS_LOCK = ".downloads.lock"


class LibraryError(Failure):
    """A change to the models folder failed."""


class Cancelled(LibraryError):
    """The user cancelled it."""

    def __init__(self) -> None:
        super().__init__("library.cancelled")


def is_full(error: OSError) -> bool:
    """Whether the disk is full, or the user's quota."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}


def reason(error: OSError) -> Sentence:
    """The cause of an operating system's error."""
    if is_full(error):
        return Sentence("library.disk_full")
    if error.errno == errno.EFBIG:
        return Sentence("library.file_too_large")
    if error.errno == errno.EROFS:
        return Sentence("library.disk_read_only")
    if error.errno in {errno.EACCES, errno.EPERM}:
        return Sentence("library.not_permitted")
    return quoted(f"{(error.strerror or str(error)).rstrip('.')}.")


@contextmanager
def library_errors(kind: str, /, **params: Param) -> Iterator[None]:
    """Turn errors of files into a `LibraryError` of this kind, with the parameter ``why`` added."""
    try:
        yield
    except (InvalidManifest, InvalidGGUF) as error:
        raise LibraryError(QUOTED, text=said(error)) from error
    except OSError as error:
        raise LibraryError(kind, hint="", **params, why=(reason(error),)) from error


@contextmanager
def holding(lock: FileLock, busy: str) -> Iterator[None]:
    """Hold a lock in a models folder.

    Raises:
        LibraryError: the folder cannot be written, or somebody else holds the lock (of the kind ``busy``).
    """
    models = Path(lock.lock_file).parent
    with library_errors("library.not_writable", models=str(models)):
        try:
            models.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            raise LibraryError(busy, models=str(models)) from None
    try:
        yield
    finally:
        lock.release()


def locked(models: Path) -> AbstractContextManager[None]:
    """Hold the lock with which one thread or process at a time changes the folder. Raises as `holding`."""
    lock = FileLock(models / ".lock", timeout=_LOCK_WAIT_S)
    return holding(lock, "library.busy")


def write_whole(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` atomically: nobody sees a part of it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = unfinished_path(path.parent)
    try:
        with unfinished.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def unfinished_path(folder: Path) -> Path:
    """A new path in ``folder``; its name contains the current time, and no model can have it."""
    return folder / f"{UNFINISHED}{int(time.time())}-{secrets.token_hex(8)}"


def remove_unfinished(models: Path) -> None:
    """Remove unfinished files that killed processes left behind an hour ago or earlier."""
    for folder in (blobs_folder(models), manifests_folder(models)):
        for path in folder.rglob(f"{UNFINISHED}*"):
            with suppress(OSError, ValueError):
                made_at = int(path.name.removeprefix(UNFINISHED).partition("-")[0])
                # A linked file is as old as its original, a long copy is younger than its name.
                if time.time() - max(made_at, path.stat().st_mtime) > GRACE_S:
                    path.unlink()


def blobs_of(models: Path, name: ModelName) -> frozenset[str]:
    """The file names of the blobs of a model; empty if it is not installed, or its manifest is broken."""
    try:
        return blob_names(manifest_path(models, name))
    except (OSError, InvalidManifest):
        return frozenset()


def blob_names(manifest: Path) -> frozenset[str]:
    """The file names of the blobs that a manifest names. Raises OSError, InvalidManifest."""
    return frozenset(blob_name(layer.digest) for layer in parse_manifest(read_small(manifest)).blobs)


def remove_unused(models: Path, freed: frozenset[str]) -> None:
    """Remove blobs that no manifest names: ``freed``, and all older than `GRACE_S`.

    A younger blob may be waiting for its manifest, because clients send blobs first. An interrupted download
    is kept for the next time. The caller holds the lock.
    """
    used = set[str]()
    for path in manifests_folder(models).glob("*/*/*/*"):
        try:
            used |= blob_names(path)
        except FileNotFoundError:
            continue
        except (OSError, InvalidManifest):
            # An unreadable manifest may name any blob.
            return
    for path in blobs_folder(models).glob("sha256-*"):
        with suppress(OSError):
            if "-partial" in path.name:
                continue
            if path.name not in used and (path.name in freed or time.time() - path.stat().st_ctime > GRACE_S):
                path.unlink()


def silent(status: str, completed: int | None, total: int | None) -> None:
    """An `OnProgress` that does nothing."""


def stage(
    source: Path, blobs: Path, size: int, progress: OnProgress, *, digest: str = ""
) -> tuple[str, Path]:
    """Link or copy ``source`` to an unfinished name in ``blobs``. Returns its digest and its new path.

    Args:
        digest: the digest that is expected. If it is given, a link is not read, and a copy has to match.

    Raises:
        LibraryError: it failed.
        OSError: the operating system refused.
    """
    target = unfinished_path(blobs)
    try:
        if _link(source, target):
            return digest or _hash(target, size, progress), target
        found = _copy(source, target, size, progress)
        if digest and blob_name(found) != blob_name(digest):
            raise LibraryError("library.damaged", path=str(source))
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return found, target


def fetch_blob(source: Path, target: Path, layer: Layer, progress: OnProgress) -> None:
    """Link or copy the blob ``source`` to ``target``, all or nothing. Raises as `stage`."""
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
            "library.no_room", source=str(source), need=size, folder=str(target.parent), free=free
        )
    with target.open("xb") as written:
        digest = _hash(source, size, progress, into=written)
        written.flush()
        os.fsync(written.fileno())
    return digest


def _hash(source: Path, size: int, progress: OnProgress, *, into: BinaryIO | None = None) -> str:
    """The digest of the file, which must not change meanwhile. Copies it ``into`` another, if given."""
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
            raise LibraryError("library.changed", source=str(source))
    return f"sha256:{digest.hexdigest()}"


@contextmanager
def staging(models: Path) -> Iterator[dict[str, Path]]:
    """A dictionary for staged blobs: digest to path. Files that are still there at the end are removed."""
    blobs_folder(models).mkdir(parents=True, exist_ok=True)
    remove_unfinished(models)
    staged: dict[str, Path] = {}
    try:
        yield staged
    finally:
        for path in staged.values():
            path.unlink(missing_ok=True)


def write_model(
    models: Path, name: ModelName, staged: Mapping[str, Path], make: Callable[[WriteLayer], bytes]
) -> None:
    """Write a model from staged blobs and from the layers that ``make`` writes. The caller holds the lock.

    ``make`` returns the manifest, which is written last: a reader sees the whole model or none. After a
    failure nothing is left. Blobs that only a replaced model of the same name used are removed.
    """
    replaced, written = blobs_of(models, name), set(map(blob_name, staged))

    def write(media_type: str, content: bytes) -> Layer:
        layer = Layer(media_type=media_type, digest=digest_of(content), size=len(content))
        written.add(blob_name(layer.digest))
        if not has_blob(models, layer):
            write_whole(blob_path(models, layer.digest), content)
        return layer

    try:
        for digest, path in staged.items():
            if not is_whole(blob := blob_path(models, digest), path.stat().st_size):
                path.replace(blob)
        write_whole(manifest_path(models, name), make(write))
    except BaseException:
        remove_unused(models, frozenset(written))
        raise
    remove_unused(models, replaced | written)


def install(models: Path, name: ModelName, content: bytes) -> bool | None:
    """Write the manifest ``content`` if all blobs that it names are there; else return None.

    Returns True if the model replaces one with blobs that it does not use any more. They are removed once
    they are an hour old, unless another manifest names them.

    Raises:
        LibraryError: the folder cannot be written.
    """
    wanted = parse_manifest(content).blobs
    with locked(models):
        with library_errors("library.not_written", model=str(name)):
            if not all(has_blob(models, each) for each in wanted):
                return None
            unused = blobs_of(models, name) - {blob_name(each.digest) for each in wanted}
            write_whole(manifest_path(models, name), content)
        if unused:
            remove_unused(models, frozenset())
        return bool(unused)
