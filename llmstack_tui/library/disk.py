"""The disk space that models take, the files that no model uses any more, and how to remove them.

Ollama has no command for that: at its start, it removes blobs that no manifest names.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from filelock import FileLock

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.library.blobs import is_believed, remove_blob
from llmstack_tui.library.contents import (
    FoundFile,
    StoredManifest,
    files_in,
    manifest_files,
    stored_manifests,
)
from llmstack_tui.library.errors import Cancelled, LibraryError, library_errors
from llmstack_tui.library.files import UNFINISHED, remove_empty
from llmstack_tui.library.folders import blobs_folder, manifests_folder
from llmstack_tui.library.manifest import BLOB_NAME, blob_name
from llmstack_tui.library.storage import DOWNLOADS_LOCK, GRACE_S, holding, locked
from llmstack_tui.library.threads import in_thread
from llmstack_tui.library.use import FolderUse, FolderVerification, Leftover, LeftoverKind, ModelUse
from llmstack_tui.library.verification import verify_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from pathlib import Path

    from llmstack_tui.library.blobs import OnProgress

# Unfinished files: Ollama's are "sha256-…-partial" and "sha256-…-partial-0", the engine's may end otherwise.
_PARTIAL = re.compile(r"sha256-[0-9a-f]{64}[-.].+|\.unfinished-.+")


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

    async def look_everywhere(self) -> tuple[FolderUse, ...]:
        """The contents of all folders that can be read."""
        own: FolderUse | LibraryError | None
        try:
            own = await self.look()
        except LibraryError:
            own = None
        found = (own, *await self.look_elsewhere())
        return tuple(each for each in found if isinstance(each, FolderUse))

    async def look_elsewhere(self) -> tuple[FolderUse | LibraryError, ...]:
        """The contents of the other models folders on this machine (Ollama's), or the error of one."""
        return await asyncio.to_thread(self._audit_others)

    async def clean(self, chosen: Collection[Leftover]) -> tuple[Leftover, ...]:
        """Remove the leftovers that a person has chosen; returns those that were removed.

        Raises:
            LibraryError: the folder cannot be changed now, or something is being downloaded into it.
        """
        return () if self.folder is None else await asyncio.to_thread(remove_leftovers, self.folder, chosen)

    async def remove_unreadable(self, path: Path) -> None:
        """Remove a file that lies among the engine's manifests and is none. Blobs stay until a clean-up.

        Raises:
            LibraryError: it is a manifest, or is not there, or the folder cannot be changed.
        """
        if self.folder is None:
            raise LibraryError("library.not_unreadable", path=str(path))
        await asyncio.to_thread(remove_unreadable, self.folder, path)

    async def verify(
        self, tell: OnProgress, *, note: bool = True
    ) -> tuple[FolderVerification | LibraryError, ...]:
        """Read all blobs of all folders. If this is cancelled, the reading ends at once.

        Args:
            tell: called in another thread with the model that is read, and the bytes of its folder.
            note: keep what was found; False writes nothing.
        """
        found: list[FolderVerification | LibraryError] = []
        own = self.folder
        for folder in (*([own] if own else []), *await asyncio.to_thread(self._others)):
            is_own = folder == own
            work = partial(verify_folder, folder, own=is_own, note=note and is_own)
            try:
                found.append(await in_thread(work, tell))
            except Cancelled:
                raise
            except LibraryError as error:
                found.append(error)
        return tuple(found)

    def _audit_others(self) -> tuple[FolderUse | LibraryError, ...]:
        return tuple(_audited(folder) for folder in self._others())

    def _others(self) -> tuple[Path, ...]:
        own = None if self.folder is None else self.folder.resolve()
        return tuple(folder for folder in self._folders() if folder.resolve() != own)


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
        files = {file.path.name: file for file in files_in(blobs_folder(folder))}
        among = [*manifest_files(folder)]
        manifests = [*stored_manifests(folder, among)]
    unfinished = [file for file in among if file.path.name.startswith(UNFINISHED)]
    named = {
        each.path: {blob_name(layer.digest) for layer in each.manifest.blobs} if each.manifest else set[str]()
        for each in manifests
    }
    used = Counter(blob for blobs in named.values() for blob in blobs)
    unreadable = tuple(each.path for each in manifests if each.manifest is None)
    leftover = [
        (file, LeftoverKind.ORPHAN if BLOB_NAME.fullmatch(name) else LeftoverKind.PARTIAL)
        for name, file in files.items()
        if name not in used and (BLOB_NAME.fullmatch(name) or _PARTIAL.fullmatch(name))
    ]
    leftover += [(file, LeftoverKind.PARTIAL) for file in unfinished]
    # A time in the future counts as young: the clock was wrong, and the age is unknown.
    young = {file.path for file, _ in leftover if now_s - file.changed_s <= GRACE_S}
    pulling = any(kind is LeftoverKind.PARTIAL and file.path in young for file, kind in leftover)

    def kept(file: FoundFile, kind: LeftoverKind) -> Sentence | None:
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
        models=tuple(
            sorted(
                (_use(each, named[each.path], used, files, own=own) for each in manifests if each.name),
                key=lambda model: model.name,
            )
        ),
        leftovers=tuple(
            Leftover(file.path, kind, _disk_bytes(file), file.changed_s, kept(file, kind))
            for file, kind in sorted(leftover, key=lambda each: -_disk_bytes(each[0]))
        ),
        unreadable=unreadable,
        size=sum(map(_disk_bytes, (*files.values(), *unfinished))),
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


def remove_unreadable(folder: Path, path: Path) -> None:
    """Remove a file among the manifests of ``folder`` that is none. Raises as `remove_leftovers`."""
    with locked(folder):
        if path not in audit(folder, own=True).unreadable:
            raise LibraryError("library.not_unreadable", path=str(path))
        with library_errors("library.file_not_removed", path=str(path)):
            path.unlink(missing_ok=True)
            remove_empty(path.parent, manifests_folder(folder))


def _use(
    stored: StoredManifest, blobs: set[str], used: Counter[str], files: dict[str, FoundFile], *, own: bool
) -> ModelUse:
    assert stored.name is not None  # noqa: S101 (only models are counted)
    there = {blob: files[blob] for blob in blobs if blob in files}
    return ModelUse(
        name=stored.name.short,
        size=sum(map(_disk_bytes, there.values())),
        shared=sum(_disk_bytes(file) for name, file in there.items() if used[name] > 1 or is_linked(file)),
        missing=len(blobs) - len(there),
        changed=sum(is_believed(file.path) is False for file in there.values()) if own else 0,
        fault=stored.fault if own or not stored.needs_ollama else (),
        digest=stored.digest,
        readable=stored.manifest is not None,
        blobs={name: _disk_bytes(file) for name, file in there.items()},
        linked=frozenset(name for name, file in there.items() if is_linked(file)),
    )


def is_linked(file: FoundFile) -> bool:
    """Whether the file has another name, as in Ollama's folder: then nothing is freed when this one goes."""
    return file.status.st_nlink > 1


def _disk_bytes(file: FoundFile) -> int:
    """Bytes on the disk: the file of a download may have gaps."""
    blocks: int | None = getattr(file.status, "st_blocks", None)
    if blocks is None or not _PARTIAL.fullmatch(file.path.name):
        return file.status.st_size
    return min(file.status.st_size, blocks * 512)
