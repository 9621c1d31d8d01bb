"""HTTP to registries: limits of requests and of time, retries, redirects and proxies."""

from __future__ import annotations

import asyncio
import time
import zlib
from typing import TYPE_CHECKING

import httpx
from msgspec import Struct

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.connections import announced_length, connection_error, pieces, retry_after_s
from llmstack_tui.registry.errors import BadRegistryAnswer, RegistryBusy, RegistryUnreachable
from llmstack_tui.registry.packing import Unpacking
from llmstack_tui.registry.redirects import why_not_followed

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

AT_ONCE = 16
MAX_RETRY_AFTER_S = 3600.0
_MAX_REDIRECTS = 5
_BUSY_TRIES = 3
_KEEP_CONNECTION_S = 3.0
_BROKEN = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)


class HttpTimeouts(Struct, frozen=True, kw_only=True):
    """Seconds.

    Attributes:
        connect_s: until a connection is made.
        total_s: from the beginning of a request to the end of its answer, redirects included.
        max_wait_s: the longest time that a registry may ask us to wait; for a longer one, the request fails.
    """

    connect_s: float = 5.0
    total_s: float = 15.0
    max_wait_s: float = 5.0


class Reply(Struct, frozen=True):
    """The answer. ``truncated``: the body was longer than was asked for."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    truncated: bool = False


class _RegistryRequest(Struct, frozen=True):
    method: str
    url: str
    host: str
    headers: Mapping[str, str]
    max_bytes: int


class HttpTransport:
    """Requests to any address. Every call raises `RegistryError` and nothing else."""

    def __init__(self, *, user_agent: str, timeouts: HttpTimeouts, at_once: int) -> None:
        self._timeouts = timeouts
        self._headers = {"User-Agent": user_agent, "Accept-Encoding": "identity"}
        # Each slot has a client of its own: a client with many connections looks at all of them for each
        # request, which takes longer than the request. The slot used last comes first: it has a connection.
        self._slots = asyncio.LifoQueue[int]()
        for slot in range(at_once):
            self._slots.put_nowait(slot)
        self._opening = asyncio.Lock()
        self._certificates: ssl.SSLContext | None = None
        self._clients: dict[tuple[int, bool], httpx.AsyncClient] = {}
        self._not_before_s: dict[str, float] = {}

    async def aclose(self) -> None:
        clients, self._clients = tuple(self._clients.values()), {}
        for client in clients:
            await client.aclose()

    async def ask(
        self, url: str, *, host: str, headers: Mapping[str, str], max_bytes: int, method: str = "GET"
    ) -> Reply:
        """Send a request, and return the answer, whatever its status. Errors name ``host``.

        After a broken connection, the request is sent once more. If a registry says when to ask again, this
        waits for a short time; for a longer one, this call and later ones raise `RegistryBusy` until then.
        """
        request = _RegistryRequest(method, url, host, {**self._headers, **headers}, max_bytes)
        broke, tries = False, 0
        while True:
            await self._wait(host)
            try:
                reply = await self._exchange(request)
            except RegistryUnreachable as error:
                # A kept connection may have been closed meanwhile; a refused one would be refused again.
                if broke or not isinstance(error.__cause__, _BROKEN):
                    raise
                broke = True
                continue
            header = reply.headers.get("retry-after")
            if reply.status != 429 and not (reply.status == 503 and header is not None):
                return reply
            tries += 1
            stated_s = retry_after_s(header, MAX_RETRY_AFTER_S)
            wait_s = 2.0 ** (tries - 1) if stated_s is None else stated_s
            now = time.monotonic()
            self._not_before_s[host] = max(self._not_before_s.get(host, now), now + wait_s)
            if tries >= _BUSY_TRIES:
                raise RegistryBusy("registry.busy", host=host, retry_after_s=wait_s)

    async def _wait(self, host: str) -> None:
        self._refuse_too_early(host)
        left_s = self._not_before_s.get(host, 0.0) - time.monotonic()
        if left_s > 0:
            await asyncio.sleep(left_s)

    def _refuse_too_early(self, host: str) -> None:
        left_s = self._not_before_s.get(host, 0.0) - time.monotonic()
        if left_s > self._timeouts.max_wait_s:
            raise RegistryBusy("registry.busy", host=host, retry_after_s=left_s)

    async def _exchange(self, request: _RegistryRequest) -> Reply:
        limit_s, host = self._timeouts.total_s, request.host
        slot = await self._slots.get()
        try:
            self._refuse_too_early(host)
            async with asyncio.timeout(limit_s):
                return await self._follow(slot, request)
        except (TimeoutError, httpx.TimeoutException):
            raise RegistryUnreachable("registry.too_late", host=host) from None
        except httpx.ConnectError as error:
            why = connection_error(error)
            raise RegistryUnreachable("registry.unreachable", host=host, why=why) from error
        except httpx.HTTPError as error:
            why = str(error).rstrip(".") or type(error).__name__
            cut = "disconnected" in why or "without" in why
            if isinstance(error, httpx.RemoteProtocolError) and not cut:
                raise BadRegistryAnswer("registry.not_http", host=host) from error
            raise RegistryUnreachable("registry.broke", host=host, why=why) from error
        except zlib.error:
            raise BadRegistryAnswer("registry.broken_packing", host=host) from None
        except (httpx.InvalidURL, ValueError, OverflowError):
            raise BadRegistryAnswer("registry.bad_address", host=host) from None
        finally:
            self._slots.put_nowait(slot)

    async def _follow(self, slot: int, wanted: _RegistryRequest) -> Reply:
        """Send a request and follow redirects, but neither from TLS to an address without it nor inside."""
        host = wanted.host
        request = httpx.Request(wanted.method, wanted.url, headers=wanted.headers)
        for _ in range(_MAX_REDIRECTS + 1):
            if not 0 <= (request.url.port or 0) <= 65535:  # Not checked by httpx.
                raise httpx.InvalidURL("There is no such port.")
            client = await self._client(slot, request.url, host)
            response = await client.send(request, stream=True)
            try:
                following = response.next_request
                if following is None:
                    content, truncated = await _read(response, wanted.max_bytes)
                    return Reply(response.status_code, response.headers, content, truncated)
            finally:
                await response.aclose()
            if kind := await why_not_followed(str(request.url), str(following.url)):
                raise BadRegistryAnswer(kind, host=host, target=following.url.host)
            request = following
        raise BadRegistryAnswer("registry.endless_redirects", host=host)

    async def _client(self, slot: int, url: httpx.URL, host: str) -> httpx.AsyncClient:
        """The client of a slot. For this machine, without proxies or certificates, which load slowly."""
        outside = url.scheme != "http" or not is_loopback(str(url))
        try:
            if outside:
                await self._load_certificates()
            if (slot, outside) not in self._clients:
                self._clients[slot, outside] = self._open(outside)
        except (ImportError, ValueError, OSError) as error:
            raise RegistryUnreachable("registry.bad_environment", host=host, why=str(error)) from None
        return self._clients[slot, outside]

    async def _load_certificates(self) -> None:
        async with self._opening:
            if self._certificates is None:
                self._certificates = await asyncio.to_thread(httpx.create_ssl_context)

    def _open(self, outside: bool) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            verify=self._certificates or False,
            trust_env=outside,
            limits=httpx.Limits(max_keepalive_connections=2, keepalive_expiry=_KEEP_CONNECTION_S),
            timeout=httpx.Timeout(self._timeouts.total_s, connect=self._timeouts.connect_s),
        )


async def _read(response: httpx.Response, max_bytes: int) -> tuple[bytes, bool]:
    """The body, and whether it was truncated. If its stated length is too large, it is not read at all."""
    length = announced_length(response.headers) or 0
    if response.request.method != "HEAD" and length > max_bytes:
        return b"", True
    content, unpacking = bytearray(), Unpacking(response.headers)
    async for packed in pieces(response):
        for piece in unpacking.pieces(packed):
            content += piece
            if len(content) > max_bytes:
                return bytes(content[:max_bytes]), True
    return bytes(content), False
