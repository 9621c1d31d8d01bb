"""What models take in the built-in engine's own folder, and a clean-up of it."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from llmstack_tui.library.disk import FolderUse, Leftover

_DISK = "llmstack_tui.library.disk"


class Disk:
    """Works in threads. ``folder`` is None where there is none."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    async def look(self) -> FolderUse | None:
        """What is there; None without a folder.

        Raises:
            LibraryError: the folder cannot be read.
        """
        if self.folder is None:
            return None
        await asyncio.to_thread(importlib.import_module, _DISK)
        from llmstack_tui.library.disk import audit  # noqa: PLC0415

        return await asyncio.to_thread(audit, self.folder, own=True)

    async def clean(self, chosen: Collection[Leftover]) -> tuple[Leftover, ...]:
        """Remove what a person has agreed to; answers what went.

        Raises:
            LibraryError: the folder cannot be changed now, or something is being downloaded into it.
        """
        if self.folder is None:
            return ()
        from llmstack_tui.library.disk import remove_leftovers  # noqa: PLC0415

        return await asyncio.to_thread(remove_leftovers, self.folder, chosen)
