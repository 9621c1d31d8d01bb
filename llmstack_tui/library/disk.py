"""What models take on the disk, what nothing uses any more, and removing that.

Ollama has no command for it: it removes blobs that no manifest names when it starts.
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
from llmstack_tui.library.folders import blobs_folder, manifests_folder
from llmstack_tui.library.manifest import BLOB_NAME, InvalidManifest
from llmstack_tui.library.storage import (
    DOWNLOADS_LOCK,
    GRACE_S,
    UNFINISHED,
    LibraryError,
    blob_names,
    explained,
    held,
    locked,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

# Ollama's are "sha256-…-partial" and "sha256-…-partial-0"; the engine's may have another ending.
_PARTIAL = re.compile(r"sha256-[0-9a-f]{64}[-.].+|\.unfinished-.+")


class LeftoverKind(StrEnum):
    ORPHAN = "orphan"  # a whole blob that no manifest names
    PARTIAL = "partial"  # a download, a copy or a text that was not finished


class ModelUse(Struct, frozen=True):
    """What a model takes.

    Attributes:
        size: bytes of its blobs that are there, each once.
        shared: bytes of those that other models of the folder use, too.
        missing: how many of its blobs are not there.
    """

    name: str
    size: int
    shared: int
    missing: int

    @property
    def alone(self) -> int:
        """Bytes that go when the model goes."""
        return self.size - self.shared


class Leftover(Struct, frozen=True):
    """A file that no manifest names.

    Attributes:
        size: bytes that it takes on the disk; a partial download may be longer than that.
        changed_s: when it changed last, in seconds of the epoch.
        kept: why a clean-up spares it, a part of a sentence; empty if it does not.
    """

    path: Path
    kind: LeftoverKind
    size: int
    changed_s: float
    kept: str


class FolderUse(Struct, frozen=True):
    """What is in a models folder.

    Attributes:
        own: whether it is the engine's; others are only read.
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
        """What a clean-up would remove."""
        return tuple(leftover for leftover in self.leftovers if not leftover.kept)


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
        """What is there; None without a folder.

        Raises:
            LibraryError: the folder cannot be read.
        """
        return None if self.folder is None else await asyncio.to_thread(audit, self.folder, own=True)

    async def look_elsewhere(self) -> tuple[FolderUse | LibraryError, ...]:
        """What the other folders of this machine hold, Ollama's, or why one cannot be read."""
        return await asyncio.to_thread(self._audit_others)

    async def clean(self, chosen: Collection[Leftover]) -> tuple[Leftover, ...]:
        """Remove what a person has agreed to; returns what was removed.

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
        LibraryError: if the folder cannot be read.
    """
    now_s = time.time() if now_s is None else now_s
    with explained(f"The models folder {folder} cannot be read"):
        # The blobs first: one that gets its manifest meanwhile is no orphan then.
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
    # Times in the future, too: then the clock was wrong, and the age is unknown.
    young = {file.path for file, _ in leftover if now_s - file.changed_s <= GRACE_S}
    pulling = any(kind is LeftoverKind.PARTIAL and file.path in young for file, kind in leftover)

    def kept(file: _FoundFile, kind: LeftoverKind) -> str:
        if not own:
            return "Ollama's own"
        if unreadable:
            return "a manifest cannot be read, and may name it"
        if file.path in young:
            return "changed within the last hour"
        # The first layers of a long pull are whole, and old, before its manifest is there.
        return "a download is under way" if pulling and kind is LeftoverKind.ORPHAN else ""

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
    """Remove those of ``chosen`` that have not changed and still belong to no model; returns what went.

    ``chosen`` is what an `audit` of the same folder said, and a person agreed to. It must be the engine's.

    Raises:
        LibraryError: if the folder cannot be changed, an engine downloads into it, or another change takes
            too long.
    """
    agreed = {(leftover.path, leftover.changed_s) for leftover in chosen}
    removed: list[Leftover] = []
    # An unfinished file of a download that waits may be old.
    downloads = FileLock(folder / DOWNLOADS_LOCK, timeout=0)
    busy = f"A download into {folder} is under way: clean up when it is done, or cancel it first."
    with held(downloads, busy), locked(folder):
        for leftover in audit(folder, own=True, now_s=now_s).removable:
            if (leftover.path, leftover.changed_s) in agreed:
                with explained(f"{leftover.path} cannot be removed"):
                    leftover.path.unlink(missing_ok=True)
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
    """The blobs' names by the models' names, and the manifests that cannot be read."""
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
            # Also a file where no manifest belongs: somebody may have put it there for a while.
            unreadable.append(file.path)
        else:
            found[name] = blobs
    return found, tuple(sorted(unreadable))


def _files(folder: Path, *, deep: bool = False) -> Iterator[_FoundFile]:
    """Regular files; links are not followed.

    Raises:
        OSError: if the folder is there and cannot be read, or one below it.
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
            # A blob that was linked keeps the time of the original; a copied folder, that of the copy.
            yield _FoundFile(path, _taken(path.name, status), max(status.st_mtime, status.st_ctime))


def _taken(name: str, status: os.stat_result) -> int:
    """Bytes on the disk: the file of a download may be longer than what it holds."""
    blocks: int | None = getattr(status, "st_blocks", None)
    if blocks is None or not _PARTIAL.fullmatch(name):
        return status.st_size
    return min(status.st_size, blocks * 512)
