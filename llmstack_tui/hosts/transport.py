"""HTTP to one server, and the one place where a failure on the wire becomes a typed error."""

from __future__ import annotations

import asyncio
import errno
import os
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, TypeVar

import httpx
import msgspec
from msgspec import Struct

from llmstack_tui import __version__
from llmstack_tui.base.address import is_loopback, is_ssh, request_url
from llmstack_tui.base.connections import connection_error, is_packed, pieces
from llmstack_tui.base.text import excerpt
from llmstack_tui.hosts.decoding import ErrorResponse, StreamLine, Wire, WrongShape, decode
from llmstack_tui.hosts.errors import BadStream, HostError, NotFound, Refused, Unreachable

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterable,
        AsyncIterator,
        Callable,
        Iterator,
        Mapping,
    )

    from llmstack_tui.base.secret import Secret
    from llmstack_tui.base.sentences import Param

    Body = Wire | Mapping[str, object]

# What is read of these takes some ten times as much memory at its worst.
MAX_DOCUMENT_BYTES = 8 * 2**20
MAX_LINE_BYTES = 4 * 2**20
_MAX_ERROR_BYTES = 64 * 2**10
_NO_EVENT = (b"<", b"{")

# Less than the time after which servers close an idle connection (uvicorn's default: five seconds): a request
# must not be sent just as its connection is closed.
_KEEP_CONNECTION_S = 3.0

Answer = TypeVar("Answer")
Line = TypeVar("Line", bound=StreamLine)
Value = TypeVar("Value")


def own_agent() -> str:
    """What our clients call themselves: the built-in engine recognises its owner by the process id."""
    return f"llmstack/{__version__} pid/{os.getpid()}"


class Timeouts(Struct, frozen=True, kw_only=True):
    """Seconds. ``short_s``, ``call_s`` and ``load_s`` count from the beginning of a call to its end.

    Attributes:
        connect_s: until a connection is made.
        short_s: a call that the server answers from memory.
        call_s: a call that may use the server's disk.
        load_s: a call that loads a model.
        silence_s: the pause between two pieces of a stream, or before the first, while a long prompt is read.
    """

    connect_s: float = 5.0
    short_s: float = 5.0
    call_s: float = 60.0
    load_s: float = 1800.0
    silence_s: float = 1800.0


