"""A line that shows that something goes on, for acts that take more than a moment."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from llmstack_tui.cli.output import StatusLine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

_FRAMES = "|/-\\"
_STEP_S = 0.15


@asynccontextmanager
async def waiting(text: str, environ: Mapping[str, str]) -> AsyncIterator[StatusLine]:
    """Show ``text`` and the seconds that have passed while the block runs, on a terminal only."""
    line = StatusLine(environ)
    task = asyncio.create_task(_turn(line, text)) if line.enabled else None
    try:
        yield line
    finally:
        if task:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        line.clear()


async def _turn(line: StatusLine, text: str) -> None:
    loop = asyncio.get_running_loop()
    start, step = loop.time(), 0
    while True:
        line.show(f"{_FRAMES[step % len(_FRAMES)]} {text} {loop.time() - start:.0f} s")
        step += 1
        await asyncio.sleep(_STEP_S)
