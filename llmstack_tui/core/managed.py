"""The servers of this machine as services: Ollama, and the built-in engine."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from llmstack_tui.engine.process import control
from llmstack_tui.engine.process.requirements import missing_reason
from llmstack_tui.engine.process.state import log_file, saved, status
from llmstack_tui.ollama.log.reading import FileLog
from llmstack_tui.service.launchd import LaunchAgent
from llmstack_tui.service.ollama import ollama_service, server_run, write_unit
from llmstack_tui.service.service import ManagedService
from llmstack_tui.service.systemd import Systemd
from llmstack_tui.service.types import ServerRun
from llmstack_tui.service.units import Autostart

if TYPE_CHECKING:
    from llmstack_tui.core.servers import StartingCore
    from llmstack_tui.ollama.log.reading import LogSource
    from llmstack_tui.service.types import Manager, Server, UnitState

_UNIT, _AGENT = "llmstack-engine.service", "llmstack.engine"


class EngineProgram:
    """The built-in engine."""

    label = "llmstack-engine"

    def __init__(self, core: StartingCore, platform: str) -> None:
        self._core = core
        self._platform = platform

    @property
    def url(self) -> str | None:
        recorded = saved()
        return None if recorded is None else recorded.url

    def find_process(self) -> ServerRun | None:
        recorded = saved()
        if recorded is None:
            return None
        # Whichever way it was started, it is ours; `parents` says whether a unit did.
        found = server_run(recorded.pid, None)
        return None if found is None else ServerRun(found.pid, found.created_s, True, found.parents)

    def is_installed(self) -> bool:
        return missing_reason() is None

    async def launch(self) -> None:
        (await self._core.start_engine("stopped")).release()

    async def answers(self) -> bool:
        return await asyncio.to_thread(status) is not None

    def log_source(self, unit: UnitState | None, running: ServerRun | None) -> LogSource:
        return FileLog(log_file())

    async def write_unit(self) -> Manager:
        port, config = self._core.settings.engine.port, self._core.config
        # -P: else the current folder comes first where modules are looked for.
        server = (sys.executable, "-P", "-m", "llmstack_tui.engine.process.server")
        arguments = control.server_arguments(port, "127.0.0.1", life="stopped", config=config)
        start = Autostart("The built-in engine of llmstack", (*server, *arguments), {}, log_file())
        return await write_unit(start, _UNIT, _AGENT, self._core.environ, self._platform)


def managed(server: Server, core: StartingCore, platform: str = sys.platform) -> ManagedService:
    """A server of this machine as a service.

    Raises:
        InvalidAddress: ``OLLAMA_HOST`` is not an address.
    """
    environ = core.environ
    if server == "ollama":
        return ollama_service(environ, platform)
    managers: tuple[Manager, ...] = ()
    if platform == "darwin":
        managers = (LaunchAgent(_AGENT, environ),)
    elif platform == "linux":
        managers = (Systemd(_UNIT, environ, user=True),)
    return ManagedService(EngineProgram(core, platform), managers, environ)
