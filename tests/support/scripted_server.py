"""A small HTTP server that says exactly what a test tells it to say, wrong things too."""

from __future__ import annotations

import asyncio
import json
import math
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence


class Then(Enum):
    """What follows the pieces: a proper end, a sudden one, nothing at all, or a reset connection."""

    END = auto()
    CUT = auto()
    HANG = auto()
    RESET = auto()


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        document = json.loads(self.body)
        assert isinstance(document, dict)
        return document


@dataclass(frozen=True)
class Reply:
    """An answer in pieces. ``raw`` is sent instead of all, and ``gate`` is awaited before the first byte.

    ``later`` are pieces that come after the others, each at its time.
    """

    pieces: Sequence[bytes] = ()
    status: int = 200
    content_type: str | None = "application/json; charset=utf-8"
    then: Then = Then.END
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    gate: Callable[[], Awaitable[object]] | None = None
    later: AsyncIterator[bytes] | None = None


def document(value: object, status: int = 200) -> Reply:
    return Reply((json.dumps(value).encode(),), status)


def ndjson(*lines: object, then: Then = Then.END) -> Reply:
    return Reply([json.dumps(line).encode() + b"\n" for line in lines], 200, "application/x-ndjson", then)


class ScriptedServer:
    """Answers with what ``handle`` returns and keeps what it was asked.

    Attributes:
        requests: all that were asked, in order.
        open: connections that the client has not closed.
    """

    def __init__(self, handle: Callable[[Request], Awaitable[Reply]]) -> None:
        self.handle = handle
        self.requests: list[Request] = []
        self.open = 0
        self.url = ""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def asked(self) -> list[str]:
        """ "GET /api/version" and so on."""
        return [f"{request.method} {request.path}" for request in self.requests]

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # A task that is cancelled before its first step does not come to its "finally".
        task.add_done_callback(lambda _: writer.close())

    async def close(self) -> None:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._exchange(reader, writer):
                    pass
        finally:
            self.open -= 1
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its reply; whether the connection stays open."""
        request = await _read_request(reader)
        self.requests.append(request)
        gone = asyncio.create_task(_end_of(reader))
        work = asyncio.create_task(self._reply(request, writer))
        try:
            # A client that closes the connection ends the work for it, as it does in a real server.
            await asyncio.wait((gone, work), return_when=asyncio.FIRST_COMPLETED)
            return await work if work.done() else False
        finally:
            for task in (gone, work):
                task.cancel()
            await asyncio.gather(gone, work, return_exceptions=True)

    async def _reply(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        reply = await self.handle(request)
        if reply.gate is not None:
            await reply.gate()
        if reply.raw is not None:
            writer.write(reply.raw)
        else:
            await self._write(request, reply, writer)
        await writer.drain()
        match reply.then:
            case Then.HANG:
                await asyncio.Event().wait()
            case Then.RESET:
                writer.transport.abort()
        return reply.then is Then.END and reply.raw is None

    async def _write(self, request: Request, reply: Reply, writer: asyncio.StreamWriter) -> None:
        headers = dict(reply.headers)
        if reply.content_type:
            headers["Content-Type"] = reply.content_type
        has_body = request.method != "HEAD"
        headers["Transfer-Encoding" if has_body else "Content-Length"] = "chunked" if has_body else "0"
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {reply.status} Whatever\r\n{head}\r\n".encode())
        for piece in reply.pieces if has_body else ():
            await _write_chunk(writer, piece)
        if reply.later is not None:
            async for piece in reply.later:
                await _write_chunk(writer, piece)
        if has_body and reply.then is Then.END:
            writer.write(b"0\r\n\r\n")


async def _write_chunk(writer: asyncio.StreamWriter, piece: bytes) -> None:
    writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
    await writer.drain()


async def _read_request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *rest = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, path, headers, body)


async def _end_of(reader: asyncio.StreamReader) -> None:
    """Return when the client closes the connection. Nothing is read: it may be the next request."""
    await wait_until(lambda: reader.at_eof() or reader.exception() is not None, math.inf)


@asynccontextmanager
async def serving(handle: Callable[[Request], Awaitable[Reply]]) -> AsyncIterator[ScriptedServer]:
    """A server on a free port of the loopback address."""
    server = ScriptedServer(handle)
    listener = await asyncio.start_server(server.accept, "127.0.0.1", 0, limit=2**26)
    port: int = listener.sockets[0].getsockname()[1]
    server.url = f"http://127.0.0.1:{port}"
    try:
        yield server
    finally:
        await accept_all(port)
        listener.close()
        await server.close()
        await listener.wait_closed()


async def accept_all(port: int) -> None:
    """Have a server of this event loop accept every connection made so far. Called before it is closed.

    A client with a short time-out may have left before it was accepted. When the listener closes in between,
    asyncio drops that connection without closing it. Connections are accepted in order: when the server has
    closed this one, it has accepted all before it.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write_eof()
    await reader.read()
    writer.close()
    await writer.wait_closed()


def always(reply: Reply) -> Callable[[Request], Awaitable[Reply]]:
    async def handle(_: Request) -> Reply:
        return reply

    return handle
