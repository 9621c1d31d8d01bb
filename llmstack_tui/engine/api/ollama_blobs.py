"""Ollama's routes about blobs: clients send the files of a new model, then name them to ``/api/create``.

One is our own: deleting an unfinished download. (Ollama deletes those at its start.)
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from starlette.responses import Response
from starlette.routing import Route

from llmstack_tui.engine.api.replies import reply
from llmstack_tui.engine.errors import ApiError, refusal
from llmstack_tui.library.blobs import silent
from llmstack_tui.library.errors import LibraryError
from llmstack_tui.library.manifest import InvalidManifest
from llmstack_tui.library.threads import in_thread
from llmstack_tui.library.uploads import Upload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from starlette.requests import Request

    from llmstack_tui.engine.service import Engine

T = TypeVar("T")

# Written at once: each takes a thread for a moment.
_PIECE_BYTES = 4 * 2**20


def routes(engine: Engine) -> list[Route]:
    blobs = _BlobRoutes(engine)
    return [
        Route("/api/blobs/{digest}", blobs.head, methods=["HEAD"]),
        Route("/api/blobs/{digest}", blobs.send, methods=["POST"]),
        Route("/api/blobs/{digest}", blobs.discard, methods=["DELETE"]),
    ]


class _BlobRoutes:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def head(self, request: Request) -> Response:
        digest = request.path_params["digest"]
        if await self._find(digest) is None:
            return reply({"error": f'blob "{digest}" not found'}, status=404)
        return Response()

    async def send(self, request: Request) -> Response:
        digest = request.path_params["digest"]
        if await self._find(digest) is not None:
            return Response()
        upload = Upload(self._engine.library.own, digest)
        announced = int(request.headers.get("content-length", 0))
        try:
            await _in_thread(partial(upload.begin, announced))
            await self._write(upload, request)
            await _in_thread(upload.finish)
        except LibraryError as error:
            status = 400 if error.kind == "library.digest_mismatch" else 500
            raise refusal(status, error) from None
        finally:
            await _in_thread(upload.discard)
        return Response(status_code=201)

    async def _write(self, upload: Upload, request: Request) -> None:
        """Write the body, one piece while the next one comes."""
        writing: asyncio.Future[None] | None = None
        try:
            async for piece in _pieces(request):
                if writing is not None:
                    await writing
                writing = asyncio.ensure_future(_in_thread(partial(upload.write, piece)))
            if writing is not None:
                await writing
        finally:
            if writing is not None:
                # An error of it that came beside another one concerns nobody: this takes it, too.
                await asyncio.gather(writing, return_exceptions=True)

    async def discard(self, request: Request) -> Response:
        try:
            await self._engine.pulls.discard(request.path_params["digest"])
        except InvalidManifest:
            raise ApiError(400, "invalid digest format") from None
        except LibraryError as error:
            raise refusal(409, error) from None
        return Response()

    async def _find(self, digest: str) -> Path | None:
        try:
            return await _in_thread(partial(self._engine.library.find_blob, digest))
        except InvalidManifest:
            raise ApiError(400, "invalid digest format") from None


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    """The body, in pieces that are worth a thread."""
    held = bytearray()
    async for chunk in request.stream():
        held += chunk
        if len(held) >= _PIECE_BYTES:
            yield bytes(held)
            held.clear()
    yield bytes(held)


async def _in_thread(work: Callable[[], T]) -> T:
    """Do the work in a thread, and wait for its end even if this is cancelled: it has a file open."""
    return await in_thread(lambda _: work(), silent)
