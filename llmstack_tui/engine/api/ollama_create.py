"""Ollama's routes that make models: pull, copy and create.

Two are our own: importing a file, and deleting an unfinished download. (Ollama deletes those at its start.)
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from llmstack_tui.base.names import InvalidName, ModelName
from llmstack_tui.engine.api.access import is_local_program
from llmstack_tui.engine.api.replies import OLLAMA_JSON, GeneratorResponse, body, encode, progress_response
from llmstack_tui.engine.errors import ApiError, text, words
from llmstack_tui.engine.gotemplate.errors import TemplateFailure
from llmstack_tui.engine.service import Engine, Target, merged_options, parsed_name
from llmstack_tui.engine.templates import is_jinja, replacement
from llmstack_tui.library.creation import Changes
from llmstack_tui.library.errors import LibraryError, NotReadable
from llmstack_tui.library.library import NotInstalled
from llmstack_tui.library.manifest import InvalidManifest
from llmstack_tui.library.threads import in_thread
from llmstack_tui.ollama import wire
from llmstack_tui.registry.download.pull import NotPublished, PullStep

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from starlette.requests import Request

    from llmstack_tui.library.blobs import OnProgress

    # Runs in a thread.
    Work = Callable[[OnProgress], object]
    Parts = AsyncGenerator[bytes, None]


def routes(engine: Engine) -> list[Route]:
    making = _ModelRoutes(engine)
    return [
        Route("/api/pull", making.pull, methods=["POST"]),
        Route("/api/blobs/{digest}", making.discard, methods=["DELETE"]),
        Route("/api/copy", making.copy, methods=["POST"]),
        Route("/api/create", making.create, methods=["POST"]),
        Route("/api/import", making.import_file, methods=["POST"]),
    ]


class _ModelRoutes:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def pull(self, request: Request) -> GeneratorResponse:
        wanted = await body(request, wire.PullRequest)
        name = parsed_name(wanted.model or wanted.name)
        lines = self._looked_at(self._pulled(name, insecure=bool(wanted.insecure)), name)
        return progress_response(lines, stream=wanted.stream is not False)

    async def discard(self, request: Request) -> Response:
        try:
            await self._engine.pulls.discard(request.path_params["digest"])
        except InvalidManifest:
            raise ApiError(400, "invalid digest format") from None
        except LibraryError as error:
            raise ApiError(409, words(error)) from None
        return Response()

    async def copy(self, request: Request) -> GeneratorResponse:
        wanted = await body(request, wire.CopyRequest)
        source = parsed_name(wanted.source, f'source "{wanted.source or ""}" is invalid')
        name = parsed_name(wanted.destination, f'destination "{wanted.destination or ""}" is invalid')
        work = self._derived(source, name, missing=f'model "{wanted.source}" not found')
        return GeneratorResponse(_empty(work), OLLAMA_JSON, whole=True)

    async def create(self, request: Request) -> GeneratorResponse:
        wanted = await body(request, wire.CreateRequest)
        name = parsed_name(wanted.model or wanted.name)
        if not wanted.from_:
            if wanted.files is None:
                raise ApiError(400, "neither 'from' or 'files' was specified")
            raise ApiError(501, "The built-in engine cannot make a model from blobs: import the GGUF file.")
        if wanted.adapters or wanted.quantize:
            raise ApiError(
                501, "The built-in engine adds no adapters and quantizes nothing: that needs Ollama."
            )
        source = parsed_name(wanted.from_)
        merged_options(wanted.parameters or {})
        try:
            base = await self._engine.find(wanted.from_)
        except ApiError as error:
            if error.status != 404:
                raise
            lines = self._pulled_first(wanted, source, name)
        else:
            lines = _lines(self._derived(source, name, await self._changes(wanted, base)))
        return progress_response(self._looked_at(lines, name), stream=wanted.stream is not False)

    async def import_file(self, request: Request) -> GeneratorResponse:
        if not is_local_program(request.scope):
            raise ApiError(403, "Only a program on the engine's own machine may import a file.")
        wanted = await body(request, wire.ImportRequest)
        try:
            name = ModelName.parse(wanted.model or "")
        except InvalidName as error:
            raise ApiError(400, words(error)) from None
        path = Path(wanted.path or "")
        if not path.is_absolute():
            raise ApiError(400, "Name the file with its whole path: the engine has a folder of its own.")
        work = partial(self._engine.library.import_gguf, path, name)
        return progress_response(self._looked_at(_lines(work), name), stream=True)

    async def _pulled(self, name: ModelName, *, insecure: bool) -> Parts:
        """A line for each step of a pull, except the last line, which reports success."""
        try:
            async with aclosing(self._engine.pulls.pull(name, insecure=insecure)) as steps:
                async for step in steps:
                    yield encode(_pull_line(step)) + b"\n"
        except NotPublished as error:
            # Clients of Ollama look for this beginning.
            raise ApiError(500, f"pull model manifest: file does not exist: {words(error)}") from error
        except LibraryError as error:
            raise ApiError(500, words(error)) from error

    async def _pulled_first(self, wanted: wire.CreateRequest, source: ModelName, name: ModelName) -> Parts:
        """Pull the missing base model first. As in Ollama, it stays installed."""
        async with aclosing(self._pulled(source, insecure=False)) as lines:
            async for line in lines:
                yield line
        base = await self._engine.find(wanted.from_)
        async with aclosing(_lines(self._derived(source, name, await self._changes(wanted, base)))) as lines:
            async for line in lines:
                yield line

    async def _looked_at(self, lines: Parts, name: ModelName) -> Parts:
        """The lines, and then one for each template of the model that does not answer, with the reason."""
        async with aclosing(lines):
            async for line in lines:
                yield line
        for note in await self._engine.look(name):
            yield encode({"status": text(note)}) + b"\n"

    async def _changes(self, wanted: wire.CreateRequest, base: Target) -> Changes:
        """How the new model differs from its base.

        Raises:
            ApiError: the request has a template that cannot be run.
        """
        licenses = [wanted.license] if isinstance(wanted.license, str) else wanted.license or ()
        try:
            template = replacement(wanted.template or "", base.model.template, base.header.chat_template)
        except TemplateFailure as error:
            raise ApiError(400, f"template error: {words(error)}") from None
        if is_jinja(template) and (fault := await self._engine.verdicts.look(template)):
            raise ApiError(400, f"template error: {text(fault)}")
        return Changes(
            system=wanted.system or "",
            template=template,
            licenses=tuple(filter(None, licenses)),
            parameters={key: value for key, value in (wanted.parameters or {}).items() if value is not None},
            messages=wanted.messages or (),
        )

    def _derived(
        self, source: ModelName, name: ModelName, changes: Changes | None = None, *, missing: str = ""
    ) -> Work:
        """The work of making ``name`` from ``source``. ``missing``: the error if that is not installed."""

        def work(progress: OnProgress) -> None:
            try:
                self._engine.library.derive(source, name, changes, progress)
            except NotInstalled:
                raise ApiError(404, missing or f"model '{source.short}' not found") from None

        return work


def _pull_line(step: PullStep) -> dict[str, object]:
    line: dict[str, object] = {"status": step.status}
    if step.digest is not None:
        line |= {"digest": step.digest, "total": step.total}
        # As in Ollama, 0 is left out.
        if step.completed:
            line["completed"] = step.completed
    return line


async def _empty(work: Work) -> Parts:
    """Do the work and answer with an empty body."""
    async for _ in _lines(work):
        pass
    yield b""


async def _lines(work: Work) -> Parts:
    """A line for each step of the work. If the client disconnects, the work is cancelled and undone."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[dict[str, object] | None] = asyncio.Queue()

    def tell(status: str, completed: int | None, total: int | None) -> None:
        line: dict[str, object] = {"status": status}
        if total is not None:
            line |= {"total": total, "completed": completed}
        loop.call_soon_threadsafe(lines.put_nowait, line)

    working = asyncio.create_task(in_thread(work, tell))
    working.add_done_callback(lambda _: lines.put_nowait(None))
    try:
        while (line := await lines.get()) is not None:
            yield encode(line) + b"\n"
        await working
    except LibraryError as error:
        raise ApiError(400 if isinstance(error, NotReadable) else 500, words(error)) from error
    finally:
        working.cancel()
        # An error that came after the client had gone concerns nobody: this takes it, too.
        await asyncio.gather(working, return_exceptions=True)
