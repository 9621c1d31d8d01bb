"""What models take in the folders of this machine, and a clean-up of the engine's own, in threads."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from llmstack_tui.library.disk import audit, remove_leftovers
from llmstack_tui.library.storage import LibraryError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from pathlib import Path

    from llmstack_tui.library.disk import FolderUse, Leftover


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
        return await asyncio.to_thread(lambda: tuple(map(_audited, self._others())))

    async def clean(self, chosen: Collection[Leftover]) -> tuple[Leftover, ...]:
        """Remove what a person has agreed to; returns what was removed.

        Raises:
            LibraryError: the folder cannot be changed now, or something is being downloaded into it.
        """
        return () if self.folder is None else await asyncio.to_thread(remove_leftovers, self.folder, chosen)

    def _others(self) -> list[Path]:
        own = None if self.folder is None else self.folder.resolve()
        return [folder for folder in self._folders() if folder.resolve() != own]


def _audited(folder: Path) -> FolderUse | LibraryError:
    try:
        return audit(folder, own=False)
    except LibraryError as error:
        return error
