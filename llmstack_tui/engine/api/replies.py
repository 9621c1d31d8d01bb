"""How the engine's routes answer: JSON, a failure, or lines that are made one by one."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, TypeVar

import msgspec
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

NATIVE_JSON = "application/json; charset=utf-8"
NATIVE_LINES = "application/x-ndjson"
OPENAI_JSON = "application/json"
OPENAI_EVENTS = "text/event-stream"

NO_IMAGES = "Reading images and sound needs Ollama: the built-in engine takes text only."

T = TypeVar("T")

encode = msgspec.json.Encoder().encode


class ApiError(Exception):
    """A request that is answered with an error; ``str`` of it is the text that the client gets."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def reply(value: object, content_type: str = NATIVE_JSON, status: int = 200) -> Response:
    # Starlette would add a charset to some types; what is in the header is exactly what Ollama sends.
    return Response(encode(value), status, headers={"content-type": content_type})


def native_error(error: ApiError) -> Response:
    """A failure as ``/api/*`` says it."""
    return reply({"error": str(error)}, status=error.status)


def openai_error(error: ApiError) -> Response:
    """A failure as ``/v1/*`` says it."""
    return reply(openai_error_body(error), OPENAI_JSON, error.status)


def openai_error_body(error: ApiError) -> dict[str, object]:
    kinds = {400: "invalid_request_error", 404: "not_found_error"}
    kind = kinds.get(error.status, "api_error")
    return {"error": {"message": str(error), "type": kind, "param": None, "code": None}}


async def body(request: Request, kind: type[T], *, absent: str = "missing request body") -> T:
    """The request's JSON.

    Raises:
        ApiError: it is not, in the words of Go's decoder where there are fixed ones.
    """
    data = await request.body()
    if not data.strip():
        raise ApiError(400, absent)
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise ApiError(400, str(error)) from None
    except msgspec.DecodeError as error:
        text = str(error)
        raise ApiError(400, "unexpected EOF" if "truncated" in text else text) from None


class Produced:
    """An answer whose parts are made one by one, as an ASGI application.

    What ``parts`` holds is given back as soon as the client leaves, before the first part too, and when the
    answer is a ``whole`` one of a single part. An `ApiError` before the first part becomes the status of the
    answer; after it, ``error_part`` is the last part. So it is when the server ends and has waited long.
    """

    def __init__(
        self,
        parts: AsyncGenerator[bytes, None],
        content_type: str,
        *,
        error: Callable[[ApiError], Response] = native_error,
        error_part: Callable[[ApiError], bytes] = lambda error: encode({"error": str(error)}) + b"\n",
        whole: bool = False,
    ) -> None:
        self._parts = parts
        self._content_type = content_type
        self._error = error
        self._error_part = error_part
        self._whole = whole
        self._begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending = asyncio.ensure_future(self._send(scope, receive, send))
        leaving = asyncio.ensure_future(_left(receive))
        stopped = False
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            stopped = not sending.done()
        finally:
            leaving.cancel()
            if not sending.done():
                sending.cancel()
            with suppress(asyncio.CancelledError):
                await sending
        if stopped:
            await self._fail(
                ApiError(503, "The engine was stopped in the middle of the answer."), scope, receive, send
            )

    async def _send(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with aclosing(self._parts) as parts:
                first = await anext(parts)
                headers = [(b"content-type", self._content_type.encode())]
                if self._whole:
                    headers.append((b"content-length", str(len(first)).encode()))
                self._begun = True
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body", "body": first, "more_body": not self._whole})
                if self._whole:
                    return
                async for part in parts:
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except ApiError as error:
            await self._fail(error, scope, receive, send)

    async def _fail(self, error: ApiError, scope: Scope, receive: Receive, send: Send) -> None:
        if self._begun:
            await send({"type": "http.response.body", "body": self._error_part(error)})
        else:
            await self._error(error)(scope, receive, send)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
