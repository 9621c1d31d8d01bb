"""The blobs of one model at its registry, over HTTP."""

from __future__ import annotations

import asyncio
import re
import zlib
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from llmstack_tui import __version__
from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.connections import connection_error, is_packed, retry_after_s
from llmstack_tui.base.sentences import QUOTED, Failure, said
from llmstack_tui.base.text import excerpt, with_full_stop
from llmstack_tui.library.errors import LibraryError
from llmstack_tui.registry.errors import RegistryBusy, RegistryError, RegistryFailed, RegistryUnreachable
from llmstack_tui.registry.packing import Unpacking
from llmstack_tui.registry.redirects import why_not_followed

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

    from llmstack_tui.base.names import ModelName
    from llmstack_tui.base.sentences import Param
    from llmstack_tui.library.manifest import Layer
    from llmstack_tui.registry.client import Registry
    from llmstack_tui.registry.download.partial import Span

_CONNECT_S = 15.0
# Each connection may buffer twice as many bytes in memory.
_BUFFER = 256 * 1024
_MAX_REDIRECTS = 10
_REDIRECTS = {301, 302, 303, 307, 308}
_LONGEST_WAIT_S = 120.0
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18}|\*)", re.IGNORECASE)
# 403 is the answer at a signed address that has expired: the next request gets a new one.
_TEMPORARY = {403, 408, 425, 429}
_FINAL = {401: "registry.layer_private", 404: "registry.layer_missing", 416: "registry.layer_too_short"}


class TemporaryFailure(Failure):
    """A request for bytes failed, and may succeed later.

    Attributes:
        wait_s: seconds after which the server may be asked again, None if it did not say.
    """

    def __init__(self, kind: str, /, *, wait_s: float | None = None, **params: Param) -> None:
        super().__init__(kind, hint="", **params)
        self.wait_s = wait_s


