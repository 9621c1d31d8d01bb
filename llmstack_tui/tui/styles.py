"""The styles of the screens that are opened later."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.app import App

_FOLDER = Path(__file__).parent
_EVERY_S = 0.1


async def read_ahead(app: App[None]) -> None:
    """Read them while nobody waits, a file at a time.

    Textual reads all styles again when a screen is opened whose own it has not got yet: 35 ms in which no key
    is answered.
    """
    files = await asyncio.to_thread(lambda: sorted(_FOLDER.rglob("*.tcss")))
    for file in files:
        if not app.stylesheet.has_source(str(file)):
            app.stylesheet.read(file)
            app.stylesheet.parse()
            await asyncio.sleep(_EVERY_S)
