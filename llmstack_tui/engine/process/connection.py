"""One connection of a client, as uvicorn reads it, with limits on what a client can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from llmstack_tui.engine.errors import ServerBusy

if TYPE_CHECKING:
    import asyncio

    from llmstack_tui.engine.api.limits import ServerLimits

_PHRASES = {
    400: "Bad Request",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}
# What a client still sends after it was refused is passed over for so long.
_LINGER_S = 2.0


class LimitedConnection(HttpToolsProtocol):
    """Closes the connection of a client that sends endless headers, sends them too slowly, or never reads.

    Bodies have their limits in `api.limits`, where they can be answered in the form of their route. Who is
    answered before all was read may send the rest, for as long as headers may take: many clients read the
    answer only then, and to close a connection that has something unread takes the answer away from them.
    """

    def __init__(self, limits: ServerLimits, **uvicorns: Any) -> None:
        super().__init__(**uvicorns)
        self._limits = limits
        self._in_head = False
        self._head_bytes = 0
        self._refused = False
        self._late: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]  # at first

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own
        super().connection_made(transport)
        self._await_head()
        if len(self.connections) > self._limits.connections and not self._displace():
            self._refuse(503, str(ServerBusy()))

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._late, self._stalled):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self._late is None and self.is_idle:
            self._await_head()
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self._limits.head_bytes:
                self._refuse(431, "The headers are too large.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        # They may have come all at once.
        if (
            len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
            > self._limits.head_bytes
        ):
            self._refuse(431, "The headers are too large.")
            raise ValueError("The parser stops at an exception.")
        self._in_head = False
        if self._late is not None:
            self._late.cancel()
            self._late = None
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._in_head:  # The next request began before the answer ended.
            self._await_head()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, msg)

    def pause_writing(self) -> None:
        super().pause_writing()
        # Its request ends, as if the client had gone, and so does a stop of the model that waits for it.
        self._stalled = self.loop.call_later(self._limits.stalled_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()

    def timeout_keep_alive_handler(self) -> None:
        # A transport that is closed would wait until its client has read all.
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        super().timeout_keep_alive_handler()

    def _displace(self) -> bool:
        """Close a connection on which nothing is going on. Returns whether there was one."""
        for other in self.connections:
            if other is not self and isinstance(other, LimitedConnection) and other.is_idle:
                other.transport.abort()
                return True
        return False

    def _await_head(self) -> None:
        self._late = self.loop.call_later(self._limits.head_s, self._too_late)

    def _too_late(self) -> None:
        if self._in_head and not self._refused:
            self._refuse(408, "The request did not arrive in time.")
        else:
            self.transport.close()

    def _refuse(self, status: int, message: str) -> None:
        """Answer before there is a request, and read no further one."""
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        if self._late is not None:
            self._late.cancel()
        self._late = self.loop.call_later(_LINGER_S, self.transport.close)
        body = msgspec.json.encode({"error": message})
        head = (
            f"HTTP/1.1 {status} {_PHRASES[status]}\r\ncontent-type: application/json; charset=utf-8\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.write_eof()