class BlobSource:
    """The blobs of a model at its registry, which may want a token with each request.

    Every request follows the redirects from the registry anew, because the addresses that they lead to
    expire. Proxies and certificates come from the environment; addresses of this machine need neither.
    """

    def __init__(self, registry: Registry, name: ModelName, *, silence_s: float) -> None:
        self._registry = registry
        self._name = name
        self._address = registry.blobs_url(name)
        self._silence_s = silence_s
        self._token = registry.known_token(name)
        self._renewing = asyncio.Lock()
        at = urlsplit(self._address)
        self._host = at.netloc
        self._server = (at.scheme, at.hostname, at.port or (80 if at.scheme == "http" else 443))
        self._session: aiohttp.ClientSession

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Self]:
        """Open the session. Raises LibraryError if the environment's certificates cannot be used."""
        local = is_loopback(self._address)
        try:
            context = True if local else await asyncio.to_thread(_certificates)
        except (OSError, ValueError) as error:
            raise LibraryError("registry.bad_certificates", why=str(error)) from None
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=context),
            headers={"User-Agent": f"llmstack/{__version__}", "Accept-Encoding": "identity"},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=self._silence_s),
            trust_env=not local,
            auto_decompress=False,
            middlewares=(self._with_token,),
            read_bufsize=_BUFFER,
            # A signed address is valid only as it was written.
            requote_redirect_url=False,
        ) as self._session:
            yield self

    @asynccontextmanager
    async def bytes_of(self, layer: Layer, part: Span) -> AsyncIterator[tuple[bool, AsyncIterator[bytes]]]:
        """Whether the server sends parts, and the bytes: of this part, or else of the whole blob.

        Raises:
            TemporaryFailure: the request failed, or broke off while this is open, and may succeed later.
            LibraryError: the request failed, and would fail again.
        """
        asked = {"Range": f"bytes={part[0]}-{part[1] - 1}"}
        longest_s = 2 * self._silence_s  # The head may drip, too.
        try:
            async with (
                asyncio.timeout(longest_s) as limit,
                self._session.get(
                    f"{self._address}/{layer.digest}", headers=asked, max_redirects=_MAX_REDIRECTS
                ) as response,
            ):
                limit.reschedule(None)
                is_part = self._is_part(response, layer, part)
                # A part of what is packed could not be unpacked.
                async with aclosing(_unpacked(response, {} if is_part else response.headers)) as content:
                    yield is_part, content
        except aiohttp.TooManyRedirects:
            raise LibraryError("registry.redirects", registry=self._host, layer=layer.short) from None
        except TimeoutError:
            raise TemporaryFailure("registry.silent", seconds=self._silence_s) from None
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise self._bad_redirect(str(error)) from None
        except aiohttp.ClientHttpProxyError as error:
            raise TemporaryFailure("registry.status", server=self._host, status=error.status) from None
        except aiohttp.ClientResponseError:
            # Its text has the whole address, signature included.
            raise TemporaryFailure("registry.not_http", host=self._host) from None
        except zlib.error:
            raise TemporaryFailure("registry.broken_packing", host=self._host) from None
        except aiohttp.ClientConnectorError as error:
            raise TemporaryFailure(
                "registry.unreachable", host=error.host, why=connection_error(error)
            ) from None
        except (aiohttp.ClientError, ConnectionError) as error:
            cut = isinstance(error, aiohttp.ClientPayloadError | aiohttp.ServerDisconnectedError)
            if cut or not str(error):
                raise TemporaryFailure("registry.broken_off") from None
            raise TemporaryFailure(QUOTED, text=with_full_stop(excerpt(str(error)))) from None

    async def _with_token(
        self, request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Send a request, redirected ones included. Only the registry gets the token, no other host."""
        if (request.url.scheme, request.url.raw_host, request.url.port) != self._server:
            return await self._checked(await send(request))
        token = self._token
        response = await self._checked(await _sent(request, token, send))
        if response.status != 401:
            return response
        async with self._renewing:
            # Another part may have got a new token meanwhile.
            if self._token == token:
                header = ", ".join(response.headers.getall("WWW-Authenticate", ()))
                self._token = await self._new_token(header)
        if self._token is None:
            return response
        response.release()
        return await self._checked(await _sent(request, self._token, send))

    async def _checked(self, response: aiohttp.ClientResponse) -> aiohttp.ClientResponse:
        """The response, unless it redirects to where nobody may be led. Raises LibraryError."""
        location = response.headers.get("Location") or response.headers.get("URI")
        if response.status not in _REDIRECTS or not location:
            return response
        try:
            target = response.url.join(URL(location, encoded=True))
            (target.raw_host or "").encode("idna")
            kind = await why_not_followed(str(response.url), str(target))
        except ValueError:
            response.close()
            raise self._bad_redirect(location) from None
        if kind and target.scheme in ("http", "https"):  # Any other is refused for that by aiohttp.
            response.close()
            raise LibraryError(kind, host=self._host, target=target.host)
        return response

    def _bad_redirect(self, address: str) -> LibraryError:
        return LibraryError("registry.bad_redirect", registry=self._host, address=excerpt(address, 100))

    async def _new_token(self, header: str) -> str | None:
        try:
            return await self._registry.new_token(self._name, header)
        except RegistryBusy as error:
            raise TemporaryFailure(QUOTED, text=said(error), wait_s=error.retry_after_s) from None
        except (RegistryFailed, RegistryUnreachable) as error:
            raise TemporaryFailure(QUOTED, text=said(error)) from None
        except RegistryError as error:
            raise LibraryError(QUOTED, text=said(error)) from None

    def _is_part(self, response: aiohttp.ClientResponse, layer: Layer, part: Span) -> bool:
        status, where = response.status, response.url.host or self._host
        if status == 206:
            span = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
            if span is None or int(span[1]) != part[0]:
                raise TemporaryFailure("registry.other_bytes", server=where)
            if span[2] != "*" and int(span[2]) != layer.size:
                raise _other_size(where, layer, int(span[2]))
            return True
        if status == 200:
            if response.content_type == "text/html":
                raise LibraryError("registry.web_page", host=where)
            if response.content_length not in (None, layer.size) and not is_packed(response.headers):
                raise _other_size(where, layer, response.content_length or 0)
            return False
        if status in _TEMPORARY or status >= 500:
            wait_s = retry_after_s(response.headers.get("Retry-After"), _LONGEST_WAIT_S)
            raise TemporaryFailure("registry.status", server=where, status=status, wait_s=wait_s)
        kind = _FINAL.get(status, "registry.layer_status")
        raise LibraryError(kind, server=where, layer=layer.short, status=status)


async def _sent(
    request: aiohttp.ClientRequest, token: str | None, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    if token is not None:
        request.headers["Authorization"] = f"Bearer {token}"
    return await send(request)


async def _unpacked(
    response: aiohttp.ClientResponse, headers: Mapping[str, str]
) -> AsyncGenerator[bytes, None]:
    unpacking = Unpacking(headers)
    async for packed in response.content.iter_any():
        for piece in unpacking.pieces(packed):
            yield piece


def _other_size(where: str, layer: Layer, size: int) -> LibraryError:
    return LibraryError("registry.other_size", server=where, layer=layer.short, size=size, stated=layer.size)


def _certificates() -> ssl.SSLContext:
    # The same certificates as for all other requests.
    import httpx  # noqa: PLC0415

    return httpx.create_ssl_context()
