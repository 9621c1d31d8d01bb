"""A stack that follows its hosts, as the dashboard has it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from llmstack_tui.core.stack import Stack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from llmstack_tui.core.options import StackOptions
    from llmstack_tui.hosts.host import Host


@asynccontextmanager
async def following(hosts: Sequence[Host], options: StackOptions | None = None) -> AsyncIterator[Stack]:
    """Its services are at work until the end of the block."""
    async with Stack(hosts, options) as stack:
        stack.follow()
        yield stack
