"""Opening a client for a test, and reading its streams to their end."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from llmstack_tui.ollama.client import OllamaHost
from tests.support.scripted_server import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from llmstack_tui.hosts.transport import Timeouts
    from tests.support.scripted_server import Reply, Request, ScriptedServer

T = TypeVar("T")


@asynccontextmanager
async def talking(
    handle: Callable[[Request], Awaitable[Reply]], timeouts: Timeouts | None = None
) -> AsyncIterator[tuple[OllamaHost, ScriptedServer]]:
    """A client and the scripted server that it talks to."""
    async with serving(handle) as server:
        host = OllamaHost(server.url, timeouts=timeouts)
        try:
            yield host, server
        finally:
            await host.aclose()


async def read(values: AsyncIterator[T]) -> list[T]:
    return [value async for value in values]
