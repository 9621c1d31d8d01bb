"""An engine whose only model is one GGUF file."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from llmstack_tui.base.durations import FOREVER, time_at
from llmstack_tui.base.names import ModelName
from llmstack_tui.config.engine import EngineOptions
from llmstack_tui.engine.errors import ApiError
from llmstack_tui.engine.service import Engine, Target
from llmstack_tui.engine.single.messages import SingleHealth
from llmstack_tui.gguf.source import InvalidGGUF
from llmstack_tui.library.creation import config_of, suggest_name
from llmstack_tui.library.installed import InstalledModel
from llmstack_tui.library.library import Library, LibraryContents
from llmstack_tui.library.manifest import ConfigLayer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.gguf.header import Header

log = logging.getLogger(__name__)


class SingleConfig(Struct, frozen=True, kw_only=True):
    """The file to serve, the address, and the limits.

    Attributes:
        gguf: the file; it need not exist yet.
        context_length: in tokens; limited to what the model was trained on.
        max_tokens: limit of an answer's tokens, unless a request sets one.
        max_history: how many questions, with their answers, ``/chat`` remembers of a conversation.
        confine: as in `EngineOptions`.
    """

    gguf: Path
    host: str = "127.0.0.1"
    port: int = 8005
    context_length: int = 4096
    max_tokens: int = 2048
    max_history: int = 10
    confine: bool = True

    @classmethod
    def read(
        cls, environ: Mapping[str, str], *, gguf: Path | None, host: str, port: int, confine: bool = True
    ) -> SingleConfig:
        """From ``LLM_MODEL_PATH``, ``LLM_CONTEXT_SIZE``, ``LLM_MAX_TOKENS`` and ``LLM_MAX_HISTORY``.

        Raises:
            ValueError: a variable is malformed; the text is a sentence that names it.
        """
        named = gguf or Path(environ.get("LLM_MODEL_PATH", ""))
        if named == Path():
            raise ValueError("Which file? Name it with --gguf FILE or in LLM_MODEL_PATH.")
        return cls(
            gguf=named.expanduser().absolute(),
            host=host,
            port=port,
            context_length=_number(environ, "LLM_CONTEXT_SIZE", 4096, least=1),
            max_tokens=_number(environ, "LLM_MAX_TOKENS", 2048, least=1),
            max_history=_number(environ, "LLM_MAX_HISTORY", 10, least=0),
            confine=confine,
        )


class SingleLibrary(Library):
    """A library of one model, whose weights are a file outside of any library."""

    def __init__(self, file: Path, parameters: Mapping[str, object]) -> None:
        super().__init__(file.parent)
        self._file = file
        self._parameters = parameters
        self._known: InstalledModel | None = None

    def contents(self) -> LibraryContents:
        """The model; nothing while the file is missing or broken."""
        with suppress(InvalidGGUF):
            return LibraryContents((self.model(),), ())
        return LibraryContents((), ())

    def get(self, name: ModelName) -> InstalledModel:
        return self.model()

    def model(self) -> InstalledModel:
        """The model, read again if the file has changed.

        Raises:
            InvalidGGUF: the file is missing or broken.
        """
        header = self.header_of(self._file)
        if self._known is None or self._known.header() is not header:
            self._known = self._read(header)
        return self._known

    def _read(self, header: Header) -> InstalledModel:
        status = self._file.stat()
        return InstalledModel(
            name=ModelName.parse(suggest_name(self._file, header)),
            digest="",
            size=status.st_size,
            modified_at=time_at(status.st_mtime),
            weights=self._file,
            # To the scheduler, a changed file has to be another model.
            weights_digest=f"file:{status.st_mtime_ns}:{status.st_size}:{status.st_ino}",
            config=msgspec.convert(config_of(header), ConfigLayer),
            parameters=self._parameters,
            read_only=True,
            _reader=lambda _: header,
        )


class SingleEngine(Engine):
    """Runs the file, whatever model a request names, and keeps it loaded."""

    def __init__(self, config: SingleConfig) -> None:
        self.file = config.gguf
        options = EngineOptions(
            keep_alive=FOREVER,
            max_loaded=1,
            context_length=config.context_length,
            confine=config.confine,
        )
        super().__init__(SingleLibrary(config.gguf, {"num_predict": config.max_tokens}), options)
        self._loading: asyncio.Task[None] | None = None
        self._failed: tuple[str, str] | None = None

    async def find(self, name: str | None = None) -> Target:
        return await super().find("file")

    async def reported_name(self, name: str) -> str:
        return (await self.find(name)).model.name.short

    def begin_loading(self) -> None:
        """Start to load the model, in a task."""
        if self._loading is None or self._loading.done():
            self._loading = asyncio.create_task(self._load(), name="load")

    async def health(self) -> SingleHealth:
        """The state of the model. A valid file that is not loaded (new, or its process died) is loaded."""
        try:
            target = await self.find()
        except ApiError as error:
            return SingleHealth(status="error", model="", path=str(self.file), error=str(error))
        name, key = target.model.name.short, target.model.weights_digest
        if any(loaded.key == key for loaded in self.running()):
            return SingleHealth(status="ok", model=name, path=str(self.file))
        if self._failed is not None and self._failed[0] == key:
            return SingleHealth(status="error", model=name, path=str(self.file), error=self._failed[1])
        self.begin_loading()
        return SingleHealth(status="loading", model=name, path=str(self.file))

    async def close(self) -> None:
        if self._loading is not None:
            self._loading.cancel()
            with suppress(asyncio.CancelledError):
                await self._loading
        await super().close()

    async def _load(self) -> None:
        key = ""
        try:
            target = await self.find()
            key = target.model.weights_digest
            async with self.use(target, options=None, keep_alive=None):
                log.info("%s is loaded", self.file)
        except ApiError as error:
            log.warning("%s is not loaded: %s", self.file, error)
            self._failed = (key, str(error))


def _number(environ: Mapping[str, str], name: str, default: int, *, least: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and int(text) >= least):
        raise ValueError(f"{name} is {text!r}: it has to be a whole number, {least} or more.")
    return int(text)
