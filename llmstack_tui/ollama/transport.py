"""HTTP to one server, and the one place where what went wrong on the wire becomes a typed error."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import httpx
import msgspec
from msgspec import Struct

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.connections import connection_error
from llmstack_tui.base.text import excerpt, with_full_stop
from llmstack_tui.hosts.errors import BadStream, HostError, NotFound, Refused, ServerError, Unreachable
from llmstack_tui.ollama.wire import ErrorResponse, StreamLine, Wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterator, Mapping

MAX_DOCUMENT_BYTES = 64 * 2**20
MAX_LINE_BYTES = 16 * 2**20
_MAX_ERROR_BYTES = 64 * 2**10

# Below the five seconds after which uvicorn, which carries the built-in engine, closes an idle connection: a
# request must not meet the closing.
_KEEP_CONNECTION_S = 3.0

Answer = TypeVar("Answer", bound=Wire)
Line = TypeVar("Line", bound=StreamLine)
Value = TypeVar("Value")


class WrongShape(ValueError):
    """An answer of the right types without its main field; ``str`` completes "it was not understood: …"."""


class Timeouts(Struct, frozen=True, kw_only=True):
    """Seconds that each kind of call may take.

    Attributes:
        connect_s: until somebody takes the call.
        short_s: a question that a server answers from memory, from beginning to end.
        call_s: one that may touch its disk.
        load_s: until a model is loaded.
        silence_s: between two pieces of a stream and before its first, while a long prompt is read.
    """

    connect_s: float = 5.0
    short_s: float = 5.0
    call_s: float = 60.0
    load_s: float = 1800.0
    silence_s: float = 1800.0


class Transport:
    """Requests to the server at ``url``. All that they raise is `HostError`."""

    def __init__(
        self,
        url: str,
        *,
        user_agent: str,
        timeouts: Timeouts,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.url = url
        self.timeouts = timeouts
        # Certificates take longer to load than a small request takes, and a proxy does not find the machines
        # of a local network: both only where TLS asks for them.
        secure = url.startswith("https:")
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"User-Agent": user_agent, "Accept-Encoding": "identity"},
            verify=secure,
            trust_env=secure,
            transport=transport,
            limits=httpx.Limits(max_keepalive_connections=8, keepalive_expiry=_KEEP_CONNECTION_S),
            timeout=httpx.Timeout(timeouts.silence_s, connect=timeouts.connect_s),
        )

    async def aclose(self) -> None:
        await self._client.aclose()

    async def document(
        self,
        method: str,
        path: str,
        body: Wire | None,
        answer: type[Answer],
        read: Callable[[Answer], Value],
        *,
        limit_s: float,
        missing: str = "",
    ) -> Value:
        """What ``read`` makes of the one JSON document that answers a request.

        Args:
            read: may raise `WrongShape`.
            limit_s: seconds from the beginning to the end of it.
            missing: what a 404 means is missing, as the beginning of a sentence.
        """
        content = await self._whole(method, path, body, MAX_DOCUMENT_BYTES, limit_s=limit_s, missing=missing)
        with self._understanding(content):
            return read(msgspec.json.decode(content, type=answer))

    async def done(
        self, method: str, path: str, body: Wire | None, *, limit_s: float, missing: str = ""
    ) -> None:
        """Send a request whose answer says no more than that it was done."""
        content = await self._whole(method, path, body, _MAX_ERROR_BYTES, limit_s=limit_s, missing=missing)
        self._check_done(content)

    async def lines(
        self, path: str, body: Wire, line: type[Line], read: Callable[[Line], Value], *, missing: str = ""
    ) -> AsyncGenerator[Value, None]:
        """What ``read`` makes of each line of the answer to a POST. One that says ``error`` is raised."""
        async with self._response("POST", path, body, missing=missing) as response:
            async for text in self._split(response):
                with self._understanding(text):
                    decoded = msgspec.json.decode(text, type=line)
                    value = read(decoded)
                if decoded.error is not None:
                    raise self._failed(_error_text(decoded.error))
                yield value

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
        body: Wire | None,
        *,
        missing: str = "",
        content: AsyncIterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """An answer that is no error, its body still to be read."""
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
                await self._raise_status(response, missing)
            yield response
        except httpx.TimeoutException as error:
            raise self._unreachable(f"{self.url} stopped in the middle of an answer.", str(error)) from None
        except httpx.HTTPError as error:
            raise self._not_understood("it broke off in the middle", detail=str(error)) from None
        finally:
            await response.aclose()

    async def _whole(
        self, method: str, path: str, body: Wire | None, limit: int, *, limit_s: float, missing: str
    ) -> bytes:
        """The body of an answer of at most ``limit`` bytes that comes within ``limit_s`` seconds."""
        try:
            async with (
                asyncio.timeout(limit_s),
                self._response(method, path, body, missing=missing) as response,
            ):
                return await self._content(response, limit)
        except TimeoutError:
            raise Unreachable(
                f"No answer from {self.url} within {limit_s:g} seconds.",
                host=self.url,
                detail=f"no answer within {limit_s:g} seconds",
                hint="It may be busy; if it stays so, restart it.",
            ) from None

    async def _content(self, response: httpx.Response, limit: int) -> bytes:
        content = bytearray()
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > limit:
                raise self._not_understood("it is larger than any answer should be")
        return bytes(content)

    async def _split(self, response: httpx.Response) -> AsyncIterator[bytes]:
        """The lines of a body that are not empty; a last one may lack its end."""
        pending = bytearray()
        async for chunk in response.aiter_bytes():
            *whole, rest = chunk.split(b"\n")
            for end in whole:
                pending += end
                if pending.strip():
                    yield bytes(pending)
                pending.clear()
            pending += rest
            if len(pending) > MAX_LINE_BYTES:
                raise self._not_understood("a line of it is longer than any should be")
        if pending.strip():
            yield bytes(pending)

    def _encoded(self, body: Wire) -> bytes:
        try:
            return msgspec.json.encode(body)
        except (TypeError, ValueError) as error:
            message = "The request holds something that cannot be sent."
            raise Refused(message, host=self.url, detail=excerpt(str(error))) from None

    # --- what went wrong ---

    def _check_done(self, content: bytes) -> None:
        """Raise unless the answer is that of a server of models, and not of any web server.

        Ollama answers such requests with nothing at all, or with ``null`` in older versions.
        """
        if not content.strip():
            return
        with self._understanding(content):
            said = msgspec.json.decode(content, type=ErrorResponse | None)
        if said is not None and said.error is not None:
            raise self._failed(_error_text(said.error))

    @contextmanager
    def _understanding(self, content: bytes) -> Iterator[None]:
        try:
            yield
        except WrongShape as error:
            raise self._not_understood(str(error)) from None
        except (ValueError, RecursionError) as error:
            page = content.lstrip()[:1] == b"<"
            why = "it is a web page" if page else "it is not the JSON that was expected"
            raise self._not_understood(why, detail=str(error)) from None

    def _no_answer(self, error: httpx.HTTPError) -> HostError:
        if isinstance(error, httpx.ConnectError):
            return self._unreachable(f"Nothing answers at {self.url}.", connection_error(error))
        if isinstance(error, httpx.TimeoutException):
            return self._unreachable(f"No answer came from {self.url} in time.", str(error))
        if not isinstance(error, httpx.RemoteProtocolError):
            return self._unreachable(f"The connection to {self.url} broke.", str(error))
        if "disconnected" not in str(error):
            return self._not_understood("it is not HTTP", detail=str(error))
        return self._unreachable(f"{self.url} closed the connection.", str(error))

    async def _raise_status(self, response: httpx.Response, missing: str) -> None:
        """The error that a status other than success means, in the server's own words if it has any."""
        code = response.status_code
        content = await self._content(response, _MAX_ERROR_BYTES)
        try:
            error = msgspec.json.decode(content, type=ErrorResponse).error
        except (ValueError, RecursionError):
            error = None
        said = _error_text(error) if error is not None else ""
        if code == 404 and (said or not content):
            message = f"{missing or 'What was asked for'} is not on {self.url}."
            raise NotFound(message, host=self.url, detail=said)
        if code >= 500 and code != HTTPStatus.NOT_IMPLEMENTED:
            raise self._failed(said or f"status {code}")
        if code < 400 or (code == 404 and content.lstrip()[:1] == b"<"):
            raise self._not_understood(f"its status is {code}")
        raise Refused(
            f"{self.url} refused: {with_full_stop(said or f'status {code}')}", host=self.url, detail=said
        )

    def cut_off(self) -> HostError:
        """The error of a stream that ended before it said that it was done."""
        return self._not_understood("it ended too early")

    def _failed(self, said: str) -> HostError:
        return ServerError(f"{self.url} failed: {with_full_stop(said)}", host=self.url, detail=said)

    def _not_understood(self, why: str, *, detail: str = "") -> HostError:
        return BadStream(
            f"An answer from {self.url} was not understood: {why}.",
            host=self.url,
            detail=excerpt(detail),
            hint="Is it an Ollama server?",
        )

    def _unreachable(self, message: str, detail: str = "") -> HostError:
        hint = (
            "Start the server, or give its address with --host."
            if is_loopback(self.url)
            else "Check the address, and that the server listens for other machines."
        )
        return Unreachable(message, host=self.url, detail=excerpt(detail), hint=hint)


def _error_text(error: str | Mapping[str, object]) -> str:
    """What an error says; on ``/v1`` routes it is an object with a message."""
    return excerpt(error if isinstance(error, str) else str(error.get("message", "")))