class Transport:
    """Requests to the server at ``url``. Every call raises `HostError` and nothing else.

    A redirect is an error: the key, and what is asked, are for this address alone.

    Args:
        not_it: the kind of the question that follows an answer that was not understood.
        key_header: see `authentication.KeyAuth`.
        headers: what each request has beside the usual.
    """

    def __init__(
        self,
        url: str,
        *,
        user_agent: str,
        timeouts: Timeouts,
        not_it: str,
        key: Secret | None = None,
        key_header: str = "",
        headers: Mapping[str, str] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.url = url
        self.timeouts = timeouts
        self._key = key
        self._not_it = not_it
        # Certificates and proxies only with TLS: certificates take longer to load than a small request takes,
        # and a proxy does not find the machines of a local network.
        secure = url.startswith("https:")
        self._client = httpx.AsyncClient(
            base_url=request_url(url),
            headers={"User-Agent": user_agent, "Accept-Encoding": "identity", **(headers or {})},
            auth=None if key is None else _auth(key, key_header),
            verify=secure,
            trust_env=secure,
            transport=transport,
            limits=httpx.Limits(max_keepalive_connections=8, keepalive_expiry=_KEEP_CONNECTION_S),
            timeout=httpx.Timeout(timeouts.silence_s, connect=timeouts.connect_s),
        )

    @property
    def has_key(self) -> bool:
        return self._key is not None

    async def aclose(self) -> None:
        await self._client.aclose()

    async def document(
        self,
        method: str,
        path: str,
        body: Body | None,
        answer: type[Answer],
        read: Callable[[Answer], Value],
        *,
        limit_s: float,
        missing: str = "",
    ) -> Value:
        """Send a request, and return what ``read`` makes of the JSON document that answers it.

        Args:
            read: may raise `WrongShape`.
            limit_s: seconds from the beginning of the request to the end of the answer.
            missing: the model that is missing if the answer is a 404.
        """
        content = await self._whole(method, path, body, MAX_DOCUMENT_BYTES, limit_s=limit_s, missing=missing)
        with self._understanding(content):
            return read(decode(content, answer))

    async def done(
        self, method: str, path: str, body: Body | None, *, limit_s: float, missing: str = ""
    ) -> None:
        """Send a request whose answer only says that it was done."""
        content = await self._whole(method, path, body, _MAX_ERROR_BYTES, limit_s=limit_s, missing=missing)
        self._check_done(content)

    async def lines(
        self, path: str, body: Body, line: type[Line], read: Callable[[Line], Value], *, missing: str = ""
    ) -> AsyncGenerator[Value, None]:
        """POST, and yield what ``read`` makes of each line of the answer. A line with ``error`` is raised."""
        async with self._response("POST", path, body, missing=missing) as response:
            async for text in self._split(response):
                with self._understanding(text):
                    decoded = decode(text, line)
                    value = read(decoded)
                if decoded.error is not None:
                    raise self._error_of(decoded)
                yield value

    async def events(
        self, path: str, body: Body, event: type[Line], read: Callable[[Line], Value], *, missing: str = ""
    ) -> AsyncGenerator[Value, None]:
        """POST, and yield what ``read`` makes of each event of the answer, up to ``[DONE]`` or its end.

        Each is JSON in one ``data:`` line, or in an ``error:`` line of llama.cpp; one with ``error`` is
        raised. The last line of an answer that was cut in the middle of it is no event.
        """
        async with self._response("POST", path, body, missing=missing) as response:
            async for text in self._split(response, whole=True):
                name, _, data = text.partition(b":")
                if name.strip() not in (b"data", b"error"):
                    # An answer without any event may be an error, or a page.
                    self._check_line(text)
                    continue
                if data.strip() == b"[DONE]":
                    return
                with self._understanding(data):
                    decoded = decode(data, event)
                    value = read(decoded)
                if decoded.error is not None:
                    raise self._error_of(decoded)
                yield value

    async def text(self, method: str, path: str, *, limit_s: float, missing: str = "") -> str:
        """Send a request that is answered by something that is no JSON."""
        content = await self._whole(method, path, None, MAX_DOCUMENT_BYTES, limit_s=limit_s, missing=missing)
        return content.decode(errors="replace")

    async def exists(self, path: str) -> bool:
        """Whether a HEAD request finds something."""
        try:
            await self.done("HEAD", path, None, limit_s=self.timeouts.call_s)
        except NotFound:
            return False
        return True

    async def send(self, path: str, content: AsyncIterable[bytes], size: int) -> None:
        """POST ``size`` bytes."""
        headers = {"Content-Length": str(size)}
        async with self._response("POST", path, None, content=content, headers=headers) as response:
            sent = await self._content(response, _MAX_ERROR_BYTES)
        self._check_done(sent)

    # --- the wire ---

    @asynccontextmanager
    async def _response(
        self,
        method: str,
        path: str,
        body: Body | None,
        *,
        missing: str = "",
        content: AsyncIterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """A successful answer, its body still to be read."""
        encoded = self._encoded(body) if body is not None else content
        request = self._client.build_request(method, path, content=encoded, headers=headers)
        if body is not None:
            request.headers["Content-Type"] = "application/json"
        try:
            response = await self._client.send(request, stream=True)
        except httpx.HTTPError as error:
            raise self._no_answer(error) from None
        try:
            if not response.is_success:
                raise await self._status_error(response, missing)
            yield response
        except httpx.TimeoutException as error:
            raise self._unreachable("host.stopped", str(error)) from None
        except httpx.HTTPError as error:
            raise self._not_understood("answer.broke_off", str(error)) from None
        finally:
            await response.aclose()

    async def _whole(
        self, method: str, path: str, body: Body | None, limit: int, *, limit_s: float, missing: str
    ) -> bytes:
        """The body of an answer of at most ``limit`` bytes that comes within ``limit_s`` seconds."""
        try:
            async with (
                asyncio.timeout(limit_s),
                self._response(method, path, body, missing=missing) as response,
            ):
                return await self._content(response, limit)
        except TimeoutError:
            detail = os.strerror(errno.ETIMEDOUT)
            raise Unreachable("host.silent", host=self.url, limit_s=limit_s, detail=detail) from None

    def _pieces(self, response: httpx.Response) -> AsyncIterator[bytes]:
        """The body as it comes. None that is packed: how much it unpacks to is not known before."""
        if is_packed(response.headers):
            raise self._not_understood("answer.packed")
        return pieces(response)

    async def _content(self, response: httpx.Response, limit: int) -> bytes:
        content = bytearray()
        async for piece in self._pieces(response):
            content += piece
            if len(content) > limit:
                raise self._not_understood("answer.too_large")
        return bytes(content)

    async def _split(self, response: httpx.Response, *, whole: bool = False) -> AsyncIterator[bytes]:
        """The lines of a body that are not empty. With ``whole``, the last must have its newline.

        Unless it is the beginning of a page.
        """
        pending = bytearray()
        async for piece in self._pieces(response):
            *ends, rest = piece.split(b"\n")
            for end in ends:
                pending += end
                if pending.strip():
                    yield bytes(pending)
                pending.clear()
            pending += rest
            if len(pending) > MAX_LINE_BYTES:
                raise self._not_understood("answer.long_line")
        if pending.strip() and (not whole or pending.lstrip()[:1] == b"<"):
            yield bytes(pending)

    def _encoded(self, body: Body) -> bytes:
        try:
            return msgspec.json.encode(body)
        except (TypeError, ValueError) as error:
            raise Refused("host.cannot_be_sent", host=self.url, detail=excerpt(str(error))) from None

    # --- errors ---

    def _check_done(self, content: bytes) -> None:
        """Raise if the request failed, or if the answer is that of some other web server.

        Ollama answers such requests with an empty body, or with ``null`` in older versions.
        """
        if not content.strip():
            return
        with self._understanding(content):
            answer = msgspec.json.decode(content, type=ErrorResponse | None)
        if answer is not None and answer.error is not None:
            raise self._error_of(answer)

    def _check_line(self, line: bytes) -> None:
        """Raise if a line of a stream of events is the beginning of something else."""
        if line.lstrip()[:1] in _NO_EVENT:
            with self._understanding(line):
                answer = decode(line, ErrorResponse)
            raise self._not_understood("answer.no_json") if answer.error is None else self._error_of(answer)

    @contextmanager
    def _understanding(self, content: bytes) -> Iterator[None]:
        try:
            yield
        except WrongShape as error:
            raise self._not_understood(error.kind) from None
        except (ValueError, RecursionError) as error:
            page = content.lstrip()[:1] == b"<"
            why = "answer.web_page" if page else "answer.no_json"
            raise self._not_understood(why, str(error)) from None

    def _no_answer(self, error: httpx.HTTPError) -> HostError:
        if isinstance(error, httpx.ConnectError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
            why = connection_error(error)
            return Unreachable("host.certificate", host=self.url, why=why, detail=why)
        if isinstance(error, httpx.ConnectError):
            return self._unreachable("host.not_there", connection_error(error))
        if isinstance(error, httpx.TimeoutException):
            return self._unreachable("host.too_late", str(error))
        if not isinstance(error, httpx.RemoteProtocolError):
            return self._unreachable("host.connection_broke", str(error))
        if "disconnected" not in str(error):
            return self._not_understood("answer.no_http", str(error))
        return self._unreachable("host.closed", str(error))

    async def _status_error(self, response: httpx.Response, missing: str) -> HostError:
        """The error for an unsuccessful status, with the server's own words if it sent any."""
        from llmstack_tui.hosts.refusals import status_error  # noqa: PLC0415 (most requests succeed)

        content = await self._content(response, _MAX_ERROR_BYTES)
        return status_error(
            response.status_code,
            content,
            host=self.url,
            missing=missing,
            not_it=self._not_it,
            key=self._key,
            retry_after=response.headers.get("retry-after"),
        )

    def cut_off(self) -> HostError:
        """The error for a stream that ended before it said that it was done."""
        return self._not_understood("answer.too_early")

    def _error_of(self, line: StreamLine) -> HostError:
        from llmstack_tui.hosts.refusals import line_error  # noqa: PLC0415 (as above)

        return line_error(line, host=self.url, key=self._key)

    def _not_understood(self, kind: str, detail: str = "", **params: Param) -> HostError:
        return BadStream(kind, host=self.url, detail=excerpt(detail), hint=self._not_it, **params)

    def _unreachable(self, kind: str, detail: str) -> HostError:
        elsewhere = "" if is_ssh(self.url) else "host.check_address"
        hint = "host.start_it" if is_loopback(self.url) else elsewhere
        return Unreachable(kind, host=self.url, detail=excerpt(detail), hint=hint)


def _auth(key: Secret, header: str) -> httpx.Auth:
    from llmstack_tui.hosts.authentication import KeyAuth  # noqa: PLC0415 (most servers have no key)

    return KeyAuth(key, header)
