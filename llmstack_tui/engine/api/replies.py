"""The answers of the engine's routes: JSON, an error, or a stream of generated parts."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

import msgspec
from starlette.responses import Response

from llmstack_tui.engine.api.decoding import decode, fault, unpacked
from llmstack_tui.engine.api.limits import most_bytes
from llmstack_tui.engine.errors import ApiError, StoppedInAnswer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from llmstack_tui.base.sentences import Sentences

OLLAMA_JSON = "application/json; charset=utf-8"
OLLAMA_LINES = "application/x-ndjson"
OPENAI_JSON = "application/json"
OPENAI_EVENTS = "text/event-stream"

# Lists and objects in a request, brackets in its texts included. Ten million empty lists are 30 MB: they
# would take a gigabyte of memory, and hold up everybody for many seconds.
_MOST_NESTED = 500_000

_ANTHROPIC_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
}

T = TypeVar("T")

encode = msgspec.json.Encoder().encode
_SUCCESS = encode({"status": "success"})


def reply(value: object, content_type: str = OLLAMA_JSON, status: int = 200) -> Response:
    # Not `media_type`: Starlette adds a charset to some types, and the header has to be exactly Ollama's.
    return Response(encode(value), status, headers={"content-type": content_type})


def ollama_error(error: ApiError) -> Response:
    """An error in the form of ``/api/*``."""
    return Response(_ollama_body(error), error.status, headers={"content-type": OLLAMA_JSON})


def as_data(sentences: Sentences) -> dict[str, object]:
    """A field, ours alone, with the sentences of a text beside it, if they can be sent.

    Half of a pair, in the name of a file, cannot: the text has it made harmless.
    """
    with suppress(UnicodeEncodeError):
        return {"sentences": msgspec.Raw(encode(sentences))} if sentences else {}
    return {}


def _ollama_body(error: ApiError) -> bytes:
    return encode({"error": str(error), **as_data(error.sentences)})


def openai_error(error: ApiError) -> Response:
    """An error in the form of ``/v1/*``."""
    return reply(openai_error_body(error), OPENAI_JSON, error.status)


def anthropic_error(error: ApiError) -> Response:
    """An error in the form of ``/v1/messages``."""
    value = {**anthropic_error_body(error), "request_id": new_id("req")}
    return reply(value, OPENAI_JSON, error.status)


def error_response(path: str, error: ApiError) -> Response:
    """An error in the form of the route at ``path``."""
    if path.startswith("/v1/messages"):
        return anthropic_error(error)
    return openai_error(error) if path.startswith(("/v1/", "/chat", "/health")) else ollama_error(error)


def openai_error_body(error: ApiError) -> dict[str, object]:
    kinds = {400: "invalid_request_error", 401: "invalid_request_error", 404: "not_found_error"}
    kind = kinds.get(error.status, "api_error")
    code = "invalid_api_key" if error.status == 401 else error.code
    return {"error": {"message": str(error), "type": kind, "param": None, "code": code}}


def anthropic_error_body(error: ApiError) -> dict[str, object]:
    kind = _ANTHROPIC_ERRORS.get(error.status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": str(error)}}


def typed_event(value: Mapping[str, object]) -> bytes:
    """An event that is named by its ``type``, as in Anthropic's streams and in those of responses."""
    return b"event: %s\ndata: %s\n\n" % (str(value["type"]).encode(), encode(value))


def new_id(prefix: str) -> str:
    return f"{prefix}_{uuid4().hex[:24]}"


async def body(request: Request, kind: type[T], *, absent: str = "missing request body") -> T:
    """The request's body, decoded from JSON as ``kind``.

    Raises:
        ApiError: the body is missing (the message is ``absent``) or malformed (where Go's decoder has a fixed
            message, that one), or has too many parts.
    """
    packed, encoding = await request.body(), request.headers.get("content-encoding", "")
    data = unpacked(packed, encoding, most_bytes(request.url.path))
    if not data.strip():
        raise ApiError(400, absent)
    if len(data) > _MOST_NESTED and data.count(b"[") + data.count(b"{") > _MOST_NESTED:
        raise ApiError(413, "The JSON has too many lists and objects.")
    try:
        return decode(data, kind)
    except msgspec.ValidationError as error:
        raise ApiError(400, fault(error)) from None
    except msgspec.DecodeError as error:
        text = str(error)
        raise ApiError(400, "unexpected EOF" if "truncated" in text else text) from None


def progress_response(lines: AsyncGenerator[bytes, None], *, stream: bool) -> GeneratorResponse:
    """``lines`` and a last line that reports success; without ``stream``, only the last line."""
    content_type = OLLAMA_LINES if stream else "application/json"
    return GeneratorResponse(_with_success(lines, stream=stream), content_type, whole=not stream)


class GeneratorResponse:
    """A response whose parts a generator makes, as an ASGI application.

    ``parts`` is closed as soon as the client disconnects, even before the first part. ``error`` makes the
    response to an `ApiError` before the first part; after it, ``error_part`` makes the last part. A shutdown
    of the server during the response is answered like an `ApiError`.

    Args:
        whole: ``parts`` yields one part, which is the whole body: its length goes into the headers.
    """

    def __init__(
        self,
        parts: AsyncGenerator[bytes, None],
        content_type: str,
        *,
        error: Callable[[ApiError], Response] = ollama_error,
        error_part: Callable[[ApiError], bytes] = lambda error: _ollama_body(error) + b"\n",
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
        leaving = asyncio.ensure_future(_disconnected(receive))
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
            await self._fail(StoppedInAnswer(), scope, receive, send)

    async def _send(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with aclosing(self._parts) as parts:
                first = await anext(parts)
                # As from Ollama, nothing has no type.
                nothing = self._whole and not first
                headers = [] if nothing else [(b"content-type", self._content_type.encode())]
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


async def _with_success(lines: AsyncGenerator[bytes, None], *, stream: bool) -> AsyncGenerator[bytes, None]:
    async with aclosing(lines):
        async for line in lines:
            if stream:
                yield line
    yield _SUCCESS + b"\n" if stream else _SUCCESS


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
