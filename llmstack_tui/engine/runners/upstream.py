"""The client of llama.cpp's server inside a model's process.

It reads answers with httptools, as uvicorn reads requests: a request costs 0.2 ms, where aiohttp takes 0.3
to 0.4.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httptools
import msgspec

from llmstack_tui.engine.errors import NO_GRAMMAR, UpstreamError

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

_DONE = b"[DONE]"
_ERROR = b'{"error"'
_FIELDS = (b"data: ", b"error: ")
# Every HTTP request names a host; a Unix socket has none. No connection is reused: an idle one holds a thread
# of the server for some seconds, and is then closed, perhaps just as a request takes it.
_HEAD = (
    "{method} {path} HTTP/1.1\r\nHost: llama.invalid\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n"
    "Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
)
_CONNECT_S = 10
_PIECE_BYTES = 64 * 1024

# The beginnings of what llama.cpp says of a request that it cannot answer, and what is said instead.
_NO_PARSER = "Unable to generate parser for this template. Automatic parser generation failed:"
_NO_GRAMMAR = {
    f"{_NO_PARSER} JSON schema error at ": "A JSON schema of the request cannot be used: ",
    "Failed to initialize samplers: failed to parse grammar": "A JSON schema of the request is too large.",
}
_MISSPELT = "The vocabulary of the model's file cannot spell the prompt: get another file."
_OFF_SCHEMA = "got exception: Unexpected empty grammar stack"
_WORDS = {
    **_NO_GRAMMAR,
    _OFF_SCHEMA: "The model called a tool with other arguments than its schema allows.",
    **dict.fromkeys(("_Map_base::at", "vector::_M_range_check", "Prompt contains invalid tokens"), _MISSPELT),
    "Cannot continue an assistant message that contains tool calls.": (
        "The conversation ends with a call of a tool: send what the tool answered, too."
    ),
    "Cannot have 2 or more assistant messages at the end of the list.": (
        "The conversation ends with a call of a tool: send what the tool answered, too."
    ),
}
# A template's own refusal, or what was wrong with it, is the last of some lines.
_REFUSED_BY_TEMPLATE = re.compile(r"\nError: (?:Jinja Exception: )?(.+)", re.DOTALL)


class Disconnected(Exception):
    """The connection failed, or broke before the end of the answer."""


class Upstream:
    """A client of one server, on a Unix socket or on a port of this machine, which needs the ``key``."""

    def __init__(self, address: str, key: str) -> None:
        self._address = address
        self._key = key

    async def call(self, path: str, body: Mapping[str, object] | None) -> dict[str, Any]:
        """The whole answer; without a body it is a GET.

        Raises:
            Disconnected: the server went away.
            UpstreamError: it refused the request.
        """
        async with self._request(path, body) as response:
            answer = await response.whole()
        found = msgspec.json.decode(answer)
        # Some routes answer with a bare list.
        return found if isinstance(found, dict) else {"data": found}

    async def stream(self, path: str, body: Mapping[str, object]) -> AsyncGenerator[bytes, None]:
        """The data of each event. Closing the generator closes the connection: the server stops its work.

        Raises:
            Disconnected: the server went away.
            UpstreamError: it refused the request, or failed in the middle of it.
        """
        async with self._request(path, body) as response, aclosing(response.pieces()) as pieces:
            rest = b""
            async for piece in pieces:
                events, rest = complete_events(rest + piece)
                for event in events:
                    if event == _DONE:
                        return
                    if event.startswith(_ERROR):
                        raise _failure(response.status, event)
                    yield event

    @asynccontextmanager
    async def _request(self, path: str, body: Mapping[str, object] | None) -> AsyncIterator[_Response]:
        data = b"" if body is None else msgspec.json.encode(body)
        method = "GET" if body is None else "POST"
        head = _HEAD.format(method=method, path=path, key=self._key, length=len(data))
        try:
            # A large model may take minutes to answer; the client decides how long to wait.
            async with asyncio.timeout(_CONNECT_S):
                reader, writer = await self._connect()
            try:
                writer.write(head.encode() + data)
                response = _Response(reader)
                await response.begin()
                if response.status >= 400:
                    raise _failure(response.status, await response.whole())
                yield response
            finally:
                writer.close()
        except (OSError, EOFError, httptools.HttpParserError) as error:
            raise Disconnected(str(error)) from error

    async def _connect(self) -> tuple[StreamReader, StreamWriter]:
        if (path := self._address.removeprefix("unix://")) != self._address:
            return await asyncio.open_unix_connection(path)
        url = urlsplit(self._address)
        return await asyncio.open_connection(url.hostname, url.port)


class _Response:
    """A response, as its bytes come. httptools calls the methods ``on_…``."""

    def __init__(self, reader: StreamReader) -> None:
        self._reader = reader
        self._parser = httptools.HttpResponseParser(self)
        self._begun = self._over = False
        self._body = b""

    @property
    def status(self) -> int:
        return int(self._parser.get_status_code())

    def on_headers_complete(self) -> None:
        self._begun = True

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self._over = True

    async def begin(self) -> None:
        """Read up to the end of its headers."""
        while not self._begun:
            await self._read()

    async def whole(self) -> bytes:
        return b"".join([piece async for piece in self.pieces()])

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes.

        Raises:
            EOFError: the connection was closed before its end.
        """
        while True:
            piece, self._body = self._body, b""
            if piece:
                yield piece
            if self._over:
                return
            await self._read()

    async def _read(self) -> None:
        data = await self._reader.read(_PIECE_BYTES)
        if not data:
            raise EOFError("The connection was closed before the end of the answer.")
        self._parser.feed_data(data)


def complete_events(stream: bytes) -> tuple[list[bytes], bytes]:
    """The data of each complete server-sent event, and the bytes after the last one."""
    *events, rest = stream.split(b"\n\n")
    return [found for event in events if (found := _data(event))], rest


def _data(event: bytes) -> bytes:
    """The data of an event; nothing for a comment, which only keeps the connection open."""
    event = event.lstrip(b"\n")
    # llama.cpp writes JSON on one line. Older versions send an error as a field of its own.
    for field in _FIELDS:
        if event.startswith(field):
            return event[len(field) :]
    return b""


def _failure(status: int, body: bytes) -> UpstreamError:
    """The error in the JSON ``{"error": {"code", "message", "type", …}}``."""
    try:
        fields = msgspec.json.decode(body, type=dict[str, dict[str, object]])["error"]
    except (msgspec.MsgspecError, KeyError):
        fields = {"message": body.decode(errors="replace")[:500]}
    if isinstance(code := fields.get("code"), int):
        status = code
    said = str(fields.get("message", "llama.cpp failed and did not say why."))
    kind = str(fields.get("type", "server_error"))
    if said.startswith(_NO_PARSER) and (refused := _REFUSED_BY_TEMPLATE.search(said)):
        said = f"The model's template refuses the messages: {' '.join(refused[1].split())}"
    for theirs, ours in _WORDS.items():
        if said.startswith(theirs):
            # What follows names the place in the request, or is of the inside of llama.cpp.
            said = ours + said.removeprefix(theirs) if ours.endswith(" ") else ours
            kind = NO_GRAMMAR if theirs in (*_NO_GRAMMAR, _OFF_SCHEMA) else kind
            status = 400 if ours is _MISSPELT else status
            break
    return UpstreamError(said, status=status, kind=kind)
