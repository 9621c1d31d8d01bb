"""The engine: finds the model that a request names, loads it, and keeps it loaded during the request."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import shutil
import time
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.durations import InvalidDuration, parse_keep_alive
from llmstack_tui.base.names import InvalidName, ModelName
from llmstack_tui.base.paths import models_folder
from llmstack_tui.base.sentences import said
from llmstack_tui.base.structs import replace
from llmstack_tui.engine.errors import ApiError, LoadFailed, refusal, text, words
from llmstack_tui.engine.listing import Listing
from llmstack_tui.engine.room import check_room
from llmstack_tui.engine.runners.folder import new_folder
from llmstack_tui.engine.runners.messages import RunnerConfig
from llmstack_tui.engine.runners.runner import Runner
from llmstack_tui.engine.runners.scheduler import Scheduler
from llmstack_tui.engine.templates import EMBEDDING, ModelTemplate, capabilities, choose, is_jinja, recognise
from llmstack_tui.engine.verdicts import Verdicts
from llmstack_tui.gguf.checks import check_loadable, needs_ollama
from llmstack_tui.gguf.header import Header, InvalidGGUF, read_header
from llmstack_tui.gguf.repacking import repacked_size, repacked_types
from llmstack_tui.hardware.machine import Machine
from llmstack_tui.hardware.system import usable_cores
from llmstack_tui.library.blobs import silent
from llmstack_tui.library.errors import LibraryError
from llmstack_tui.library.folders import ollama_models_folders
from llmstack_tui.library.library import Library, NotInstalled, Unusable
from llmstack_tui.library.threads import in_thread
from llmstack_tui.ollama.options import Options, merge, unknown
from llmstack_tui.registry.download.blob import PullOptions
from llmstack_tui.registry.download.pace import Pace
from llmstack_tui.registry.download.pull import Pulls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping
    from datetime import timedelta

    from llmstack_tui.base.sentences import Sentence, Sentences
    from llmstack_tui.config.engine import EngineOptions
    from llmstack_tui.engine.listing import ListedFacts
    from llmstack_tui.engine.runners.slots import ResidentModel
    from llmstack_tui.library.installed import InstalledModel
    from llmstack_tui.library.library import LibraryContents

log = logging.getLogger(__name__)

_LEAST_CONTEXT = 4
# As for the setting. What the memory allows is less.
_MOST_CONTEXT = 100_000_000
# More threads than processors only wait for each other; llama.cpp aborts from some thousands on.
_MOST_THREADS = 64


class Target(Struct, frozen=True, kw_only=True):
    """An installed model that a request names, and how to run it.

    Attributes:
        template: what its prompts are made with.
        capabilities: as in `llmstack_tui.engine.templates`.
        needs_ollama: why only Ollama can run it.
        fault: why nothing can run it.
        mapped: as in `RunnerConfig`.
    """

    model: InstalledModel
    header: Header
    template: ModelTemplate
    capabilities: tuple[str, ...]
    needs_ollama: Sentence | None
    fault: Sentence | None
    mapped: bool

    @property
    def notes(self) -> Sentences:
        """Why it cannot be run, or which template of it does not answer."""
        why = self.needs_ollama or self.fault
        return (why,) if why else self.template.notes


class ModelSession(Struct, frozen=True, kw_only=True):
    """A loaded model during one request. ``load_ns``: how long the request waited for it, in nanoseconds."""

    runner: Runner
    target: Target
    options: Options
    load_ns: int

    @property
    def context_length(self) -> int:
        return self.runner.config.context_length


class Engine:
    """Must be used from one event loop. Files are read in threads."""

    def __init__(self, library: Library, options: EngineOptions) -> None:
        self.library = library
        pace = Pace(options.pull_limit)
        self.pulls = Pulls(library, PullOptions(connections=options.connections, pace=pace))
        self._options = options
        self._machine = Machine()
        self._reading = asyncio.Lock()
        self.sockets = new_folder()
        self.verdicts = Verdicts(library.own, self.sockets, confine=options.confine)
        self._listing = Listing(self.verdicts.fault)
        self._threads = usable_cores()
        self._targets: dict[ModelName, Target] = {}
        self._sweeping: asyncio.Task[None] | None = None
        self._scheduler: Scheduler[InstalledModel, RunnerConfig, Runner] = Scheduler(
            start_runner=self._start_runner,
            max_loaded=options.max_loaded,
            max_queue=options.max_queue,
            keep_alive=options.keep_alive,
            serves=RunnerConfig.serves,
        )

    @classmethod
    def of_this_machine(cls, options: EngineOptions, environ: Mapping[str, str]) -> Engine:
        """An engine with the models in its own folder and in those of an Ollama on this machine."""
        return cls(Library(models_folder(), ollama_models_folders(environ)), options)

    async def close(self) -> None:
        """Cancel all pulls and end all models' processes."""
        await self.pulls.close()
        if self._sweeping is not None:
            await asyncio.wait((self._sweeping,))
        await self._scheduler.close()
        self._machine.close()
        await asyncio.to_thread(shutil.rmtree, self.sockets, ignore_errors=True)

    async def contents(self) -> LibraryContents:
        """The models, and what is in the engine's own folder and cannot be used."""
        return await asyncio.to_thread(self.library.contents)

    async def listed_facts(
        self, models: Iterable[InstalledModel]
    ) -> list[tuple[InstalledModel, ListedFacts]]:
        """Each of the models with what a list says of it."""
        return await asyncio.to_thread(self._listing.facts, models)

    async def installed(self) -> tuple[InstalledModel, ...]:
        return await asyncio.to_thread(self.library.list)

    def running(self) -> tuple[ResidentModel[InstalledModel, RunnerConfig, Runner], ...]:
        return self._scheduler.resident()

    async def find(self, name: str | None) -> Target:
        """The model that a request names.

        Raises:
            ApiError: it is not installed (404), or the name is invalid or the file broken (400).
        """
        if not name:
            raise ApiError(400, "model is required")
        parsed = parsed_name(name)
        try:
            return await asyncio.to_thread(self._find, parsed)
        except NotInstalled:
            raise ApiError(404, f"model '{name}' not found") from None
        except (Unusable, InvalidGGUF) as error:
            raise refusal(400, error) from error

    async def look(self, name: ModelName) -> Sentences:
        """Look at a model that is new, and say why it cannot be run, or which template of it does not answer.

        Whether llama.cpp can read a template is tried. Nothing is said of a model that is not there.
        """
        try:
            target = await self.find(name.full)
        except ApiError:
            return ()
        for jinja in (target.header.chat_template, target.model.template):
            if jinja and is_jinja(jinja) and await self.verdicts.look(jinja):
                self._targets.pop(name, None)
                self._listing.forget(name)
        return (await self.find(name.full)).notes

    async def reported_name(self, name: str) -> str:
        """The model's name in the answer to a request that calls it ``name``."""
        return name

    def sweep(self) -> None:
        """Begin to remove what no model uses, as Ollama does at its start."""
        if self._options.prune:
            self._sweeping = asyncio.create_task(self._sweep())

    async def _sweep(self) -> None:
        try:
            await asyncio.to_thread(self.library.sweep)
        except LibraryError as error:
            log.warning("What no model uses is not removed: %s", words(error))

    def unload(self, target: Target) -> None:
        self._scheduler.unload(target.model.weights_digest)

    @asynccontextmanager
    async def use(
        self,
        target: Target,
        *,
        options: Mapping[str, object] | None,
        keep_alive: timedelta | None,
        embedding: bool = False,
    ) -> AsyncIterator[ModelSession]:
        """Load the model with ``options``, if need be, and keep it loaded while the context is open.

        Raises:
            ApiError: it cannot be loaded, or its process failed while the context was open.
        """
        since_ns = time.monotonic_ns()
        if names := unknown(options or {}):
            log.info("Unknown options: %s", ", ".join(names))
        merged = merged_options(target.model.parameters, options or {})
        # Not a 500: OpenAI's client sends such a request again.
        if why := target.needs_ollama or target.fault:
            raise ApiError(400, text(why), (why,))
        key, config = target.model.weights_digest, self._config(target, merged, embedding=embedding)
        async with self._scheduler.use(key, config, model=target.model, keep_alive=keep_alive) as runner:
            load_ns = time.monotonic_ns() - since_ns
            yield ModelSession(runner=runner, target=target, options=merged, load_ns=load_ns)

    async def _start_runner(self, config: RunnerConfig) -> Runner:
        held = sum(loaded.memory_bytes for loaded in self.running())
        async with self._reading:
            reading = await asyncio.to_thread(self._machine.read)
        header = await asyncio.to_thread(self.library.header_of, Path(config.weights))
        check_room(config, header, reading, held)
        try:
            await in_thread(partial(self.library.confirm, Path(config.weights)), silent)
        except LibraryError as error:
            raise LoadFailed(words(error).rstrip("."), said(error)) from error
        start = partial(Runner.start, folder=self.sockets, confine=self._options.confine)
        try:
            return await start(config)
        except LoadFailed as error:
            # Only now: a long vocabulary takes a tenth of a second to look through.
            with suppress(InvalidGGUF):
                looked_through = await asyncio.to_thread(read_header, Path(config.weights), tokens=True)
                if fault := check_loadable(looked_through):
                    raise LoadFailed(text(fault).rstrip("."), (fault,), status=400) from None
            jinja = config.chat_template or header.chat_template
            if error.status < 500 or jinja is None or await self.verdicts.look(jinja) is None:
                raise
            self._targets.clear()
            self._listing.forget()
            return await start(replace(config, chat_template=recognise(None, header.architecture).jinja))

    def _find(self, name: ModelName) -> Target:
        model = self.library.get(name)
        header = model.header()
        known = self._targets.get(name)
        if known is not None and known.model is model and known.header is header:
            return known
        template = choose(model, header, self.verdicts.fault)
        target = self._targets[name] = Target(
            model=model,
            header=header,
            template=template,
            capabilities=capabilities(header, template),
            needs_ollama=needs_ollama(header),
            fault=check_loadable(header),
            mapped=not repacked_size(header, repacked_types(platform.machine())),
        )
        return target

    def _config(self, target: Target, options: Options, *, embedding: bool) -> RunnerConfig:
        header = target.header
        context_length = options.num_ctx or self._options.context_length
        if header.context_length:
            context_length = min(context_length, header.context_length)
        return RunnerConfig(
            weights=str(target.model.weights),
            context_length=max(context_length, _LEAST_CONTEXT),
            threads=options.num_thread if options.num_thread > 0 else self._threads,
            parallel=self._options.parallel,
            embedding=embedding or EMBEDDING in target.capabilities,
            pooling=_pooling(header),
            batch=options.num_batch,
            chat_template=target.template.jinja,
            adapters=tuple(map(str, target.model.adapters)),
            cache_type=self._options.cache_type,
            gpu_layers=options.num_gpu,
            mapped=target.mapped,
        )


