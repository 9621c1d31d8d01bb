"""All that lies among the manifests of a models folder, also what cannot be used; and the files in it."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from llmstack_tui.base.names import InvalidName, ModelName
from llmstack_tui.base.sentences import Sentence, Sentences, said
from llmstack_tui.library.errors import reason
from llmstack_tui.library.folders import manifests_folder, read_small
from llmstack_tui.library.installed import load_installed
from llmstack_tui.library.manifest import InvalidManifest, Manifest, is_made_locally, parse_manifest

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from pathlib import Path


class StoredManifest(Struct, frozen=True, kw_only=True):
    """A file among the manifests.

    Attributes:
        name: None if it lies where no model has its manifest.
        manifest: None if it cannot be read; it may then name any blob.
        made_here: whether it was imported or created, and not pulled.
        fault: why the model cannot be used; empty if it can.
    """

    path: Path
    name: ModelName | None
    manifest: Manifest | None
    made_here: bool
    fault: Sentences


class FoundFile(NamedTuple):
    """A regular file, with what `lstat` says of it."""

    path: Path
    status: os.stat_result

    @property
    def changed_s(self) -> float:
        """When it changed last. A link or a copy may have the mtime of its original; its ctime is its own."""
        return max(self.status.st_mtime, self.status.st_ctime)


def stored_manifests(folder: Path) -> Iterator[StoredManifest]:
    """Sorted by their paths; unfinished files are left out. Raises OSError if the folder cannot be read."""
    root = manifests_folder(folder)
    for path, _ in files_in(root, deep=True):
        if path.name.startswith("."):
            continue
        manifest, made_here, fault = None, False, Sentences()
        try:
            host, namespace, model, tag = path.relative_to(root).parts
            name = ModelName(host=host, namespace=namespace, model=model, tag=tag)
        except (ValueError, InvalidName):
            fault = (Sentence("library.misplaced"),)
            yield StoredManifest(path=path, name=None, manifest=None, made_here=False, fault=fault)
            continue
        try:
            content = read_small(path)
            manifest = parse_manifest(content)
            made_here = is_made_locally(content, manifest)
            fault = fault_of(folder, name)
        except FileNotFoundError:
            continue
        except InvalidManifest as error:
            fault = said(error)
        except OSError as error:
            fault = (reason(error),)
        yield StoredManifest(path=path, name=name, manifest=manifest, made_here=made_here, fault=fault)


def fault_of(folder: Path, name: ModelName) -> Sentences:
    """Why the model cannot be used; empty if it can."""
    try:
        load_installed(folder, name, read_only=True)
    except InvalidManifest as error:
        return said(error)
    except FileNotFoundError:
        return (Sentence("library.parts_missing"),)
    except OSError as error:
        return (reason(error),)
    return ()


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
