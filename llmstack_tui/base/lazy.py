"""Deferred imports in a thread, because on the event loop an import would delay key presses."""

from __future__ import annotations

import asyncio
import importlib
import sys
from contextlib import suppress


async def load(*names: str) -> None:
    """Import modules in a thread, so that the ``from … import …`` that follows costs nothing.

    Args:
        names: of modules; ``.guard.service`` is short for ``llmstack_tui.guard.service``.
    """
    for name in names:
        full = f"llmstack_tui{name}" if name.startswith(".") else name
        if full not in sys.modules:
            with suppress(ModuleNotFoundError):  # The import statement that follows raises it.
                await asyncio.to_thread(importlib.import_module, full)
