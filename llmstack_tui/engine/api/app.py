"""The engine's HTTP server as an ASGI application: routes, access rules, errors and shutdown."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route

from llmstack_tui.engine.api import (
    anthropic,
    ollama_blobs,
    ollama_chat,
    ollama_create,
    ollama_models,
    openai,
    responses,
)
from llmstack_tui.engine.api.access import AccessMiddleware, AccessRules
from llmstack_tui.engine.api.paths import TidyPaths, only_ollamas_heads
from llmstack_tui.engine.api.replies import error_response, reply
from llmstack_tui.engine.errors import ApiError, as_api_error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from starlette.requests import Request
    from starlette.types import HTTPExceptionHandler

    from llmstack_tui.engine.service import Engine


def create_app(engine: Engine, allowed: AccessRules) -> Starlette:
    """The application. It closes the engine when it shuts down."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        engine.sweep()
        try:
            yield
        finally:
            await engine.close()

    routes = [
        Route("/", _is_running, methods=["GET"]),
        Route("/health", _health, methods=["GET"]),
        *ollama_models.routes(engine),
        *ollama_blobs.routes(engine),
        *ollama_create.routes(engine),
        *ollama_chat.routes(engine),
        *openai.routes(engine),
        *responses.routes(engine),
        *anthropic.routes(engine),
    ]
    only_ollamas_heads(routes)
    return Starlette(
        routes=routes,
        middleware=[Middleware(AccessMiddleware, allowed), Middleware(TidyPaths, routes)],
        exception_handlers=ERROR_HANDLERS,
        lifespan=lifespan,
    )


async def _is_running(_: Request) -> Response:
    # Clients of Ollama look for this text.
    return Response("Ollama is running", media_type="text/plain")


async def _health(_: Request) -> Response:
    return reply({"status": "ok"})


async def _no_such_route(_: Request, error: Exception) -> Response:
    """404, and 405 for a method that a route does not have."""
    assert isinstance(error, HTTPException)  # noqa: S101 (what it is registered for)
    text = "404 page not found" if error.status_code == 404 else "405 method not allowed"
    return Response(text, error.status_code, headers={"content-type": "text/plain", **(error.headers or {})})


async def _error(request: Request, error: Exception) -> Response:
    return error_response(request.url.path, as_api_error(error))


async def _fault(request: Request, error: Exception) -> Response:
    """A fault of the engine. uvicorn then drops the connection: a client must not use it again."""
    response = await _error(request, error)
    response.headers["connection"] = "close"
    return response


ERROR_HANDLERS: Mapping[int | type[Exception], HTTPExceptionHandler] = {
    **dict.fromkeys((ApiError, RecursionError), _error),
    500: _fault,
    **dict.fromkeys((404, 405), _no_such_route),
}
"""What answers instead of a route that failed, or that is not there."""
