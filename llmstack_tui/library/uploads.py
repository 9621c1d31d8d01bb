"""A blob that a client sends to the engine, piece by piece."""

from __future__ import annotations

import hashlib
import os
import shutil
from typing import TYPE_CHECKING

from llmstack_tui.library.blobs import SPARE, StagedBlob, place
from llmstack_tui.library.errors import LibraryError, library_errors
from llmstack_tui.library.files import unfinished_path
from llmstack_tui.library.folders import blobs_folder
from llmstack_tui.library.manifest import blob_name

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO


class Upload:
    """A blob on its way into the folder ``models``. It has no name there until it is whole.

    Blocking, for use in threads, with one call at a time. `discard` has to follow whatever happens.
    """

    def __init__(self, models: Path, digest: str) -> None:
        self._models = models
        self._digest = digest
        self._hasher = hashlib.sha256()
        self._path = unfinished_path(blobs_folder(models))
        self._file: BinaryIO | None = None

    def begin(self, size: int) -> None:
        """Open the file, if the disk has room for ``size`` bytes, as far as its length is known; else 0.

        Raises:
            LibraryError: the disk has no room, or cannot be written.
        """
        with library_errors("library.not_writable", models=str(self._models)):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._check_room(size)
            self._file = self._path.open("xb", buffering=0)

    def write(self, piece: bytes) -> None:
        """Add ``piece``. Raises as `begin`."""
        assert self._file is not None  # noqa: S101 (it was begun)
        self._hasher.update(piece)
        with library_errors("library.not_writable", models=str(self._models)):
            self._check_room(len(piece))
            view = memoryview(piece)
            while view:
                view = view[self._file.write(view) :]

    def finish(self) -> None:
        """Give the blob its name.

        Raises:
            LibraryError: its content has another digest (``library.digest_mismatch``), or as `begin`.
        """
        assert self._file is not None  # noqa: S101 (it was begun)
        found = f"sha256:{self._hasher.hexdigest()}"
        if blob_name(found) != blob_name(self._digest):
            raise LibraryError("library.digest_mismatch", expected=self._digest, found=found)
        with library_errors("library.not_writable", models=str(self._models)):
            os.fsync(self._file.fileno())
            self._file.close()
            place(StagedBlob(found, self._path, verified=True), self._models)

    def discard(self) -> None:
        """Remove what is not finished."""
        if self._file is not None:
            self._file.close()
            self._path.unlink(missing_ok=True)

    def _check_room(self, size: int) -> None:
        free = shutil.disk_usage(self._path.parent).free
        if free < size + SPARE:
            raise LibraryError("library.no_room_to_send", folder=str(self._path.parent), free=free)
