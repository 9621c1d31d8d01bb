"""The engine's HTTP server as an ASGI application: its routes, who may use them, and its end."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route

from llmstack_tui.engine.api import ollama_chat, ollama_create, ollama_models, ollama_pull, openai
from llmstack_tui.engine.api.access import AccessMiddleware, AccessRules
from llmstack_tui.engine.api.replies import ollama_error, openai_error, reply
from llmstack_tui.engine.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from llmstack_tui.engine.service import Engine


def create_app(engine: Engine, allowed: AccessRules, *, notice: str | None = None) -> Starlette:
    """The application. It ends the engine's models when it shuts down."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await engine.close()

    return Starlette(
        routes=[
            Route("/", _is_running, methods=["GET"]),
            Route("/health", _health, methods=["GET"]),
            *ollama_models.routes(engine, notice),
            *ollama_create.routes(engine),
            *ollama_pull.routes(engine),
            *ollama_chat.routes(engine),
            *openai.routes(engine),
        ],
        middleware=[Middleware(AccessMiddleware, allowed)],
        exception_handlers={
            ApiError: _api_error,
            404: no_such_route,
            405: no_such_method,
            500: _failed,
        },
        lifespan=lifespan,
    )


async def _is_running(_: Request) -> Response:
    # What clients of Ollama look for.
    return Response("Ollama is running", media_type="text/plain")


async def _health(_: Request) -> Response:
    return reply({"status": "ok"})


async def _api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 (what it is registered for)
    return _error(request, error)


async def _failed(request: Request, _: Exception) -> Response:
    return _error(request, ApiError(500, "The engine failed: its log says why."))


async def no_such_route(_: Request, error: Exception) -> Response:
    return _plain(error, "404 page not found")


async def no_such_method(_: Request, error: Exception) -> Response:
    return _plain(error, "405 method not allowed")


def _plain(error: Exception, text: str) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    return Response(text, error.status_code, headers={"content-type": "text/plain", **(error.headers or {})})


def _error(request: Request, error: ApiError) -> Response:
    return openai_error(error) if request.url.path.startswith("/v1/") else ollama_error(error)
