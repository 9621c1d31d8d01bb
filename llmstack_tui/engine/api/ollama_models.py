"""Ollama's routes about models: list, running models, details, delete; and the version."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from llmstack_tui import __version__
from llmstack_tui.base.durations import format_time
from llmstack_tui.base.names import InvalidName, ModelName
from llmstack_tui.engine.api.ollama_show import details, show
from llmstack_tui.engine.api.replies import body, reply
from llmstack_tui.engine.errors import ApiError
from llmstack_tui.library.library import NotInstalled, ReadOnlyModel
from llmstack_tui.library.storage import LibraryError
from llmstack_tui.ollama import wire

if TYPE_CHECKING:
    from starlette.requests import Request

    from llmstack_tui.engine.runners.messages import RunnerConfig
    from llmstack_tui.engine.runners.runner import Runner
    from llmstack_tui.engine.runners.slots import ResidentModel
    from llmstack_tui.engine.service import Engine
    from llmstack_tui.library.installed import InstalledModel


def routes(engine: Engine, notice: str | None) -> list[Route]:
    models = _ModelQueries(engine, notice)
    return [
        Route("/api/version", models.version, methods=["GET"]),
        Route("/api/tags", models.tags, methods=["GET"]),
        Route("/api/ps", models.ps, methods=["GET"]),
        Route("/api/show", models.show, methods=["POST"]),
        Route("/api/delete", models.delete, methods=["DELETE"]),
        Route("/api/blobs/{digest}", models.blob, methods=["HEAD"]),
        Route("/api/push", _no_push, methods=["POST"]),
    ]


class _ModelQueries:
    def __init__(self, engine: Engine, notice: str | None) -> None:
        self._engine = engine
        self._notice = notice

    async def version(self, _: Request) -> Response:
        fields = {"version": __version__, "engine": "llmstack"}
        return reply({**fields, "notice": self._notice} if self._notice else fields)

    async def tags(self, _: Request) -> Response:
        models = sorted(await self._engine.installed(), key=lambda model: model.modified_at, reverse=True)
        return reply({"models": [_listed(model) for model in models]})

    async def ps(self, _: Request) -> Response:
        running = sorted(self._engine.running(), key=lambda loaded: loaded.expires_at, reverse=True)
        return reply({"models": [_loaded(loaded) for loaded in running]})

    async def show(self, request: Request) -> Response:
        wanted = await body(request, wire.ShowRequest)
        target = await self._engine.find(wanted.model or wanted.name)
        verbose = bool(wanted.verbose)
        return reply(show(target.model, target.header, target.capabilities, verbose=verbose))

    async def delete(self, request: Request) -> Response:
        wanted = await body(request, wire.DeleteRequest)
        named = wanted.model or wanted.name or ""
        try:
            await asyncio.to_thread(self._engine.library.delete, ModelName.parse(named))
        except InvalidName:
            raise ApiError(400, f'name "{named}" is invalid') from None
        except NotInstalled:
            raise ApiError(404, f"model '{named}' not found") from None
        except ReadOnlyModel as error:
            raise ApiError(403, str(error)) from None
        except LibraryError as error:
            raise ApiError(500, str(error)) from error
        return Response()

    async def blob(self, request: Request) -> Response:
        digest = request.path_params["digest"]
        known = await asyncio.to_thread(self._engine.has_blob, digest)
        return Response() if known else reply({"error": f'blob "{digest}" not found'}, status=404)


async def _no_push(_: Request) -> Response:
    raise ApiError(501, "The built-in engine cannot push models: use Ollama.")


def _listed(model: InstalledModel) -> dict[str, object]:
    return {
        "name": model.name.short,
        "model": model.name.short,
        "modified_at": format_time(model.modified_at),
        "size": model.size,
        "digest": model.digest,
        "details": details(model),
    }


def _loaded(loaded: ResidentModel[InstalledModel, RunnerConfig, Runner]) -> dict[str, object]:
    return {
        "name": loaded.model.name.short,
        "model": loaded.model.name.short,
        "size": loaded.memory_bytes,
        "digest": loaded.model.digest,
        "details": details(loaded.model),
        "expires_at": format_time(loaded.expires_at),
        "size_vram": 0,
        "context_length": loaded.config.context_length,
        "requests": loaded.requests,
        "used_at": format_time(loaded.used_at),
        "pid": loaded.runner.pid,
    }
