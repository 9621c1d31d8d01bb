"""Ollama's routes that make models: copy, create from another one, and our own import of a file."""

from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.routing import Route

from llmstack_tui.base.names import InvalidName, ModelName
from llmstack_tui.engine.api.access import is_local_program
from llmstack_tui.engine.api.ollama_pull import pulled
from llmstack_tui.engine.api.replies import NATIVE_JSON, NATIVE_LINES, ApiError, Produced, body, encode
from llmstack_tui.engine.templates import known_templates, recognise
from llmstack_tui.library.deriving import Changes
from llmstack_tui.library.library import NotInstalled
from llmstack_tui.library.storage import LibraryError
from llmstack_tui.ollama import wire
from llmstack_tui.ollama.options import merge

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from starlette.requests import Request

    from llmstack_tui.engine.service import Engine, Target
    from llmstack_tui.library.importing import Progress

    # What is done in a thread, given where to tell how it goes and how to ask whether to go on.
    Work = Callable[[Progress, Callable[[], bool]], None]
    Parts = AsyncGenerator[bytes, None]


def routes(engine: Engine) -> list[Route]:
    making = _Making(engine)
    return [
        Route("/api/copy", making.copy, methods=["POST"]),
        Route("/api/create", making.create, methods=["POST"]),
        Route("/api/import", making.import_file, methods=["POST"]),
    ]


class _Making:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def copy(self, request: Request) -> Produced:
        asked = await body(request, wire.CopyRequest)
        source = _name(f'source "{asked.source or ""}" is invalid', asked.source)
        name = _name(f'destination "{asked.destination or ""}" is invalid', asked.destination)

        def work(progress: Progress, cancelled: Callable[[], bool]) -> None:
            try:
                self._engine.library.derive(source, name, progress=progress, cancelled=cancelled)
            except NotInstalled:
                raise ApiError(404, f'model "{asked.source}" not found') from None

        return Produced(_nothing(work), NATIVE_JSON, whole=True)

    async def create(self, request: Request) -> Produced:
        asked = await body(request, wire.CreateRequest)
        name = _name("invalid model name", asked.model or asked.name)
        if not asked.from_:
            if asked.files is None:
                raise ApiError(400, "neither 'from' or 'files' was specified")
            raise ApiError(501, "The built-in engine makes no models of blobs: import the GGUF file.")
        if asked.adapters or asked.quantize:
            raise ApiError(
                501, "The built-in engine adds no adapters and quantizes nothing: that needs Ollama."
            )
        source = _name("invalid model name", asked.from_)
        _check_parameters(asked)
        try:
            base = await self._engine.find(asked.from_)
        except ApiError as error:
            if error.status != 404:
                raise
            return _answer(self._pulled_first(asked, source, name), stream=asked.stream is not False)
        work = self._derived(source, name, _changes(asked, base))
        return _answer(_lines(work), stream=asked.stream is not False)

    async def _pulled_first(self, asked: wire.CreateRequest, source: ModelName, name: ModelName) -> Parts:
        """Have the base first, which is not here. It stays, as it does at Ollama's."""
        async with aclosing(pulled(self._engine, source, insecure=False)) as lines:
            async for line in lines:
                yield line
        base = await self._engine.find(asked.from_)
        async with aclosing(_lines(self._derived(source, name, _changes(asked, base)))) as lines:
            async for line in lines:
                yield line

    def _derived(self, source: ModelName, name: ModelName, changes: Changes) -> Work:
        def work(progress: Progress, cancelled: Callable[[], bool]) -> None:
            try:
                self._engine.library.derive(source, name, changes, progress=progress, cancelled=cancelled)
            except NotInstalled:
                raise ApiError(404, f"model '{source.short}' not found") from None

        return work

    async def import_file(self, request: Request) -> Produced:
        if not is_local_program(request.scope):
            raise ApiError(403, "Only a program on the engine's own machine may import a file.")
        asked = await body(request, wire.ImportRequest)
        try:
            name = ModelName.parse(asked.model or "")
        except InvalidName as error:
            raise ApiError(400, str(error)) from None
        path = Path(asked.path or "")
        if not path.is_absolute():
            raise ApiError(400, "Name the file with its whole path: the engine has a folder of its own.")

        def work(progress: Progress, cancelled: Callable[[], bool]) -> None:
            self._engine.library.import_gguf(path, name, progress=progress, cancelled=cancelled)

        return _answer(_lines(work), stream=True)


def _name(complaint: str, text: str | None) -> ModelName:
    try:
        return ModelName.parse(text or "")
    except InvalidName:
        raise ApiError(400, complaint) from None


def _check_parameters(asked: wire.CreateRequest) -> None:
    try:
        merge(asked.parameters or {})
    except ValueError as error:
        raise ApiError(400, str(error)) from None


def _changes(asked: wire.CreateRequest, base: Target) -> Changes:
    """What a request wants to be different.

    Raises:
        ApiError: it would make a model that cannot run as it says.
    """
    if asked.template and not _runs_with(base, asked.template):
        raise ApiError(
            400,
            "The built-in engine takes the chat template of the model's file and no other: "
            "leave the template out, or use Ollama.",
        )
    licenses = [asked.license] if isinstance(asked.license, str) else asked.license or ()
    return Changes(
        system=asked.system or "",
        licenses=tuple(filter(None, licenses)),
        parameters={key: value for key, value in (asked.parameters or {}).items() if value is not None},
        messages=asked.messages or (),
    )


def _runs_with(base: Target, template: str) -> bool:
    """Whether a template is the one that the model is run with anyway."""
    if template == (base.model.template or base.header.chat_template):
        return True
    if base.template is None:
        return False
    found = recognise(template, base.header.architecture)
    return found.jinja == base.template and found != known_templates()[-1]


def _answer(lines: Parts, *, stream: bool) -> Produced:
    if stream:
        return Produced(lines, NATIVE_LINES)
    return Produced(_last_line(lines), "application/json", whole=True)


async def _nothing(work: Work) -> Parts:
    async for _ in _lines(work):
        pass
    yield b""


async def _last_line(lines: Parts) -> Parts:
    line = b""
    async with aclosing(lines):
        async for each in lines:
            line = each
    yield line.rstrip()


async def _lines(work: Work) -> Parts:
    """A line for each step. What is done for a client that leaves ends, and nothing of it stays."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[dict[str, object] | None] = asyncio.Queue()
    cancelled = threading.Event()

    def progress(status: str, completed: int | None, total: int | None) -> None:
        line: dict[str, object] = {"status": status}
        if total is not None:
            line |= {"total": total, "completed": completed}
        loop.call_soon_threadsafe(lines.put_nowait, line)

    def run() -> None:
        try:
            work(progress, cancelled.is_set)
        finally:
            loop.call_soon_threadsafe(lines.put_nowait, None)

    working = asyncio.ensure_future(asyncio.to_thread(run))
    try:
        while (line := await lines.get()) is not None:
            yield encode(line) + b"\n"
        await working
    except LibraryError as error:
        raise ApiError(500, str(error)) from error
    finally:
        cancelled.set()
        with suppress(LibraryError, ApiError):
            await working
    yield encode({"status": "success"}) + b"\n"
