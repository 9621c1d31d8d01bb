"""Ollama's route that downloads a model, and our own that deletes an unfinished download."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from llmstack_tui.base.names import InvalidName, ModelName
from llmstack_tui.engine.api.replies import GeneratorResponse, body, encode, progress_response
from llmstack_tui.engine.errors import ApiError
from llmstack_tui.library.manifest import InvalidManifest
from llmstack_tui.library.storage import LibraryError
from llmstack_tui.ollama import wire
from llmstack_tui.registry.download.types import NotPublished

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request

    from llmstack_tui.engine.service import Engine
    from llmstack_tui.registry.download.types import PullStep


def routes(engine: Engine) -> list[Route]:
    async def pull(request: Request) -> GeneratorResponse:
        wanted = await body(request, wire.PullRequest)
        try:
            name = ModelName.parse(wanted.model or wanted.name or "")
        except InvalidName:
            raise ApiError(400, "invalid model name") from None
        lines = pull_lines(engine, name, insecure=bool(wanted.insecure))
        return progress_response(lines, stream=wanted.stream is not False)

    async def discard(request: Request) -> Response:
        """Not in Ollama's API: Ollama deletes unfinished downloads when it starts."""
        try:
            await engine.pulls.discard(request.path_params["digest"])
        except InvalidManifest:
            raise ApiError(400, "invalid digest format") from None
        except LibraryError as error:
            raise ApiError(409, str(error)) from None
        return Response()

    return [
        Route("/api/pull", pull, methods=["POST"]),
        Route("/api/blobs/{digest}", discard, methods=["DELETE"]),
    ]


async def pull_lines(engine: Engine, name: ModelName, *, insecure: bool) -> AsyncGenerator[bytes, None]:
    """A line for each step of a pull, without the last one, for success.

    Raises:
        ApiError: it failed.
    """
    try:
        async with aclosing(engine.pulls.pull(name, insecure=insecure)) as steps:
            async for step in steps:
                yield encode(_line(step)) + b"\n"
    except NotPublished as error:
        # Clients of Ollama look for this beginning.
        raise ApiError(500, f"pull model manifest: file does not exist: {error}") from error
    except LibraryError as error:
        raise ApiError(500, str(error)) from error


def _line(step: PullStep) -> dict[str, object]:
    line: dict[str, object] = {"status": step.status}
    if step.digest is not None:
        line |= {"digest": step.digest, "total": step.total}
        # As Ollama does, 0 is left out.
        if step.completed:
            line["completed"] = step.completed
    return line
