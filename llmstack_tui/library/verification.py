"""Reads every blob of a models folder: which are damaged, who needs them, and how to get them again."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Sentence, said
from llmstack_tui.gguf.source import InvalidGGUF
from llmstack_tui.library.blobs import OnProgress, distrust, hash_file, remember
from llmstack_tui.library.contents import StoredManifest, files_in, manifest_files, stored_manifests
from llmstack_tui.library.errors import Cancelled, LibraryError, library_errors, reason
from llmstack_tui.library.folders import blobs_folder
from llmstack_tui.library.manifest import BLOB_NAME, blob_name
from llmstack_tui.library.use import DamagedFile, FolderVerification

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from llmstack_tui.base.sentences import Sentences


def verify_folder(folder: Path, progress: OnProgress, *, own: bool, note: bool) -> FolderVerification:
    """Read all blobs of the folder.

    Args:
        progress: is told the model whose blob is read, and the bytes of the whole folder.
        note: remember what was found. Only for the engine's folder, which alone may be written.

    Raises:
        Cancelled: ``progress`` raised it.
        LibraryError: the folder cannot be read.
    """
    with library_errors("library.folder_unreadable", models=str(folder)):
        manifests = [*stored_manifests(folder, manifest_files(folder))]
        sizes = {path: status.st_size for path, status in files_in(blobs_folder(folder))}
    users: dict[Path, list[StoredManifest]] = defaultdict(list)
    damaged = [_damaged(each.path, each.fault, [each], own=own) for each in manifests if _is_broken(each)]
    missing: dict[Path, Sentence] = {}
    for each in manifests:
        for layer in each.manifest.blobs if each.manifest else ():
            path = blobs_folder(folder) / blob_name(layer.digest)
            if each not in users[path]:
                users[path].append(each)
            try:
                size = sizes.setdefault(path, path.stat().st_size)
            except OSError:
                missing[path] = Sentence("library.blob_missing", {"layer": layer.label})
            else:
                if size != layer.size:
                    missing[path] = Sentence("library.blob_wrong_size", {"size": size, "stated": layer.size})
    to_read = {path: size for path, size in sizes.items() if BLOB_NAME.fullmatch(path.name)}
    total, done = sum(to_read.values()), 0
    wrong: dict[Path, Sentences] = {path: (why,) for path, why in missing.items()}
    for path, size in to_read.items():
        label = str(users[path][0].name) if users.get(path) else path.name
        if path not in wrong and (why := _fault(path, size, _part_of(progress, label, done, total))):
            wrong[path] = why
        done += size
        if note:
            (distrust if path in wrong else remember)(path)
    damaged += [_damaged(path, why, users.get(path, ()), own=own) for path, why in wrong.items()]
    return FolderVerification(path=folder, own=own, files=len(to_read), size=total, damaged=tuple(damaged))


def _is_broken(stored: StoredManifest) -> bool:
    return stored.name is not None and stored.manifest is None


def _part_of(progress: OnProgress, label: str, before: int, total: int) -> OnProgress:
    return lambda _, completed, __: progress(label, before + (completed or 0), total)


def _fault(path: Path, size: int, progress: OnProgress) -> Sentences:
    try:
        if size and blob_name(hash_file(path, size, progress)) != path.name:
            return (Sentence("library.blob_damaged"),)
    except Cancelled:
        raise
    except (LibraryError, InvalidGGUF) as error:
        return said(error)
    except OSError as error:
        return (reason(error),)
    return ()


def _damaged(path: Path, why: Sentences, users: Iterable[StoredManifest], *, own: bool) -> DamagedFile:
    by_name = {each.name.short: each for each in users if each.name is not None}
    names = tuple(by_name)
    # A pull gets the weights of all that share them; only if none was pulled, there is nothing to pull.
    pulled = tuple(name for name, each in by_name.items() if not each.made_here)
    if not own:
        repair = Sentence("library.repair_ollamas" if names else "library.repair_nothing", {"models": names})
    elif pulled:
        repair = Sentence("library.repair_pull", {"model": pulled[0]})
    elif names:
        repair = Sentence("library.repair_import", {"model": names[0]})
    else:
        repair = Sentence("library.repair_clean")
    return DamagedFile(path=path, models=names, why=why, repair=(repair,))
