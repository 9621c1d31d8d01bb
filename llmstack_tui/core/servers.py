"""Chooses the servers to use, from the settings, what answers and what is installed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from llmstack_tui.base.address import default_host, is_loopback, is_ssh
from llmstack_tui.base.kinds import ServerKind
from llmstack_tui.base.sentences import Sentence, quoted
from llmstack_tui.hosts.transport import Timeouts
from llmstack_tui.ollama.client import OllamaHost, answers_at

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from llmstack_tui.base.kinds import EngineChoice, EngineLife
    from llmstack_tui.base.secret import Secret
    from llmstack_tui.config.settings import LoadedSettings, Settings
    from llmstack_tui.engine.process.control import EngineHandle
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.openai.client import OpenAIHost

# The first request makes the SSH connection, too, perhaps by way of another machine.
_OVER_SSH = Timeouts(connect_s=20.0, short_s=25.0)


OLLAMA_START_SECONDS = 30


class Found(Struct, frozen=True):
    """Servers to use, as base URLs."""

    hosts: tuple[str, ...]


class OllamaStopped(Struct, frozen=True):
    """Ollama is installed but not running; `llmstack_tui.ollama.local.start_ollama` starts it at ``url``."""

    binary: Path
    url: str


class BuiltinStopped(Struct, frozen=True):
    """Nothing runs, and the built-in engine can be started."""


class NothingToRun(Struct, frozen=True):
    """Nothing runs and nothing can be started; ``reason`` has the cause and the remedy."""

    reason: Sentence


Startup = Found | OllamaStopped | BuiltinStopped | NothingToRun


class StartingCore(Protocol):
    """What starts servers by the settings: `core.open.Core`, of which only this much is needed."""

    @property
    def settings(self) -> Settings: ...
    @property
    def environ(self) -> Mapping[str, str]: ...
    @property
    def config(self) -> Path | None: ...
    def load_settings(self) -> LoadedSettings: ...
    async def start_ollama(self, stopped: OllamaStopped) -> None: ...
    async def start_engine(self, life: EngineLife | None = None) -> EngineHandle: ...


class Installed(Struct, frozen=True, kw_only=True):
    """What this machine has, for the case that nothing answers at Ollama's address.

    Attributes:
        url: Ollama's address.
        ollama: the program; None if it is not installed.
        engine_url: the address of the running built-in engine, or None.
        engine_missing: why the built-in engine cannot run, or None if it can.
    """

    url: str
    ollama: Path | None
    engine_url: str | None
    engine_missing: str | None


def host_at(url: str, key: Secret | None, settings: Settings) -> Host:
    """The client for the server at a base URL. Only one that the settings name may be another than Ollama.

    It imports what it needs, so it is called in a thread.
    """
    named = next((host for host in settings.hosts if host.url == url), None)
    kind = ServerKind.OLLAMA if named is None else named.kind
    if kind is None and not is_ssh(url):  # A tunnel serves one client: there, another kind has to be named.
        from llmstack_tui.core.auto_host import AutoHost  # noqa: PLC0415

        return AutoHost(url, key=key)
    client: type[OllamaHost | OpenAIHost] = OllamaHost
    if kind is not None and kind is not ServerKind.OLLAMA:
        from llmstack_tui.openai.servers import CLASSES  # noqa: PLC0415

        client = CLASSES[kind]
    if not is_ssh(url):
        return client(url, key=key)
    from llmstack_tui.ssh.transport import SshTransport  # noqa: PLC0415

    return client(url, key=key, timeouts=_OVER_SSH, transport=SshTransport(url))


async def find_servers(settings: Settings, environ: Mapping[str, str]) -> Startup:
    """Look for servers. Addresses from the settings are used as they are, without asking them.

    Raises:
        InvalidAddress: ``OLLAMA_HOST`` is not an address.
    """
    if settings.hosts:
        return Found(tuple(host.url for host in settings.hosts))
    choice, url = settings.engine.choice, default_host(environ)
    if choice != "builtin" and (not is_loopback(url) or await answers_at(url)):
        # Another machine was named on purpose: it is used even if it does not answer.
        return Found((url,))
    return decide(choice, await asyncio.to_thread(look_around, url, environ))


def decide(choice: EngineChoice, installed: Installed) -> Startup:
    """What to do if nothing answers at Ollama's address, or the settings ask for the built-in engine."""
    if choice != "ollama" and installed.engine_url is not None:
        return Found((installed.engine_url,))
    if choice != "builtin" and installed.ollama is not None:
        return OllamaStopped(installed.ollama, installed.url)
    if choice == "ollama":
        return NothingToRun(Sentence("core.no_ollama"))
    if installed.engine_missing is not None:
        return NothingToRun(quoted(installed.engine_missing))
    return BuiltinStopped()


def look_around(url: str, environ: Mapping[str, str]) -> Installed:
    # Imported here, because none of this is needed if a server answers.
    from llmstack_tui.engine.process.requirements import missing_reason  # noqa: PLC0415
    from llmstack_tui.engine.process.state import status  # noqa: PLC0415
    from llmstack_tui.ollama.local import find_ollama  # noqa: PLC0415

    engine = status()
    return Installed(
        url=url,
        ollama=find_ollama(environ),
        engine_url=None if engine is None else engine.url,
        engine_missing=missing_reason(),
    )
