"""Ollama's routes that make models: pull, copy and create; and our own that imports a file."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.routing import Route

from llmstack_tui.base.names import InvalidName, ModelName
from llmstack_tui.base.structs import replace
from llmstack_tui.engine.api.access import is_local_program
from llmstack_tui.engine.api.replies import OLLAMA_JSON, GeneratorResponse, body, encode, progress_response
from llmstack_tui.engine.errors import ApiError, refusal, text
from llmstack_tui.engine.gotemplate.errors import TemplateFailure
from llmstack_tui.engine.service import Engine, Target, merged_options, parsed_name
from llmstack_tui.engine.templates import as_carried, is_jinja, replacement
from llmstack_tui.library.creation import Changes
from llmstack_tui.library.errors import LibraryError, NotReadable
from llmstack_tui.library.library import NotInstalled
from llmstack_tui.library.manifest import InvalidManifest, blob_name
from llmstack_tui.library.sent_files import SentFileError, adapter_files, model_files
from llmstack_tui.library.threads import in_thread
from llmstack_tui.ollama import wire
from llmstack_tui.registry.download.pull import NotPublished, PullStep

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Mapping

    from starlette.requests import Request

    from llmstack_tui.gguf.header import Header
    from llmstack_tui.library.blobs import OnProgress
    from llmstack_tui.library.sent_files import SentFile

    # Runs in a thread.
    Work = Callable[[OnProgress], object]
    Parts = AsyncGenerator[bytes, None]

# Those that Ollama makes; it names the first five.
_QUANTIZATIONS = ("F32", "F16", "Q4_K_S", "Q4_K_M", "Q8_0", "Q4_K", "BF16")


def routes(engine: Engine) -> list[Route]:
    making = _ModelRoutes(engine)
    return [
        Route("/api/pull", making.pull, methods=["POST"]),
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

    async def copy(self, request: Request) -> GeneratorResponse:
        wanted = await body(request, wire.CopyRequest)
        source = parsed_name(wanted.source, f'source "{wanted.source or ""}" is invalid')
        name = parsed_name(wanted.destination, f'destination "{wanted.destination or ""}" is invalid')
        work = self._derived(source, name, missing=f'model "{wanted.source}" not found')
        return GeneratorResponse(_empty(work), OLLAMA_JSON, whole=True)

    async def create(self, request: Request) -> GeneratorResponse:
        wanted = await body(request, wire.CreateRequest)
        _check_files(wanted)
        name = parsed_name(wanted.model or wanted.name)
        if wanted.remote_host:
            raise ApiError(501, "A model that runs elsewhere needs Ollama.")
        merged_options(wanted.parameters or {})
        if wanted.from_:
            source = parsed_name(wanted.from_)
            try:
                base = await self._engine.find(wanted.from_)
            except ApiError as error:
                if error.status != 404:
                    raise
                # What is wrong in any case is said before anything is fetched.
                await self._adapters(wanted, None)
                _check_quantization(wanted, None)
                lines = self._pulled_first(wanted, source, name)
            else:
                lines = _lines(await self._from(wanted, source, name, base))
        elif wanted.files is not None:
            lines = _lines(await self._of_files(wanted, wanted.files, name))
        else:
            raise ApiError(400, "neither 'from' or 'files' was specified")
        return progress_response(self._looked_at(lines, name), stream=wanted.stream is not False)

    async def import_file(self, request: Request) -> GeneratorResponse:
        if not is_local_program(request.scope):
            raise ApiError(403, "Only a program on the engine's own machine may import a file.")
        wanted = await body(request, wire.ImportRequest)
        try:
            name = ModelName.parse(wanted.model or "")
        except InvalidName as error:
            raise refusal(400, error) from None
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
            raise refusal(500, error, before="pull model manifest: file does not exist: ") from error
        except LibraryError as error:
            raise refusal(500, error) from error

    async def _pulled_first(self, wanted: wire.CreateRequest, source: ModelName, name: ModelName) -> Parts:
        """Pull the missing base model first. As in Ollama, it stays installed."""
        async with aclosing(self._pulled(source, insecure=False)) as lines:
            async for line in lines:
                yield line
        base = await self._engine.find(wanted.from_)
        async with aclosing(_lines(await self._from(wanted, source, name, base))) as lines:
            async for line in lines:
                yield line

    async def _looked_at(self, lines: Parts, name: ModelName) -> Parts:
        """The lines, and then why the model cannot be run, or which template of it does not answer."""
        async with aclosing(lines):
            async for line in lines:
                yield line
        for note in await self._engine.look(name):
            yield encode({"status": text(note)}) + b"\n"

    async def _from(
        self, wanted: wire.CreateRequest, source: ModelName, name: ModelName, base: Target
    ) -> Work:
        """The work of making ``name`` from an installed model."""
        header = base.header
        adapters = await self._adapters(wanted, header)
        _check_quantization(wanted, header.quantization)
        template = await self._template(wanted, base.model.template, header)
        return self._derived(source, name, replace(_changes(wanted, template), adapters=adapters))

    async def _of_files(self, wanted: wire.CreateRequest, files: Mapping[str, str], name: ModelName) -> Work:
        """The work of making ``name`` of blobs that the client has sent."""
        library = self._engine.library
        with _refusals():
            parts = await asyncio.to_thread(model_files, library.find_blob, files)
        weights = parts[0]
        parts += await self._adapters(wanted, weights.header)
        _check_quantization(wanted, weights.header.quantization)
        template = await self._template(wanted, None, weights.header)
        changes = _changes(wanted, template)
        # What `show` says of a model that was pulled makes the same again: its template is no new one.
        twins = [
            model
            for model in (await self._engine.installed() if template else ())
            if model.weights_digest == weights.layer.digest
            and as_carried(model.template or "") == as_carried(template)
        ]
        if twins:
            own = all(twin.config.own_template for twin in twins)
            changes = replace(changes, template=twins[0].template or "", own_template=own)
        return partial(library.assemble, parts, name, changes)

    async def _adapters(self, wanted: wire.CreateRequest, base: Header | None) -> tuple[SentFile, ...]:
        with _refusals():
            find = self._engine.library.find_blob
            return await asyncio.to_thread(adapter_files, find, wanted.adapters or {}, base)

    async def _template(self, wanted: wire.CreateRequest, layer: str | None, header: Header) -> str:
        """The template of the new model; empty to keep what it has. Raises ApiError if it cannot be run."""
        try:
            template = replacement(wanted.template or "", layer, header.chat_template)
        except TemplateFailure as error:
            raise refusal(400, error, before="template error: ") from None
        if is_jinja(template) and (fault := await self._engine.verdicts.look(template)):
            raise ApiError(400, f"template error: {text(fault)}", (fault,))
        return template

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


def _check_files(wanted: wire.CreateRequest) -> None:
    """Raise ApiError, in Ollama's words, for names of files and digests that are none."""
    # As Go's ``fs.ValidPath``: a client's folder has its files in it.
    if any(part in ("", ".", "..") for name in wanted.files or () for part in name.split("/")):
        raise ApiError(400, "file path must be relative")
    for digest in (*(wanted.files or {}).values(), *(wanted.adapters or {}).values()):
        try:
            blob_name(digest)
        except InvalidManifest:
            raise ApiError(400, "invalid digest format") from None


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what is wrong with files that a client named into the error for it."""
    try:
        yield
    except SentFileError as error:
        raise refusal(400, error) from None


def _pull_line(step: PullStep) -> dict[str, object]:
    line: dict[str, object] = {"status": step.status}
    if step.digest is not None:
        line |= {"digest": step.digest, "total": step.total}
        # As in Ollama, 0 is left out.
        if step.completed:
            line["completed"] = step.completed
    return line


def _check_quantization(wanted: wire.CreateRequest, found: str | None) -> None:
    """Raise ApiError if weights of the type ``found`` had to be quantized: llama.cpp's wheel cannot do it.

    Of weights that are not here it is not known: then nothing is fetched.
    """
    kind = (wanted.quantize or wanted.quantization or "").upper()
    if not kind or kind == found:
        return
    if found is not None and kind not in _QUANTIZATIONS:
        known = ", ".join(_QUANTIZATIONS[:5])
        raise ApiError(400, f"unsupported quantization type {kind[:20]} - supported types are {known}")
    if found not in (None, "F16", "BF16", "F32"):
        raise ApiError(400, "quantization is only supported for F16, BF16 and F32 models")
    raise ApiError(
        501,
        f"The built-in engine cannot quantize: that needs Ollama, or a file that is {kind[:20]} already.",
    )


def _changes(wanted: wire.CreateRequest, template: str) -> Changes:
    """How the new model differs from its base, or from its weights alone."""
    licenses = [wanted.license] if isinstance(wanted.license, str) else wanted.license or ()
    config = {"renderer": wanted.renderer, "parser": wanted.parser, "requires": wanted.requires}
    return Changes(
        template=template,
        system=wanted.system or "",
        licenses=tuple(filter(None, licenses)),
        parameters={key: value for key, value in (wanted.parameters or {}).items() if value is not None},
        messages=tuple(
            replace(each, role=(each.role or "").lower(), content=each.content or "")
            for each in wanted.messages or ()
        ),
        config={key: value for key, value in config.items() if value},
    )


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
        raise refusal(400 if isinstance(error, NotReadable) else 500, error) from error
    finally:
        working.cancel()
        # An error that came after the client had gone concerns nobody: this takes it, too.
        await asyncio.gather(working, return_exceptions=True)
