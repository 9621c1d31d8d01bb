"""Paths and methods as clients use them, answered as Ollama does (by ``net/http`` and gin)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Match

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.routing import Route
    from starlette.types import ASGIApp, Receive, Scope, Send

# Starlette answers HEAD wherever it answers GET; Ollama only here.
_HEADS = frozenset({"/", "/health", "/api/version", "/api/tags"})


def only_ollamas_heads(routes: Sequence[Route]) -> None:
    """Take HEAD from the routes that have none in Ollama: it is 405 there."""
    for route in routes:
        if route.methods and "GET" in route.methods and route.path not in _HEADS:
            route.methods.discard("HEAD")


class TidyPaths:
    """ASGI middleware: a path with a slash too many, or one at its end, is redirected to the route it means.

    Many clients join a base address that ends in a slash with a path that begins with one. The redirect is
    relative: the name by which the client knows the server may not be the one in its Host header.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[Route]) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (tidy := _tidy(scope["path"])) == scope["path"]:
            await self._app(scope, receive, send)
            return
        meant = {**scope, "path": tidy}
        if all(route.matches(meant)[0] is Match.NONE for route in self._routes):
            await self._app(scope, receive, send)
            return
        place, query = _tidy(scope["raw_path"].decode("latin-1")), scope["query_string"].decode("latin-1")
        # Only the second has the method and the body sent again.
        status = 301 if scope["method"] in ("GET", "HEAD") else 307
        headers = {"location": f"{place}?{query}" if query else place}
        await Response(None, status, headers)(scope, receive, send)


def _tidy(path: str) -> str:
    return re.sub("/+", "/", path).rstrip("/") or "/"
