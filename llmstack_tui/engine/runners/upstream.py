"""Requests to the HTTP server inside a model's process.

It uses aiohttp, which takes a quarter of a second to import, but adds only a third as much time to a request
as httpx.
"""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec

from llmstack_tui.engine.errors import NO_GRAMMAR, UpstreamError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

_DONE = b"[DONE]"
_ERROR = b'{"error"'
_FIELDS = (b"data: ", b"error: ")
_HOST = "http://llama.invalid"  # Every HTTP request names a host; a Unix socket has none.

# The beginnings of what llama.cpp says of a request that it cannot answer, and what is said instead.
_NO_PARSER = "Unable to generate parser for this template. Automatic parser generation failed:"
_NO_GRAMMAR = {
    f"{_NO_PARSER} JSON schema error at ": "A JSON schema of the request cannot be used: ",
    "Failed to initialize samplers: failed to parse grammar": "A JSON schema of the request is too large.",
}
_WORDS = {
    **_NO_GRAMMAR,
    "got exception: Unexpected empty grammar stack": (
        "The model called a tool with other arguments than its schema allows."
    ),
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
        unix = address.removeprefix("unix://")
        self._base = _HOST if unix != address else address
        # No connection is reused: an idle one holds a thread of the server for some seconds, and is then
        # closed, perhaps just as a request takes it.
        connector = (
            aiohttp.UnixConnector(unix, limit=0, force_close=True)
            if unix != address
            else aiohttp.TCPConnector(limit=0, force_close=True)
        )
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        # A large model may take minutes; the client decides how long to wait.
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
        self._session = aiohttp.ClientSession(connector=connector, headers=headers, timeout=timeout)

    async def close(self) -> None:
        await self._session.close()

    async def call(self, path: str, body: Mapping[str, object] | None) -> dict[str, Any]:
        """The whole answer; without a body it is a GET.

        Raises:
            Disconnected: the server went away.
            UpstreamError: it refused the request.
        """
        async with self._request(path, body) as response:
            answer = await response.read()
        found = msgspec.json.decode(answer)
        # Some routes answer with a bare list.
        return found if isinstance(found, dict) else {"data": found}

    async def stream(self, path: str, body: Mapping[str, object]) -> AsyncGenerator[bytes, None]:
        """The data of each event. Closing the generator closes the connection: the server stops its work.

        Raises:
            Disconnected: the server went away.
            UpstreamError: it refused the request, or failed in the middle of it.
        """
        async with self._request(path, body) as response:
            rest = b""
            while data := await response.content.readany():
                events, rest = complete_events(rest + data)
                for event in events:
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
            async with self._session.request(method, self._base + path, data=data) as response:
                if response.status >= 400:
                    raise _failure(response.status, await response.read())
                yield response
        except (aiohttp.ClientError, OSError) as error:
            raise Disconnected(str(error)) from error


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
    code = fields.get("code")
    said = str(fields.get("message", "llama.cpp failed and did not say why."))
    kind = str(fields.get("type", "server_error"))
    if said.startswith(_NO_PARSER) and (refused := _REFUSED_BY_TEMPLATE.search(said)):
        said = f"The model's template refuses the messages: {' '.join(refused[1].split())}"
    for theirs, ours in _WORDS.items():
        if said.startswith(theirs):
            # What follows names the place in the request, or is of the inside of llama.cpp.
            said = ours + said.removeprefix(theirs) if ours.endswith(" ") else ours
            kind = NO_GRAMMAR if theirs in _NO_GRAMMAR else kind
            break
    return UpstreamError(said, status=code if isinstance(code, int) else status, kind=kind)
