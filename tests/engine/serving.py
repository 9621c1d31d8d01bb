"""The engine's web server in the test's own event loop, with what a test wants to be otherwise."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx

from llmstack_tui.config.engine import EngineOptions
from llmstack_tui.engine.api.access import rules
from llmstack_tui.engine.api.app import create_app
from llmstack_tui.engine.process import listener
from llmstack_tui.engine.service import Engine
from llmstack_tui.library.library import Library
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from llmstack_tui.engine.api.limits import ServerLimits


class Served:
    """A server, and clients of it: ``http``, and connections on which a test writes what it likes."""

    def __init__(self, server: listener.Server, bound: socket.socket, http: httpx.AsyncClient) -> None:
        self._server = server
        self.port: int = bound.getsockname()[1]
        self.http = http

    @property
    def connections(self) -> int:
        return len(self._server.server_state.connections)

    @asynccontextmanager
    async def connected(self, *parts: bytes) -> AsyncIterator[asyncio.StreamReader]:
        """A connection on which these bytes are sent."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
            yield reader
        finally:
            writer.close()

    async def told(self, *parts: bytes) -> tuple[int, bytes]:
        """Status and body of the answer to these bytes."""
        async with self.connected(*parts) as reader, asyncio.timeout(10):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = head.partition("content-length: ")[2].partition("\r")[0]
            return int(head.split(" ")[1]), await reader.readexactly(int(length))


@asynccontextmanager
async def served(
    home: Path,
    limits: ServerLimits | None = None,
    options: EngineOptions | None = None,
    *,
    send_buffer: int = 0,
) -> AsyncIterator[Served]:
    """A running server with the models in ``home``; ``send_buffer``: bytes of the system's, 0 as usual."""
    engine = Engine(Library(home), options or EngineOptions())
    with listener.listen("127.0.0.1", 0) as bound:
        if send_buffer:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        server = listener.Server(create_app(engine, rules({}, "127.0.0.1")), limits)
        running = asyncio.create_task(server.serve([bound]))
        await wait_until(lambda: server.started or running.done())
        async with httpx.AsyncClient(base_url=listener.base_url(bound), timeout=60, trust_env=False) as http:
            try:
                yield Served(server, bound, http)
            finally:
                server.should_exit = True
        await running
