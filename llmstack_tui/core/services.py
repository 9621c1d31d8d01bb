"""What the dashboard asks of the core, and the core itself behind it.

The screen is painted before any of this is imported: HTTP, TLS and processes take longer than to draw.
"""

from __future__ import annotations

import asyncio
import importlib
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from pathlib import Path

    from llmstack_tui.config import Settings
    from llmstack_tui.config.loading import LoadedSettings
    from llmstack_tui.core import Stack
    from llmstack_tui.core.servers import OllamaStopped, Startup
    from llmstack_tui.engine.process.control import EngineHandle
    from llmstack_tui.fit.memory import Request

OLLAMA_START_SECONDS = 30
_LONGEST_NAME = 200

# What httpx imports when it asks for the first time: 60 ms on the event loop, unless it was imported before.
_WITH_THE_FIRST_REQUEST = ("httpcore", "sniffio", "anyio.streams.tls", "anyio._backends._asyncio")


class Services(Protocol):
    """The core, as far as the dashboard needs it."""

    def watch_settings(self) -> AsyncGenerator[LoadedSettings, None]:
        """The settings now, and then whenever they have changed; without what the command line said."""

    def places(self) -> tuple[tuple[str, str], ...]:
        """Where the files are: a word and a path for each."""

    def last_theme(self) -> str:
        """The theme that was shown last; "" where that is not known."""

    async def keep_theme(self, name: str) -> None:
        """Have the next start begin with this theme, if that can be written down."""

    async def find(self) -> Startup:
        """Which servers to use.

        Raises:
            ValueError: an address that was given is none; the text is a sentence.
        """

    async def start_ollama(self, stopped: OllamaStopped) -> None:
        """Start an installed Ollama and return when it answers."""

    async def start_engine(self) -> EngineHandle:
        """Start the built-in engine and return when it answers."""

    async def open(self, hosts: Sequence[str]) -> Stack:
        """A stack, not entered yet, over the servers at these URLs."""


class Core:
    """The real one."""

    def __init__(self, settings: Settings, environ: Mapping[str, str], config: Path | None = None) -> None:
        self._settings = settings
        self._environ = dict(environ)  # As it is now: Textual takes NO_COLOR out of the real one.
        self._config = config

    async def watch_settings(self) -> AsyncGenerator[LoadedSettings, None]:
        await _imported("llmstack_tui.config.watch")
        from llmstack_tui.config.watch import watch_settings

        async with aclosing(watch_settings(self._config, self._environ)) as all_loaded:
            async for loaded in all_loaded:
                yield loaded

    def places(self) -> tuple[tuple[str, str], ...]:
        from llmstack_tui.base import paths

        try:
            settings = self._config or paths.config_file()
            return (
                ("Settings", str(settings)),
                ("State", str(paths.state_file())),
                ("Logs", str(paths.logs_folder())),
            )
        except paths.NoHome:
            return ()

    def last_theme(self) -> str:
        from llmstack_tui.base import paths

        with (
            suppress(OSError, ValueError, paths.NoHome),
            paths.theme_file().open(encoding="utf-8") as file,
        ):
            return file.read(_LONGEST_NAME).strip()
        return ""

    async def keep_theme(self, name: str) -> None:
        await asyncio.to_thread(_write_theme, name)

    async def find(self) -> Startup:
        await _imported("llmstack_tui.core.servers", "llmstack_tui.ollama.client", *_WITH_THE_FIRST_REQUEST)
        from llmstack_tui.core.servers import find_servers

        return await find_servers(self._settings, self._environ)

    async def start_ollama(self, stopped: OllamaStopped) -> None:
        await _imported("llmstack_tui.ollama.local")
        from llmstack_tui.ollama.local import start_ollama

        await start_ollama(stopped.binary, stopped.url, wait_seconds=OLLAMA_START_SECONDS)

    async def start_engine(self) -> EngineHandle:
        await _imported("llmstack_tui.engine.process.control")
        from llmstack_tui.engine.process import control

        engine = self._settings.engine
        return await control.start(port=engine.port, owner=not engine.keep, config=self._config)

    async def open(self, hosts: Sequence[str]) -> Stack:
        await _imported("llmstack_tui.core", "llmstack_tui.ollama.client", "llmstack_tui.base.address")
        from llmstack_tui.core import Stack
        from llmstack_tui.ollama.client import OllamaHost
        from llmstack_tui.updates.programs import ADDRESSES

        state_file, models_folder = _places()
        return Stack(
            [OllamaHost(url) for url in dict.fromkeys(hosts)],
            read_only=self._settings.read_only,
            look_only={url for url in hosts if not self._settings.may_act(url)},
            profile=self._settings.hardware.profile,
            state_file=state_file,
            models_folder=models_folder,
            check_every=self._settings.updates.check_every,
            releases=None if self._settings.updates.check_every is None else ADDRESSES,
            automatic=self._settings.updates.automatic,
            parallel_pulls=self._settings.updates.parallel,
            guard=self._settings.guard,
            model_folders=self._model_folders,
            usual=self._usual,
        )

    def _model_folders(self) -> tuple[Path, ...]:
        from llmstack_tui.library.folders import model_folders

        return model_folders(self._environ)

    def _usual(self) -> Request:
        from llmstack_tui.config.engine import EngineOptions
        from llmstack_tui.fit.shapes import usual_request

        return usual_request(EngineOptions.read(self._settings.engine, self._environ))


def _write_theme(name: str) -> None:
    from llmstack_tui.base import paths

    with suppress(OSError, paths.NoHome):
        file = paths.theme_file()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{name}\n", encoding="utf-8")


def _places() -> tuple[Path | None, Path | None]:
    """The state file and the folder of models; without a home nothing is remembered."""
    from llmstack_tui.base import paths

    try:
        return paths.state_file(), paths.models_folder()
    except paths.NoHome:
        return None, None


async def _imported(*names: str) -> None:
    """Import modules in a thread: on the event loop it would hold up the keys."""
    for name in names:
        with suppress(ModuleNotFoundError):  # Told by the import that needs it.
            await asyncio.to_thread(importlib.import_module, name)
