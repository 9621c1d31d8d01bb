"""Waits until a server has no running request, before it is restarted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from llmstack_tui.cli.stacks import LOOKS_APART_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmstack_tui.core.stack import Stack

# One look alone does not show whether a model answers: see `lifecycle.activity`.
_QUIET_LOOKS = 2


async def until_quiet(stack: Stack, url: str, tell: Callable[[tuple[str, ...]], None]) -> None:
    """Return when no model of a server shows a sign of a running request; at once if it does not answer.

    Args:
        tell: called with the names of the busy models, after each look that finds some.
    """
    quiet = 0
    while url in stack.monitors:
        await stack.look(url)
        monitor = stack.monitors[url]
        busy = tuple(model.name for model in monitor.models if model.busy)
        quiet = 0 if busy else quiet + 1
        if quiet == _QUIET_LOOKS or monitor.snapshot.error is not None:
            return
        if busy:
            tell(busy)
        await asyncio.sleep(LOOKS_APART_S)
