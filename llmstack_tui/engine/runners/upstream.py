"""Requests to the HTTP server inside a model's process.

Importing this costs a quarter of a second: aiohttp, because it adds a third of what httpx does to a request.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec

from llmstack_tui.engine.errors import UpstreamError
from llmstack_tui.engine.inference.events import EventReader

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

_DONE = b"[DONE]"
_ERROR = b'{"error"'
_HOST = "http://llama.invalid"  # Every HTTP request names a host; a Unix socket has none.


class Disconnected(Exception):
    """The server did not answer, or not to the end."""


class Upstream:
    """One server, on a Unix socket or, with a key, on a port of this machine."""

    def __init__(self, address: str, key: str) -> None:
        unix = address.removeprefix("unix://")
        self._base = _HOST if unix != address else address
        # An idle connection would hold one of the server's threads for some seconds, and then be closed,
        # perhaps under a request that takes it up again.
        connector = (
            aiohttp.UnixConnector(unix, limit=0, force_close=True)
            if unix != address
            else aiohttp.TCPConnector(limit=0, force_close=True)
        )
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        # A large model may think for minutes; whoever asked ends the wait.
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
        self._session = aiohttp.ClientSession(connector=connector, headers=headers, timeout=timeout)

    async def close(self) -> None:
        await self._session.close()

    async def call(self, path: str, body: Mapping[str, object] | None) -> dict[str, Any]:
        """The whole answer; without a body it is a GET.

        Raises:
            Disconnected: the server went away.
            UpstreamError: it refused.
        """
        async with self._request(path, body) as response:
            answer = await _read(response)
        found = msgspec.json.decode(answer)
        # Some lists have no object around them, and callers expect one.
        return found if isinstance(found, dict) else {"data": found}

    async def stream(self, path: str, body: Mapping[str, object]) -> AsyncGenerator[bytes, None]:
        """The data of each event. Closing the generator closes the connection, which ends the work upstream.

        Raises:
            Disconnected: the server went away.
            UpstreamError: it refused, or failed on the way.
        """
        async with self._request(path, body) as response:
            reader = EventReader()
            while data := await _next(response):
                for event in reader.feed(data):
                    if event == _DONE:
                        return
                    if event.startswith(_ERROR):
                        raise _failure(response.status, event)
                    yield event

    @asynccontextmanager
    async def _request(
        self, path: str, body: Mapping[str, object] | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        method = "GET" if body is None else "POST"
        data = None if body is None else msgspec.json.encode(body)
        try:
            response = await self._session.request(method, self._base + path, data=data)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Disconnected(str(error)) from error
        async with response:
            if response.status >= 400:
                raise _failure(response.status, await _read(response))
            yield response


async def _read(response: aiohttp.ClientResponse) -> bytes:
    try:
        return await response.read()
    except (aiohttp.ClientError, OSError) as error:
        raise Disconnected(str(error)) from error


async def _next(response: aiohttp.ClientResponse) -> bytes:
    try:
        return await response.content.readany()
    except (aiohttp.ClientError, OSError) as error:
        raise Disconnected(str(error)) from error


def _failure(status: int, body: bytes) -> UpstreamError:
    """The error in ``{"error": {"code", "message", "type", …}}``."""
    try:
        fields = msgspec.json.decode(body, type=dict[str, dict[str, object]])["error"]
    except (msgspec.MsgspecError, KeyError):
        fields = {"message": body.decode(errors="replace")[:500]}
    code = fields.get("code")
    return UpstreamError(
        str(fields.get("message", "llama.cpp failed and did not say why.")),
        status=code if isinstance(code, int) else status,
        kind=str(fields.get("type", "server_error")),
        fields=fields,
    )
