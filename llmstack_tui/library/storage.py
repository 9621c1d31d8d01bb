"""Changes of the engine's own models folder: one at a time, and never half.

A file of weights is linked there where that is possible, else copied and checked.
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

from llmstack_tui.base.units import bytes_text
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

# Writes a text of a given media type as a blob.
WriteLayer = Callable[[str, bytes], Layer]

_CHUNK = 4 * 1024**2
# What has to stay free on the disk beside the copy.
_SPARE = 64 * 1024**2

OnProgress = Callable[[str, int | None, int | None], None]
"""Called often, with what is being done, and the bytes done and in all where there are any.

It ends the work by raising `Cancelled`.
"""

_LOCK_WAIT_S = 60.0
GRACE_S = 3600.0
"""What changed within this time may be part of a pull, an import or a creation that is under way."""

UNFINISHED = ".unfinished-"

# Held, beside the models, by an engine as long as it downloads something: two that write into one file would
# spoil it, and what is being fetched is not to be cleaned up.
DOWNLOADS_LOCK = ".downloads.lock"


class LibraryError(Exception):
    """A change of the models folder that did not happen; ``str`` of it is a sentence for the user."""


class Cancelled(LibraryError):
    """The user ended it."""


def is_full(error: OSError) -> bool:
    """Whether the disk is full, or the user's quota."""
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
def explained(what: str) -> Iterator[None]:
    """Whatever goes wrong with files as a `LibraryError`; ``what`` did not happen, as "x cannot be made"."""
    try:
        yield
    except (InvalidManifest, InvalidGGUF) as error:
        raise LibraryError(str(error)) from error
    except OSError as error:
        raise LibraryError(f"{what}: {reason(error)}.") from error


@contextmanager
def held(lock: FileLock, busy: str) -> Iterator[None]:
    """Hold a lock in a models folder.

    Raises:
        LibraryError: if the folder cannot be written, or, with the sentence ``busy``, somebody else holds it.
    """
    models = Path(lock.lock_file).parent
    with explained(f"The models folder {models} cannot be written"):
        try:
            models.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            raise LibraryError(busy) from None
    try:
        yield
    finally:
        lock.release()


def locked(models: Path) -> AbstractContextManager[None]:
    """Hold the lock of the folder: of all threads and processes one changes it at a time. As `held`."""
    lock = FileLock(models / ".lock", timeout=_LOCK_WAIT_S)
    return held(lock, f"Another import or removal in {models} is not done yet: try again later.")


def write_whole(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` so that at no time a part of it is there."""
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
    """A new name in ``folder`` that no model can have, with the time when it was made."""
    return folder / f"{UNFINISHED}{int(time.time())}-{secrets.token_hex(8)}"


def remove_unfinished(models: Path) -> None:
    """Remove what processes left behind that were killed while they wrote, an hour ago or more."""
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


def remove_unused(models: Path, left: frozenset[str]) -> None:
    """Remove those blobs in ``left``, and older ones, that no manifest names. The caller holds the lock.

    A young blob without a manifest may be waiting for one: a client sends blobs first. What a download that
    was interrupted has left is kept for the next time.
    """
    used = set[str]()
    for path in manifests_folder(models).glob("*/*/*/*"):
        try:
            used |= blob_names(path)
        except FileNotFoundError:
            continue
        except (OSError, InvalidManifest):
            # It may name any blob.
            return
    for path in blobs_folder(models).glob("sha256-*"):
        with suppress(OSError):
            if "-partial" in path.name:
                continue
            if path.name not in used and (path.name in left or time.time() - path.stat().st_ctime > GRACE_S):
                path.unlink()


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


@contextmanager
def staging(models: Path) -> Iterator[dict[str, Path]]:
    """Blobs under unfinished names, by their digests, to be put there; what is left at the end is removed."""
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
    """Write a model of staged blobs and of the layers that ``make`` writes; the caller holds the lock.

    ``make`` returns the manifest, which comes last: a reader sees the whole model or none. When anything
    fails, nothing stays; what a model of the same name had alone goes.
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
    """Write the manifest ``content`` if all that it names is there; None if it is not.

    True says that the model was there before with something that it does not use any more. Such blobs go
    when they are an hour old and no other manifest names them.

    Raises:
        LibraryError: if the folder cannot be written.
    """
    wanted = parse_manifest(content).blobs
    with locked(models):
        with explained(f"The model {name} cannot be written"):
            if not all(has_blob(models, each) for each in wanted):
                return None
            unused = blobs_of(models, name) - {blob_name(each.digest) for each in wanted}
            write_whole(manifest_path(models, name), content)
        if unused:
            remove_unused(models, frozenset())
        return bool(unused)
