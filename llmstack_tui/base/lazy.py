"""Modules that are imported when they are needed, in a thread: on the event loop that holds up the keys."""

from __future__ import annotations

import asyncio
import importlib
import sys
from contextlib import suppress


async def load(*names: str) -> None:
    """Import modules in a thread, so that the ``from … import …`` that follows costs nothing.

    Args:
        names: full names; one that starts with a dot is one of ours: ``.guard.service``.
    """
    for name in names:
        full = f"llmstack_tui{name}" if name.startswith(".") else name
        if full not in sys.modules:
            with suppress(ModuleNotFoundError):  # The import that follows tells of it.
                await asyncio.to_thread(importlib.import_module, full)
