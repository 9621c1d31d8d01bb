"""How large a request may be, and how long it may take to arrive.

Who sends more, or more slowly, would hold memory and a connection that others need. The figures are far above
what clients send: a long conversation is some 100 kB, a chat with several pictures some 10 MB.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.units import bytes_text
from llmstack_tui.engine.errors import ApiError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MB = 10**6
# By the beginning of the path; the first that matches counts.
_BODIES = (
    ("/api/blobs/", 10**12),
    ("/api/create", 64 * _MB),
    *((path, 32 * _MB) for path in ("/api/chat", "/api/generate", "/api/embed", "/v1/", "/chat")),
)
_OTHER_BODIES = _MB


class ServerLimits(Struct, frozen=True, kw_only=True):
    """Limits of the HTTP server.

    Attributes:
        connections: at once: more than requests may wait for a model, fewer than a process may have files.
        head_bytes: of the request line and all headers.
        head_s: seconds from the first byte of a request to the end of its headers.
        body_s, body_rate: a body may take ``body_s`` seconds and one more for each ``body_rate`` bytes.
        stalled_s: seconds in which a client that has stopped to read an answer must take some 50 kB of it.
    """

    connections: int = 768
    head_bytes: int = 64 * 1024
    head_s: float = 20.0
    body_s: float = 30.0
    body_rate: int = 16 * 1024
    stalled_s: float = 60.0


class BodyLimit:
    """ASGI middleware: who reads a body that is too large, or comes too slowly, gets an `ApiError`."""

    def __init__(self, app: ASGIApp, limits: ServerLimits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            receive = _Body(self._limits, scope, receive).receive
        await self._app(scope, receive, send)


class _Body:
    """The body of one request."""

    def __init__(self, limits: ServerLimits, scope: Scope, receive: Receive) -> None:
        self._limits = limits
        self._scope = scope
        self._receive = receive
        self._most = most_bytes(scope["path"])
        self._began_s: float | None = None
        self._size = 0
        self._whole = False

    async def receive(self) -> Message:
        if self._whole:
            return await self._receive()
        if self._began_s is None:
            self._began_s = asyncio.get_running_loop().time()
            check_size(self._announced(), self._most)
        allowed_s = self._limits.body_s + self._size / self._limits.body_rate
        try:
            async with asyncio.timeout_at(self._began_s + allowed_s):
                message = await self._receive()
        except TimeoutError:
            raise ApiError(408, "The request did not arrive in time.") from None
        if message["type"] == "http.disconnect":
            raise ApiError(400, "unexpected EOF")
        self._size += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        check_size(self._size, self._most)
        return message

    def _announced(self) -> int:
        """The length in the headers; the server has checked that it is a number."""
        return next((int(value) for name, value in self._scope["headers"] if name == b"content-length"), 0)


def most_bytes(path: str) -> int:
    """How many bytes a request to the path may have."""
    return next((limit for beginning, limit in _BODIES if path.startswith(beginning)), _OTHER_BODIES)


def check_size(size: int, most: int) -> None:
    """Raise ApiError if a body of ``size`` bytes is larger than ``most``."""
    if size > most:
        raise ApiError(413, f"The request is too large: at most {bytes_text(most)} are read here.")
