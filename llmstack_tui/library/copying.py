"""A blob from another folder into the engine's own: linked where possible, else copied and checked."""

from __future__ import annotations

import hashlib
import os
import shutil
from typing import TYPE_CHECKING

from llmstack_tui.base.units import bytes_text
from llmstack_tui.gguf.source import InvalidGGUF, open_regular
from llmstack_tui.library import manifest as layout
from llmstack_tui.library.importing import SPARE
from llmstack_tui.library.storage import LibraryError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from llmstack_tui.library.importing import Progress
    from llmstack_tui.library.manifest import Layer

_CHUNK = 4 * 1024**2


class CopyFailed(LibraryError):
    """The blob is not here; ``str`` of it is a sentence for the user."""


def bring(
    source: Path, target: Path, layer: Layer, *, progress: Progress, cancelled: Callable[[], bool]
) -> None:
    """Have the blob ``source`` at ``target``, all of it or nothing.

    Raises:
        CopyFailed: with one sentence.
        OSError: if the disk does not do it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = layout.unfinished_path(target.parent)
    try:
        link_or_copy(source, staged, layer, progress, cancelled)
        staged.replace(target)
    finally:
        staged.unlink(missing_ok=True)


def link_or_copy(
    source: Path, target: Path, layer: Layer, progress: Progress, cancelled: Callable[[], bool]
) -> None:
    """The same for a ``target`` whose name nobody looks for; of a copy that fails something may stay."""
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        # Another disk, one without links, or files of another user, which the system keeps from us.
        _copy(source, target, layer, progress, cancelled)


def _copy(
    source: Path, target: Path, layer: Layer, progress: Progress, cancelled: Callable[[], bool]
) -> None:
    free = shutil.disk_usage(target.parent).free
    if free < layer.size + SPARE:
        raise CopyFailed(
            f"The copy needs {bytes_text(layer.size)} in {target.parent}, where {bytes_text(free)} are free."
        )
    digest, done = hashlib.sha256(), 0
    try:
        with open_regular(source) as (file, _), target.open("xb") as copy:
            while chunk := file.read(_CHUNK):
                if cancelled():
                    raise CopyFailed("It was cancelled.")
                digest.update(chunk)
                copy.write(chunk)
                done += len(chunk)
                progress("copying weights", done, layer.size)
            copy.flush()
            os.fsync(copy.fileno())
    except InvalidGGUF as error:
        raise CopyFailed(str(error)) from error
    if layout.blob_name(f"sha256:{digest.hexdigest()}") != layout.blob_name(layer.digest):
        raise CopyFailed(f"{source} is broken: its content is not what its name says.")
