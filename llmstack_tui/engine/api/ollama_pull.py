"""Ollama's route that downloads a model, and one that throws away what was not finished."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from llmstack_tui.base.names import InvalidName, ModelName
from llmstack_tui.engine.api.replies import NATIVE_LINES, ApiError, Produced, body, encode
from llmstack_tui.library.manifest import InvalidManifest
from llmstack_tui.ollama import wire
from llmstack_tui.registry.download.failures import NotThere, PullFailed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request

    from llmstack_tui.engine.service import Engine
    from llmstack_tui.registry.download.pull import Step

_SUCCESS = encode({"status": "success"})


def routes(engine: Engine) -> list[Route]:
    async def pull(request: Request) -> Produced:
        asked = await body(request, wire.PullRequest)
        try:
            name = ModelName.parse(asked.model or asked.name or "")
        except InvalidName:
            raise ApiError(400, "invalid model name") from None
        steps = pulled(engine, name, insecure=bool(asked.insecure))
        if asked.stream is False:
            return Produced(_whole(steps), "application/json", whole=True)
        return Produced(_lines(steps), NATIVE_LINES)

    async def discard(request: Request) -> Response:
        """Ours alone: Ollama removes what is not whole when it starts."""
        try:
            await engine.pulls.discard(request.path_params["digest"])
        except InvalidManifest:
            raise ApiError(400, "invalid digest format") from None
        except PullFailed as error:
            raise ApiError(409, str(error)) from None
        return Response()

    return [
        Route("/api/pull", pull, methods=["POST"]),
        Route("/api/blobs/{digest}", discard, methods=["DELETE"]),
    ]


async def pulled(engine: Engine, name: ModelName, *, insecure: bool) -> AsyncGenerator[bytes, None]:
    """The steps of a pull as lines, without the last one, which says that all went well.

    Raises:
        ApiError: it did not.
    """
    try:
        async with aclosing(engine.pulls.pull(name, insecure=insecure)) as steps:
            async for step in steps:
                yield encode(_line(step)) + b"\n"
    except NotThere as error:
        # The beginning is what clients of Ollama look for.
        raise ApiError(500, f"pull model manifest: file does not exist: {error}") from error
    except PullFailed as error:
        raise ApiError(500, str(error)) from error


async def _lines(steps: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(steps):
        async for line in steps:
            yield line
    yield _SUCCESS + b"\n"


async def _whole(steps: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(steps):
        async for _ in steps:
            pass
    yield _SUCCESS


def _line(step: Step) -> dict[str, object]:
    line: dict[str, object] = {"status": step.status}
    if step.digest is not None:
        line |= {"digest": step.digest, "total": step.total}
        # As Ollama does, nothing is said of nothing.
        if step.completed:
            line["completed"] = step.completed
    return line
