"""The disk space that models take, the files that no model uses any more, and how to remove them.

Ollama has no command for that: at its start, it removes blobs that no manifest names.
"""

from __future__ import annotations

import asyncio
import re
import stat
import time
from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from filelock import FileLock
from msgspec import Struct

from llmstack_tui.base.names import InvalidName, ModelName
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.library.blobs import remove_blob
from llmstack_tui.library.errors import LibraryError, library_errors
from llmstack_tui.library.files import UNFINISHED
from llmstack_tui.library.folders import blobs_folder, manifests_folder
from llmstack_tui.library.manifest import BLOB_NAME, InvalidManifest
from llmstack_tui.library.storage import DOWNLOADS_LOCK, GRACE_S, blob_names, holding, locked

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

# Unfinished files: Ollama's are "sha256-…-partial" and "sha256-…-partial-0", the engine's may end otherwise.
_PARTIAL = re.compile(r"sha256-[0-9a-f]{64}[-.].+|\.unfinished-.+")


class LeftoverKind(StrEnum):
    ORPHAN = "orphan"  # a whole blob that no manifest names
    PARTIAL = "partial"  # a download, a copy or a text that was not finished


class ModelUse(Struct, frozen=True):
    """The disk space that a model takes.

    Attributes:
        size: bytes of its blobs in the folder, each counted once.
        shared: the part of ``size`` that other models in the folder use, too.
        missing: how many of its blobs are not in the folder.
    """

    name: str
    size: int
    shared: int
    missing: int

    @property
    def alone(self) -> int:
        """Bytes that are freed when the model is removed."""
        return self.size - self.shared


class Leftover(Struct, frozen=True):
    """A file that no manifest names.

    Attributes:
        size: bytes on the disk; the file of a partial download may be longer.
        changed_s: when it changed last, in Unix seconds.
        kept: why a clean-up keeps it; None if it may be removed.
    """

    path: Path
    kind: LeftoverKind
    size: int
    changed_s: float
    kept: Sentence | None


class FolderUse(Struct, frozen=True):
    """The contents of a models folder.

    Attributes:
        own: whether it is the engine's; other folders are only read.
        unreadable: manifests that cannot be read, which may name any blob.
        size: bytes of all blobs and leftovers.
    """

    path: Path
    own: bool
    models: tuple[ModelUse, ...]
    leftovers: tuple[Leftover, ...]
    unreadable: tuple[Path, ...]
    size: int

    @property
    def removable(self) -> tuple[Leftover, ...]:
        """The files that a clean-up would remove."""
        return tuple(leftover for leftover in self.leftovers if leftover.kept is None)


class _FoundFile(NamedTuple):
    path: Path
    size: int
    changed_s: float


class DiskService:
    """The disk use of models.

    Args:
        folder: of the built-in engine's models; None where it has none.
        folders: finds all folders of models on this machine. Blocking.
    """

    def __init__(self, folder: Path | None, folders: Callable[[], Iterable[Path]] = tuple) -> None:
        self.folder = folder
        self._folders = folders

    async def look(self) -> FolderUse | None:
        """The contents of the engine's folder; None if it has none.

        Raises:
            LibraryError: the folder cannot be read.
        """
        return None if self.folder is None else await asyncio.to_thread(audit, self.folder, own=True)

    async def look_elsewhere(self) -> tuple[FolderUse | LibraryError, ...]:
        """The contents of the other models folders on this machine (Ollama's), or the error of one."""
        return await asyncio.to_thread(self._audit_others)

    async def clean(self, chosen: Collection[Leftover]) -> tuple[Leftover, ...]:
        """Remove the leftovers that a person has chosen; returns those that were removed.

        Raises:
            LibraryError: the folder cannot be changed now, or something is being downloaded into it.
        """
        return () if self.folder is None else await asyncio.to_thread(remove_leftovers, self.folder, chosen)

    def _audit_others(self) -> tuple[FolderUse | LibraryError, ...]:
        own = None if self.folder is None else self.folder.resolve()
        return tuple(_audited(folder) for folder in self._folders() if folder.resolve() != own)


def _audited(folder: Path) -> FolderUse | LibraryError:
    try:
        return audit(folder, own=False)
    except LibraryError as error:
        return error


