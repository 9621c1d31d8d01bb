"""Changes to the engine's own models folder: one at a time, and all or nothing.

How the files of weights come there is in `blobs`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from llmstack_tui.base.sentences import QUOTED, said
from llmstack_tui.library.blobs import StagedBlob, place, remove_blob
from llmstack_tui.library.errors import LibraryError, NotReadable, library_errors
from llmstack_tui.library.files import UNFINISHED, write_whole
from llmstack_tui.library.folders import (
    blob_path,
    blobs_folder,
    has_blob,
    manifest_path,
    manifests_folder,
    read_small,
)
from llmstack_tui.library.installed import check_parts, check_text, read_texts
from llmstack_tui.library.manifest import (
    BLOB_NAME,
    MAX_TEXT_BYTES,
    InvalidManifest,
    Layer,
    blob_name,
    digest_of,
    parse_manifest,
)

if TYPE_CHECKING:
    from llmstack_tui.base.names import ModelName

# Writes content of a media type as a blob.
WriteLayer = Callable[[str, bytes], Layer]

_LOCK_WAIT_S = 60.0
GRACE_S = 3600.0
"""A file that changed within this time may belong to a pull, an import or a creation under way."""

# An engine holds this lock while it downloads: two engines must not write into one file, and a clean-up must
# not remove what is being fetched.
DOWNLOADS_LOCK = ".downloads.lock"


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


def remove_unused(models: Path, freed: frozenset[str], *, now_s: float | None = None) -> None:
    """Remove blobs that no manifest names: ``freed``, and all older than `GRACE_S`.

    A younger blob may be waiting for its manifest, because clients send blobs first, and so may an older one
    while another blob is on its way. An interrupted download is kept for the next time. The caller holds the
    lock.
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
    there = [*blobs_folder(models).glob("*")]
    now_s = time.time() if now_s is None else now_s
    arriving = any(not BLOB_NAME.fullmatch(path.name) and _is_young(path, now_s) for path in there)
    for path in there:
        if BLOB_NAME.fullmatch(path.name) and path.name not in used:
            with suppress(OSError):
                if path.name in freed or not (arriving or _is_young(path, now_s)):
                    remove_blob(path)


def _is_young(path: Path, now_s: float) -> bool:
    """Whether the file came, or changed, within `GRACE_S`. One that is gone is not."""
    try:
        status = path.stat()
    except OSError:
        return False
    # A link or a copy may have the mtime of its original.
    return now_s - max(status.st_mtime, status.st_ctime) <= GRACE_S


def sweep(models: Path, *, now_s: float | None = None) -> None:
    """Remove the blobs that no manifest names, as Ollama does at its start; see `remove_unused`.

    What a killed process had not finished goes, too.

    Raises:
        LibraryError: the folder cannot be changed now.
    """
    if blobs_folder(models).is_dir():
        with locked(models):
            remove_unfinished(models)
            remove_unused(models, frozenset(), now_s=now_s)


@contextmanager
def staging(models: Path) -> Iterator[dict[str, StagedBlob]]:
    """A dictionary for staged blobs, by digest. Files that are still there at the end are removed."""
    blobs_folder(models).mkdir(parents=True, exist_ok=True)
    remove_unfinished(models)
    staged: dict[str, StagedBlob] = {}
    try:
        yield staged
    finally:
        for each in staged.values():
            each.path.unlink(missing_ok=True)


def write_model(
    models: Path, name: ModelName, staged: Mapping[str, StagedBlob], make: Callable[[WriteLayer], bytes]
) -> None:
    """Write a model from staged blobs and from the layers that ``make`` writes. The caller holds the lock.

    ``make`` returns the manifest, which is written last: a reader sees the whole model or none. After a
    failure nothing is left, and a model of that name stays. Blobs that only it used are removed at the end.

    Raises:
        NotReadable: what was to be written is more, or other, than a reader takes.
    """
    replaced, written = blobs_of(models, name), set(map(blob_name, staged))

    def write(media_type: str, content: bytes) -> Layer:
        layer = Layer(media_type=media_type, digest=digest_of(content), size=len(content))
        check_text(layer)
        written.add(blob_name(layer.digest))
        if not has_blob(models, layer):
            write_whole(blob_path(models, layer.digest), content)
        return layer

    try:
        for each in staged.values():
            place(each, models)
        content = make(write)
        _check_readable(models, content)
        write_whole(manifest_path(models, name), content)
    except BaseException as error:
        remove_unused(models, frozenset(written))
        if isinstance(error, InvalidManifest):
            raise NotReadable(QUOTED, text=said(error)) from error
        raise
    remove_unused(models, replaced | written)


def _check_readable(models: Path, content: bytes) -> None:
    """Raise InvalidManifest if the model could not be read again: then it would replace one that can."""
    if len(content) > MAX_TEXT_BYTES:
        raise InvalidManifest("library.manifest_too_large", size=len(content), limit=MAX_TEXT_BYTES)
    manifest = parse_manifest(content)
    check_parts(manifest)
    read_texts(models, manifest)


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
