"""The models that the engine can run: those in its own folder, and those that an Ollama on this machine has.

Only the engine's own folder is written: at its start, Ollama removes unknown files from its own.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, NamedTuple

from llmstack_tui.base.durations import time_at
from llmstack_tui.base.names import InvalidName, ModelName
from llmstack_tui.gguf.header import Header, read_header
from llmstack_tui.library.blobs import OnProgress, is_believed, is_intact, keep, silent
from llmstack_tui.library.creation import Changes, assemble, derive, import_gguf
from llmstack_tui.library.errors import LibraryError, library_errors, reason
from llmstack_tui.library.files import remove_empty
from llmstack_tui.library.folders import (
    blob_path,
    is_blob_of,
    is_replaced,
    manifest_path,
    manifests_folder,
    read_small,
)
from llmstack_tui.library.installed import (
    FaultyModel,
    InstalledModel,
    NotRunnable,
    fault_sentences,
    load_installed,
)
from llmstack_tui.library.manifest import (
    InvalidManifest,
    Layer,
    MediaType,
    bare_digest,
    blob_name,
    digest_of,
    parse_manifest,
)
from llmstack_tui.library.storage import blobs_of, install, locked, remove_unused, sweep
from llmstack_tui.library.wording import WORDING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from llmstack_tui.library.sent_files import SentFile

_log = logging.getLogger(__name__)


class NotInstalled(LibraryError):
    """No model of that name."""


class Unusable(LibraryError):
    """The model is there, and nothing can be done with it but to remove it, or to get it again."""


class ReadOnlyModel(LibraryError):
    """The model belongs to Ollama, and has to be changed there."""


class LibraryContents(NamedTuple):
    """All models, and what lies among the manifests of the own folder and cannot be used."""

    models: tuple[InstalledModel, ...]
    faulty: tuple[FaultyModel, ...]


class _Seen(NamedTuple):
    """The last reading of a manifest."""

    signature: tuple[int, int, int]
    found: InstalledModel | FaultyModel


class Library:
    """The models in the folders ``own`` and ``others``. Of two models with one name, the first counts.

    Blocking, for use in threads; several may call it at once.
    """

    def __init__(self, own: Path, others: Sequence[Path] = ()) -> None:
        self.own = own
        self.others = tuple(other for other in others if not _same_folder(other, own))
        self._seen: dict[Path, _Seen] = {}
        self._headers: dict[Path, tuple[tuple[int, int, int], Header]] = {}

    def list(self) -> tuple[InstalledModel, ...]:
        return self.contents().models

    def faulty(self) -> tuple[FaultyModel, ...]:
        return self.contents().faulty

    def contents(self) -> LibraryContents:
        """What is in the folders. A manifest that cannot be used is named in the log, once."""
        models: dict[ModelName, InstalledModel] = {}
        faulty: list[FaultyModel] = []
        manifests: set[Path] = set()
        for folder in (self.own, *self.others):
            for name in _names(folder):
                path = manifest_path(folder, name)
                manifests.add(path)
                found = self._load(folder, name, path)
                if isinstance(found, InstalledModel):
                    models.setdefault(name, found)
                elif found is not None and folder == self.own:
                    faulty.append(found)
        for gone in self._seen.keys() - manifests:
            self._seen.pop(gone, None)
        return LibraryContents(tuple(models.values()), tuple(faulty))

    def get(self, name: ModelName) -> InstalledModel:
        """The model of that name: an exact match, or else one that differs only in case.

        Raises:
            NotInstalled: there is none.
            Unusable: it is in the own folder, and cannot be used.
        """
        for folder in (self.own, *self.others):
            path = manifest_path(folder, name)
            found = self._load(folder, name, path) if path.is_file() else None
            if isinstance(found, InstalledModel):
                return found
        models, faulty = self.contents()
        for model in models:
            if model.name == name:
                return model
        for each in faulty:
            if each.name == name:
                raise Unusable("library.unusable", model=str(name), why=each.fault)
        raise NotInstalled("library.not_installed", model=str(name))

    def delete(self, name: ModelName) -> None:
        """Remove the model, and the blobs that no other model in the own folder uses.

        Raises:
            NotInstalled: there is no such model.
            ReadOnlyModel: it is Ollama's.
            LibraryError: its files cannot be removed.
        """
        own = next((known for known in _names(self.own) if known == name), None)
        if own is None:
            if any(known == name for folder in self.others for known in _names(folder)):
                raise ReadOnlyModel("library.ollamas", model=str(name))
            raise NotInstalled("library.not_installed", model=str(name))
        with locked(self.own):
            path, blobs = manifest_path(self.own, own), blobs_of(self.own, own)
            with library_errors("library.not_removed", model=str(name)):
                path.unlink(missing_ok=True)
                remove_empty(path.parent, manifests_folder(self.own))
            remove_unused(self.own, blobs)

    def discard(self, digest: str) -> None:
        """Remove a blob, unless a model uses it. Raises LibraryError if the folder cannot be changed."""
        with locked(self.own):
            remove_unused(self.own, frozenset({blob_name(digest)}))

    def sweep(self) -> None:
        """Remove blobs that no model uses, an hour after they came. Raises as `storage.sweep`."""
        sweep(self.own)

    def find_blob(self, digest: str) -> Path | None:
        """The blob, in the own folder or in another. A sweep spares it for an hour: it may be asked for next.

        Raises:
            InvalidManifest: ``digest`` is malformed.
        """
        for folder in (self.own, *self.others):
            path = blob_path(folder, digest)
            if os.access(path, os.R_OK) and (folder != self.own or is_believed(path) is not False):
                if folder == self.own:
                    keep(path)
                return path
        return None

    def assemble(
        self, sources: Sequence[SentFile], name: ModelName, changes: Changes, progress: OnProgress = silent
    ) -> None:
        """Make the model ``name`` of blobs, the weights first. It replaces a model of that name.

        Raises:
            LibraryError: it failed. Nothing is left half written; blobs that were sent for it stay an hour.
        """
        assemble(self.own, sources, self._as_written(name), changes, progress)

    def install(self, name: ModelName, content: bytes) -> bool | None:
        """Install the model that the manifest ``content`` describes, as `storage.install` does it."""
        return install(self.own, self._as_written(name), content)

    def derive(
        self,
        source: ModelName,
        name: ModelName,
        changes: Changes | None = None,
        progress: OnProgress = silent,
    ) -> None:
        """Make the model ``name`` from an installed one. It replaces a model of that name in the own folder.

        Args:
            changes: differences from ``source``; None gives the same model a second name.

        Raises:
            NotInstalled: there is no model ``source``.
            LibraryError: it failed. Nothing is left half written.
        """
        base = self.get(source)
        folder = base.weights.parent.parent
        derive(self.own, (folder, base.name), self._as_written(name), changes, progress)

    def import_gguf(self, source: Path, name: ModelName, progress: OnProgress = silent) -> InstalledModel:
        """Make the model ``name`` from a GGUF file, which stays where it is.

        It replaces a model of that name in the own folder.

        Raises:
            LibraryError: it failed. Nothing is left half written.
        """
        name = self._as_written(name)
        import_gguf(self.own, self.others, source, name, progress)
        return self.get(name)

    def confirm(self, weights: Path, progress: OnProgress) -> None:
        """Read the weights again, if they changed since they were verified.

        Raises:
            LibraryError: they are damaged, or cannot be read.
        """
        if not is_blob_of((self.own,), weights) or is_believed(weights) is not False:
            return
        size = weights.stat().st_size
        layer = Layer(media_type=MediaType.MODEL, digest=weights.name.replace("-", ":"), size=size)
        with library_errors("library.file_not_read", path=str(weights)):
            if not is_intact(weights, layer, progress):
                raise LibraryError("library.weights_damaged", path=str(weights))

    def _as_written(self, name: ModelName) -> ModelName:
        """The name, in the case in which it is installed in the own folder."""
        return next((known for known in _names(self.own) if known == name), name)

    def _load(self, folder: Path, name: ModelName, path: Path) -> InstalledModel | FaultyModel | None:
        """The model, or why it cannot be used, which is read anew each time; None if it is gone."""
        try:
            status = path.stat()
        except OSError as error:
            _log.warning("%s: %s", path, WORDING.text(reason(error)))
            return None
        seen, signature = self._seen.get(path), _signature(status)
        if (
            seen is not None
            and isinstance(seen.found, InstalledModel)
            and seen.signature == signature
            and seen.found.weights.exists()
        ):
            return seen.found
        content, manifest = b"", None
        found: InstalledModel | FaultyModel
        try:
            content = read_small(path)
            manifest = parse_manifest(content)
            found = load_installed(
                folder, name, read_only=folder != self.own, reader=self.header_of, manifest=manifest
            )
        except (InvalidManifest, OSError) as error:
            if is_replaced(path, content):
                return self._load(folder, name, path)
            found = FaultyModel(
                name=name,
                digest=bare_digest(digest_of(content)),
                size=len(content) if manifest is None else manifest.size,
                modified_at=time_at(status.st_mtime),
                fault=fault_sentences(error),
            )
            if seen != (signature, found):
                level = logging.INFO if isinstance(error, NotRunnable) else logging.WARNING
                _log.log(level, "%s: %s", path, WORDING.text(*found.fault))
        self._seen[path] = _Seen(signature, found)
        return found

    def header_of(self, weights: Path) -> Header:
        """The header of a file, read again when the file has changed. Raises InvalidGGUF."""
        try:
            signature = _signature(weights.stat())
        except OSError:
            return read_header(weights)
        known = self._headers.get(weights)
        if known is None or known[0] != signature:
            known = self._headers[weights] = (signature, read_header(weights))
        return known[1]


def _names(folder: Path) -> Iterator[ModelName]:
    """The names of the manifests in ``folder``, sorted; other files are left out."""
    root = manifests_folder(folder)
    try:
        paths = sorted(path.relative_to(root).parts for path in root.glob("*/*/*/*") if path.is_file())
    except OSError as error:
        _log.warning("%s cannot be read: %s", root, WORDING.text(reason(error)))
        return
    for host, namespace, model, tag in paths:
        try:
            yield ModelName(host=host, namespace=namespace, model=model, tag=tag)
        except InvalidName:
            continue


def _signature(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_mtime_ns, status.st_size, status.st_ino


def _same_folder(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