def _pooling(header: Header) -> str:
    """The `RunnerConfig.pooling`. Of a model that chats, Ollama took the vector of the last token.

    (``runner/llamarunner/runner.go`` of its versions up to 0.24; newer ones give none.)
    """
    if header.value("pooling_type") is not None:
        return ""
    return "mean" if header.is_embedding else "last"


def parsed_name(text: str | None, complaint: str = "invalid model name") -> ModelName:
    """Parse the name of a model in a request. Raises ApiError with the message ``complaint``."""
    try:
        return ModelName.parse(text or "")
    except InvalidName:
        raise ApiError(400, complaint) from None


def keep_alive_of(value: str | float | None) -> timedelta | None:
    """A request's ``keep_alive`` as a duration; None is the engine's default.

    Raises:
        ApiError: it is not a duration; the message is Ollama's.
    """
    try:
        return None if value is None else parse_keep_alive(value)
    except InvalidDuration as error:
        raise ApiError(400, str(error)) from None


def merged_options(*layers: Mapping[str, object]) -> Options:
    """As `merge`. Raises ApiError for a value of the wrong type, or one that no machine can serve."""
    try:
        options = merge(*layers)
    except ValueError as error:
        raise ApiError(400, str(error)) from None
    for name, value, most in (
        ("num_ctx", options.num_ctx or 0, _MOST_CONTEXT),
        ("num_thread", options.num_thread, max(_MOST_THREADS, 4 * (os.cpu_count() or 1))),
    ):
        if value > most:
            raise ApiError(400, f'option "{name}" is {value}: at most {most} are possible here')
    return options
