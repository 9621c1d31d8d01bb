"""All that lies among the manifests of a models folder, also what cannot be used; and the files in it."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from llmstack_tui.base.names import InvalidName, ModelName
from llmstack_tui.base.sentences import Sentence, Sentences
from llmstack_tui.library.folders import is_replaced, manifests_folder, read_small
from llmstack_tui.library.installed import NotRunnable, fault_sentences, load_installed
from llmstack_tui.library.manifest import (
    InvalidManifest,
    Manifest,
    bare_digest,
    digest_of,
    is_made_locally,
    parse_manifest,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class StoredManifest(Struct, frozen=True, kw_only=True):
    """A file among the manifests.

    Attributes:
        name: None if it lies where no model has its manifest.
        digest: sha256 of the file, hexadecimal; empty if it cannot be read.
        manifest: None if it is none; it may then name any blob.
        made_here: whether it was imported or created, and not pulled.
        fault: why the engine cannot use the model; empty if it can.
        needs_ollama: there is nothing wrong with it, but that it is no model for the engine.
    """

    path: Path
    name: ModelName | None
    digest: str
    manifest: Manifest | None
    made_here: bool
    fault: Sentences
    needs_ollama: bool = False


class FoundFile(NamedTuple):
    """A regular file, with what `lstat` says of it."""

    path: Path
    status: os.stat_result

    @property
    def changed_s(self) -> float:
        """When it changed last. A link or a copy may have the mtime of its original; its ctime is its own."""
        return max(self.status.st_mtime, self.status.st_ctime)


def stored_manifests(folder: Path, files: Iterable[FoundFile]) -> Iterator[StoredManifest]:
    """The manifests in ``folder``, in the order of its `manifest_files`; unfinished ones are left out.

    Raises:
        OSError: the folder cannot be read.
    """
    root = manifests_folder(folder)
    for path, _ in files:
        if path.name.startswith("."):
            continue
        try:
            host, namespace, model, tag = path.relative_to(root).parts
            name = ModelName(host=host, namespace=namespace, model=model, tag=tag)
        except (ValueError, InvalidName):
            yield StoredManifest(
                path=path,
                name=None,
                digest="",
                manifest=None,
                made_here=False,
                fault=(Sentence("library.misplaced"),),
            )
            continue
        if (stored := _stored_manifest(folder, name, path)) is not None:
            yield stored


def _stored_manifest(folder: Path, name: ModelName, path: Path) -> StoredManifest | None:
    """None if it was removed meanwhile."""
    content, digest, manifest, made_here, fault, needs_ollama = b"", "", None, False, Sentences(), False
    try:
        content = read_small(path)
        digest = bare_digest(digest_of(content))
        manifest = parse_manifest(content)
        made_here = is_made_locally(content, manifest)
        load_installed(folder, name, read_only=True, manifest=manifest)
    except (InvalidManifest, OSError) as error:
        if not path.exists():
            return None
        if is_replaced(path, content):
            return _stored_manifest(folder, name, path)
        fault, needs_ollama = fault_sentences(error), isinstance(error, NotRunnable)
    return StoredManifest(
        path=path,
        name=name,
        digest=digest,
        manifest=manifest,
        made_here=made_here,
        fault=fault,
        needs_ollama=needs_ollama,
    )


def manifest_files(folder: Path) -> Iterator[FoundFile]:
    """All files among the manifests of ``folder``, sorted by their paths. Raises OSError as `files_in`."""
    return files_in(manifests_folder(folder), deep=True)


def files_in(folder: Path, *, deep: bool = False) -> Iterator[FoundFile]:
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
            yield from files_in(path, deep=True)
        elif stat.S_ISREG(status.st_mode):
            yield FoundFile(path, status)
