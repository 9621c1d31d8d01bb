"""Makes a stack from the settings, and finds the servers for it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.base import lazy, paths
from llmstack_tui.base.address import InvalidAddress, default_host
from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.languages import chosen, tr
from llmstack_tui.base.structs import replace
from llmstack_tui.core.keys import key_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from llmstack_tui.base.kinds import EngineLife
    from llmstack_tui.config.loading import KeyCheck
    from llmstack_tui.config.settings import LoadedSettings, Settings
    from llmstack_tui.config.themes import ThemeFile
    from llmstack_tui.core.check_up import CheckUp
    from llmstack_tui.core.discovery import Discovery
    from llmstack_tui.core.options import StackOptions
    from llmstack_tui.core.server_variables import ServerVariables
    from llmstack_tui.core.servers import OllamaStopped, Startup
    from llmstack_tui.core.settings_file import SettingsFile
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.core.state import HostState, StackState
    from llmstack_tui.engine.process.control import EngineHandle
    from llmstack_tui.fit.memory import Request
    from llmstack_tui.install.service import InstallService
    from llmstack_tui.keys.service import KeyRing
    from llmstack_tui.prompts.service import PromptService
    from llmstack_tui.service.service import ManagedService
    from llmstack_tui.service.types import Server

_LONGEST_NAME = 200

# What httpx imports at its first request: 60 ms on the event loop, so they are imported in a thread before.
_FIRST_REQUEST_IMPORTS = ("httpcore", "sniffio", "anyio.streams.tls", "anyio._backends._asyncio")


class Core:
    """The settings, and what can be opened with them.

    Attributes:
        settings: from file, environment and command line.
        environ: of the process at its start: Textual removes NO_COLOR from the real one.
        config: the settings file; None is the default one.

    Args:
        check_keys: as for `config.loading.load_settings`.
    """

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        config: Path | None = None,
        check_keys: KeyCheck = lambda _: (),
    ) -> None:
        self.settings = settings
        self._check_keys = check_keys
        self.environ = dict(environ)
        self.config = config
        self._settings_changed = asyncio.Event()

    def load_settings(self) -> LoadedSettings:
        """The settings of the file and the environment, and their mistakes, as they are now. Blocking."""
        from llmstack_tui.config.loading import load_settings  # noqa: PLC0415

        return load_settings(self.config, self.environ, self._check_keys)

    def themes(self) -> tuple[ThemeFile, ...]:
        """What the files of the user's own themes say. Blocking."""
        from llmstack_tui.config.loading import load_themes  # noqa: PLC0415

        folder = self.themes_folder()
        return load_themes(folder) if folder else ()

    def theme(self, name: str) -> ThemeFile | None:
        """One of them; None if there is no such file. Blocking."""
        from llmstack_tui.config.loading import load_theme  # noqa: PLC0415

        folder = self.themes_folder()
        return load_theme(folder, name) if folder else None

    def themes_folder(self) -> Path | None:
        from llmstack_tui.config.loading import themes_folder  # noqa: PLC0415

        try:
            return themes_folder(self.config or paths.config_file())
        except paths.NoHome:
            return None

    async def watch_settings(self, *, with_keys: bool = True) -> AsyncGenerator[LoadedSettings, None]:
        """As `config.watch.watch_settings`; without ``with_keys`` keys are not checked."""
        await lazy.load(".config.watch")
        from llmstack_tui.config.watch import watch_settings  # noqa: PLC0415

        changed = self._settings_changed
        check = (self._check_keys,) if with_keys else ()
        watched = watch_settings(self.config, self.environ, *check, changed=changed)
        async with aclosing(watched) as all_loaded:
            async for loaded in all_loaded:
                yield loaded

    async def open_settings(self) -> SettingsFile:
        """The file of settings, to be changed. Raises NoHome."""
        await lazy.load(".core.settings_file")
        from llmstack_tui.core.settings_file import SettingsFile  # noqa: PLC0415

        file = self.config or paths.config_file()
        return SettingsFile(file, self.load_settings, on_change=self._settings_changed.set)

    def places(self) -> tuple[tuple[str, str], ...]:
        try:
            settings = self.config or paths.config_file()
            return (
                (tr("Settings"), str(settings)),
                (tr("State"), str(paths.state_file())),
                (tr("Logs"), str(paths.logs_folder())),
            )
        except paths.NoHome:
            return ()

    def language(self, settings: Settings) -> str:
        return chosen(settings.ui.language, self.environ)

    def last_look(self, look: paths.Look) -> str:
        """The theme, or the language, that was kept last; "" if there is none."""
        with (
            suppress(OSError, ValueError, paths.NoHome),
            paths.look_file(look).open(encoding="utf-8") as file,
        ):
            return file.read(_LONGEST_NAME).strip()
        return ""

    async def keep_look(self, look: paths.Look, name: str) -> None:
        await asyncio.to_thread(_write_look, look, name)

    async def find(self) -> Startup:
        """The servers to use.

        Raises:
            InvalidAddress: ``OLLAMA_HOST`` is not an address.
            KeyFailed, KeysFailed: the key of a server cannot be read.
        """
        await lazy.load(".core.servers", ".ollama.client", *_FIRST_REQUEST_IMPORTS)
        from llmstack_tui.core.servers import Found, find_servers  # noqa: PLC0415

        found = await find_servers(self.settings, self.environ)
        if isinstance(found, Found):
            await asyncio.gather(*(key_of(url, self.settings, self.environ) for url in found.hosts))
        return found

    async def discover(self, used: Sequence[str]) -> Discovery:
        """Look for servers on this machine, beside those at the URLs that are used now."""
        await lazy.load(".core.discovery", *_FIRST_REQUEST_IMPORTS)
        from llmstack_tui.config.hosts import HostSettings  # noqa: PLC0415
        from llmstack_tui.core.discovery import discover  # noqa: PLC0415

        named = {host.url: host for host in self.settings.hosts}
        return await discover([named.get(url, HostSettings(url=url)) for url in used])

    async def remembered(self) -> StackState | None:
        """The models that the likely servers listed last, to be shown until the servers are found."""
        state_file, _ = _places()
        if isinstance(state_file, paths.NoHome) or not await asyncio.to_thread(paths.is_file, state_file):
            return None
        await lazy.load(".core.state", ".lifecycle.recall", ".lifecycle.states", "sqlite3")
        from llmstack_tui.core.state import HostState, StackState  # noqa: PLC0415
        from llmstack_tui.lifecycle.recall import last_snapshot  # noqa: PLC0415
        from llmstack_tui.lifecycle.states import statuses  # noqa: PLC0415

        found = [await asyncio.to_thread(last_snapshot, state_file, url) for url in self._likely]
        hosts = tuple(HostState(each, statuses(each)) for each in found if each is not None)
        return StackState(hosts) if hosts else None

    @property
    def _likely(self) -> tuple[str, ...]:
        """The URLs of the servers that `find` will most likely find."""
        if self.settings.hosts:
            return tuple(host.url for host in self.settings.hosts)
        try:
            return (default_host(self.environ),)
        except InvalidAddress:
            return ()

    async def on_disk(self) -> HostState:
        """The models on this machine's disk, for when no server lists them; the host has an empty URL."""
        await lazy.load(".core.on_disk")
        from llmstack_tui.core.on_disk import models_on_disk  # noqa: PLC0415

        return await asyncio.to_thread(models_on_disk, self._model_folders())

    async def start_ollama(self, stopped: OllamaStopped) -> None:
        await lazy.load(".ollama.local")
        from llmstack_tui.core.servers import OLLAMA_START_SECONDS  # noqa: PLC0415
        from llmstack_tui.ollama.local import start_ollama  # noqa: PLC0415

        await start_ollama(stopped.binary, stopped.url, wait_seconds=OLLAMA_START_SECONDS)

    async def start_engine(self, life: EngineLife | None = None) -> EngineHandle:
        """Start the built-in engine; by default it lives as long as the settings say of a dashboard's."""
        await lazy.load(".engine.process.control")
        from llmstack_tui.engine.process import control  # noqa: PLC0415

        engine = self.settings.engine
        life = life or ("stopped" if engine.keep else "owner")
        return await control.start(life=life, port=engine.port, config=self.config)

    async def check_up(self) -> CheckUp:
        """The examination of this installation."""
        await lazy.load(".core.check_up")
        from llmstack_tui.core.check_up import CheckUp  # noqa: PLC0415

        return CheckUp(self)

    async def service(self, server: Server) -> ManagedService:
        """A server of this machine as a service.

        Raises:
            InvalidAddress: ``OLLAMA_HOST`` is not an address.
        """
        await lazy.load(".core.managed")
        from llmstack_tui.core.managed import managed  # noqa: PLC0415

        return managed(server, self)

    async def installation(self) -> InstallService:
        """Installations of Ollama and of the built-in engine on this machine."""
        await lazy.load(".core.installation")
        from llmstack_tui.core.installation import installation  # noqa: PLC0415

        return installation(self)

    async def server_variables(self) -> ServerVariables:
        """The variables of Ollama on this machine."""
        await lazy.load(".core.server_variables")
        from llmstack_tui.core.server_variables import ServerVariables  # noqa: PLC0415

        return ServerVariables(self.environ)

    async def keys(self) -> KeyRing:
        """The keys of providers and servers. Raises NoHome."""
        await lazy.load(".core.key_ring")
        from llmstack_tui.core.key_ring import key_ring  # noqa: PLC0415

        return key_ring(self.settings, self.environ)

    def prompts(self) -> PromptService:
        """The prompts of the package, of the user and of the current folder's project."""
        from llmstack_tui.prompts.service import PromptService  # noqa: PLC0415

        try:
            config = self.config or paths.config_file()
        except paths.NoHome:
            config = None
        return PromptService(
            user=config.absolute().parent / "prompts" if config else None,
            cwd=Path.cwd(),
            language=self.language(self.settings),
        )

    async def open(self, hosts: Sequence[str]) -> Stack:
        """The dashboard's stack: the user is the actor, and newer versions are looked for."""
        from llmstack_tui.updates.programs import ADDRESSES  # noqa: PLC0415

        updates = self.settings.updates
        options = replace(
            await self.options(hosts),
            check_every=updates.check_every,
            releases=None if updates.check_every is None else ADDRESSES,
            held=_held,
            automatic=updates.automatic,
        )
        return await self.stack(hosts, options)

    async def stack(self, hosts: Sequence[str], options: StackOptions) -> Stack:
        """A stack, not entered yet, over the servers at these URLs."""
        await lazy.load(".core.stack")
        from llmstack_tui.core.stack import Stack  # noqa: PLC0415

        if not hosts:  # Only this machine is asked about: no client is needed.
            return Stack((), options)
        await lazy.load(".core.servers")
        from llmstack_tui.core.servers import host_at  # noqa: PLC0415

        keys = {url: await key_of(url, self.settings, self.environ) for url in hosts}
        options = replace(options, keys={url: key for url, key in keys.items() if key is not None})
        clients = [await asyncio.to_thread(host_at, url, key, self.settings) for url, key in keys.items()]
        return Stack(clients, options)

    async def options(self, hosts: Sequence[str], actor: Actor = Actor.USER) -> StackOptions:
        """The options of a stack over these servers, from the settings."""
        await lazy.load(".core.options")
        from llmstack_tui.core.options import StackOptions  # noqa: PLC0415

        state_file, models_folder = _places()
        return StackOptions(
            actor=actor,
            read_only=self.settings.read_only,
            look_only=frozenset(url for url in hosts if not self.settings.may_act(url)),
            profile=self.settings.hardware.profile,
            state_file=state_file,
            models_folder=models_folder,
            parallel_pulls=self.settings.updates.parallel,
            guard=self.settings.guard,
            online_url=self.settings.catalog.online_url,
            model_folders=self._model_folders,
            usual=self._usual,
        )

    def _model_folders(self) -> tuple[Path, ...]:
        from llmstack_tui.library.folders import model_folders  # noqa: PLC0415

        return model_folders(self.environ)

    def _usual(self) -> Request:
        from llmstack_tui.config.engine import EngineOptions  # noqa: PLC0415
        from llmstack_tui.fit.subjects import usual_request  # noqa: PLC0415

        return usual_request(EngineOptions.read(self.settings.engine, self.environ))


def _held() -> str:
    from llmstack_tui.install.folders import read_record  # noqa: PLC0415

    try:
        return read_record(paths.ollama_folder()).held
    except paths.NoHome:
        return ""


def _write_look(look: paths.Look, name: str) -> None:
    with suppress(OSError, paths.NoHome):
        file = paths.look_file(look)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{name}\n", encoding="utf-8")


def _places() -> tuple[Path | paths.NoHome, Path | None]:
    """The state file and the folder of models; without a home, where nothing can be stored, why."""
    try:
        return paths.state_file(), paths.models_folder()
    except paths.NoHome as error:
        return error, None