def audit(folder: Path, *, own: bool, now_s: float | None = None) -> FolderUse:
    """The contents of a models folder. Nothing is changed; a folder that does not exist is empty.

    Raises:
        LibraryError: the folder cannot be read.
    """
    now_s = time.time() if now_s is None else now_s
    with library_errors("library.folder_unreadable", models=str(folder)):
        # Blobs first: one whose manifest is written meanwhile is then not taken for an orphan.
        files = {file.path.name: file for file in _files(blobs_folder(folder))}
        manifests, unreadable = _manifests(folder)
        unfinished = [
            file
            for file in _files(manifests_folder(folder), deep=True)
            if file.path.name.startswith(UNFINISHED)
        ]
    used = Counter(blob for blobs in manifests.values() for blob in blobs)
    leftover = [
        (file, LeftoverKind.ORPHAN if BLOB_NAME.fullmatch(name) else LeftoverKind.PARTIAL)
        for name, file in files.items()
        if name not in used and (BLOB_NAME.fullmatch(name) or _PARTIAL.fullmatch(name))
    ]
    leftover += [(file, LeftoverKind.PARTIAL) for file in unfinished]
    # A time in the future counts as young: the clock was wrong, and the age is unknown.
    young = {file.path for file, _ in leftover if now_s - file.changed_s <= GRACE_S}
    pulling = any(kind is LeftoverKind.PARTIAL and file.path in young for file, kind in leftover)

    def kept(file: _FoundFile, kind: LeftoverKind) -> Sentence | None:
        if not own:
            return Sentence("library.kept_ollamas")
        if unreadable:
            return Sentence("library.kept_unreadable")
        if file.path in young:
            return Sentence("library.kept_young")
        # In a long pull, the first layers are whole, and old, before the manifest is written.
        waits = pulling and kind is LeftoverKind.ORPHAN
        return Sentence("library.kept_pulling") if waits else None

    return FolderUse(
        path=folder,
        own=own,
        models=tuple(_use(name, blobs, used, files) for name, blobs in sorted(manifests.items())),
        leftovers=tuple(
            Leftover(file.path, kind, file.size, file.changed_s, kept(file, kind))
            for file, kind in sorted(leftover, key=lambda each: -each[0].size)
        ),
        unreadable=unreadable,
        size=sum(file.size for file in (*files.values(), *unfinished)),
    )


def remove_leftovers(
    folder: Path, chosen: Collection[Leftover], *, now_s: float | None = None
) -> tuple[Leftover, ...]:
    """Remove those of ``chosen`` that have not changed and still belong to no model; returns those removed.

    ``folder`` must be the engine's; ``chosen`` comes from an `audit` of it, and a person has agreed.

    Raises:
        LibraryError: the folder cannot be changed, an engine downloads into it, or another change takes too
            long.
    """
    agreed = {(leftover.path, leftover.changed_s) for leftover in chosen}
    removed: list[Leftover] = []
    # Age alone does not tell: a waiting download may have an old unfinished file.
    downloads = FileLock(folder / DOWNLOADS_LOCK, timeout=0)
    with holding(downloads, "library.pull_under_way"), locked(folder):
        for leftover in audit(folder, own=True, now_s=now_s).removable:
            if (leftover.path, leftover.changed_s) in agreed:
                with library_errors("library.file_not_removed", path=str(leftover.path)):
                    remove_blob(leftover.path)
                removed.append(leftover)
    return tuple(removed)


def _use(name: str, blobs: frozenset[str], used: Counter[str], files: dict[str, _FoundFile]) -> ModelUse:
    there = [blob for blob in blobs if blob in files]
    return ModelUse(
        name=name,
        size=sum(files[blob].size for blob in there),
        shared=sum(files[blob].size for blob in there if used[blob] > 1),
        missing=len(blobs) - len(there),
    )


def _manifests(folder: Path) -> tuple[dict[str, frozenset[str]], tuple[Path, ...]]:
    """The names of the blobs of each model, and the manifests that cannot be read."""
    found: dict[str, frozenset[str]] = {}
    unreadable: list[Path] = []
    root = manifests_folder(folder)
    for file in _files(root, deep=True):
        parts = file.path.relative_to(root).parts
        if file.path.name.startswith("."):
            continue
        try:
            host, namespace, model, tag = parts
            name = ModelName(host=host, namespace=namespace, model=model, tag=tag).short
            blobs = blob_names(file.path)
        except FileNotFoundError:
            continue
        except (OSError, ValueError, InvalidName, InvalidManifest):
            # Misplaced files, too: somebody may have moved a manifest there for a while.
            unreadable.append(file.path)
        else:
            found[name] = blobs
    return found, tuple(sorted(unreadable))


def _files(folder: Path, *, deep: bool = False) -> Iterator[_FoundFile]:
    """Regular files; links are not followed.

    Raises:
        OSError: the folder exists and cannot be read, or one below it.
    """
    try:
        paths = sorted(folder.iterdir())
    except FileNotFoundError:
        return
    for path in paths:
        try:
            status = path.lstat()
        except FileNotFoundError:
            continue
        if stat.S_ISDIR(status.st_mode) and deep:
            yield from _files(path, deep=True)
        elif stat.S_ISREG(status.st_mode):
            # A link or a copy may have the mtime of its original; its ctime is not older than itself.
            yield _FoundFile(path, _disk_bytes(path.name, status), max(status.st_mtime, status.st_ctime))


def _disk_bytes(name: str, status: os.stat_result) -> int:
    """Bytes on the disk: the file of a download may have gaps."""
    blocks: int | None = getattr(status, "st_blocks", None)
    if blocks is None or not _PARTIAL.fullmatch(name):
        return status.st_size
    return min(status.st_size, blocks * 512)
