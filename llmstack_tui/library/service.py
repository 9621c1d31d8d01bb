"""What models take in the built-in engine's own folder, and a clean-up of it, in threads."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from llmstack_tui.library.disk import audit, remove_leftovers

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from llmstack_tui.library.disk import FolderUse, Leftover


class DiskService:
    """``folder`` is None where the engine has no folder of models."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    async def look(self) -> FolderUse | None:
        """What is there; None without a folder.

        Raises:
            LibraryError: the folder cannot be read.
        """
        return None if self.folder is None else await asyncio.to_thread(audit, self.folder, own=True)

    async def clean(self, chosen: Collection[Leftover]) -> tuple[Leftover, ...]:
        """Remove what a person has agreed to; returns what was removed.

        Raises:
            LibraryError: the folder cannot be changed now, or something is being downloaded into it.
        """
        return () if self.folder is None else await asyncio.to_thread(remove_leftovers, self.folder, chosen)
