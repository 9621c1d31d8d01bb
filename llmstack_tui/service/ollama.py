"""Ollama as a service: the managers that may run it on this system, and itself."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from llmstack_tui.base.address import default_host
from llmstack_tui.base.paths import is_file, user_units_folder
from llmstack_tui.base.private_files import private_opener
from llmstack_tui.base.process_records import recorded
from llmstack_tui.base.sentences import Failure
from llmstack_tui.ollama.client import answers_at
from llmstack_tui.ollama.local import find_ollama, log_file, own_variables, record_file, start_ollama
from llmstack_tui.ollama.log.reading import FileLog, JournalLog
from llmstack_tui.ollama.processes import processes
from llmstack_tui.service.launchd import HOMEBREW_LABEL, LaunchAgent, OllamaApp
from llmstack_tui.service.service import ManagedService, ServiceFailed
from llmstack_tui.service.systemd import Systemd
from llmstack_tui.service.types import ManagerKind, ServerRun
from llmstack_tui.service.units import Autostart, agent_text, unit_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.ollama.log.reading import LogSource
    from llmstack_tui.service.types import Manager, UnitState

_UNIT = "ollama.service"
_AGENT = "llmstack.ollama"
# Of the formula `ollama` of Homebrew, on Apple's and on Intel's processors.
_BREW_LOGS = (Path("/opt/homebrew/var/log/ollama.log"), Path("/usr/local/var/log/ollama.log"))


class OllamaProgram:
    """Ollama, at the address of the environment."""

    label = "Ollama"

    def __init__(self, environ: Mapping[str, str], platform: str = sys.platform) -> None:
        self._environ = environ
        self._platform = platform
        self._url = default_host(environ)

    @property
    def url(self) -> str:
        return self._url

    def find_process(self) -> ServerRun | None:
        found = next(processes(self.url), None)
        return None if found is None else server_run(found.pid, recorded(record_file()))

    def is_installed(self) -> bool:
        return find_ollama(self._environ) is not None

    async def launch(self) -> None:
        binary = find_ollama(self._environ)
        if binary is None:
            raise ServiceFailed("service.not_installed", name=self.label)
        await start_ollama(binary, self.url, environ=self._environ)

    async def answers(self) -> bool:
        return await answers_at(self.url)

    def log_source(self, unit: UnitState | None, running: ServerRun | None) -> LogSource:
        if unit is not None and unit.kind in (ManagerKind.SYSTEMD, ManagerKind.SYSTEMD_USER):
            return JournalLog(unit.name, user=unit.kind is ManagerKind.SYSTEMD_USER)
        if running is not None and unit is None and not running.is_ours:
            file = output_file(running.pid)
            if file is None:
                raise ServiceFailed("service.log_elsewhere", name=self.label, pid=running.pid)
            return FileLog(file)
        of_app = Path(self._environ.get("HOME", "")) / ".ollama/logs/server.log"
        places: tuple[Path, ...] = (log_file(), of_app, *_BREW_LOGS)
        if unit is not None and unit.kind is ManagerKind.APP:
            places = (of_app,)
        elif unit is not None and unit.name == HOMEBREW_LABEL:
            places = _BREW_LOGS
        found = next((file for file in places if is_file(file)), None)
        if found is None:
            raise ServiceFailed("service.no_log", name=self.label)
        return FileLog(found)

    async def write_unit(self) -> Manager:
        binary = find_ollama(self._environ)
        if binary is None:
            raise ServiceFailed("service.not_installed", name=self.label)
        set_here = {**self._environ, **own_variables()}
        variables = {name: value for name, value in set_here.items() if name.startswith("OLLAMA_")}
        start = Autostart("Ollama", (str(binary), "serve"), variables, log_file())
        return await write_unit(start, _UNIT, _AGENT, self._environ, self._platform)


def server_run(pid: int, ours: psutil.Process | None) -> ServerRun | None:
    """What is known of the process of a server; None if it has ended meanwhile."""
    try:
        process = psutil.Process(pid)
        parents = tuple(each.pid for each in process.parents() if each.pid > 1)
        return ServerRun(pid, process.create_time(), ours is not None and ours.pid == pid, parents)
    except psutil.Error:
        return None


def output_file(pid: int) -> Path | None:
    """The file that a process writes its errors to; None if that is no file, or the system does not tell."""
    with suppress(OSError):
        file = Path(f"/proc/{pid}/fd/2").readlink()
        return file if is_file(file) and file.is_absolute() else None
    return None


async def write_unit(
    start: Autostart, unit: str, agent: str, environ: Mapping[str, str], platform: str
) -> Manager:
    """Write what starts a program at login. A file that cannot be used is not left behind.

    Raises:
        ServiceFailed: nothing here starts programs at login, or the file cannot be written.
    """
    manager: Systemd | LaunchAgent
    if platform == "darwin":
        manager = LaunchAgent(agent, environ)
        file, text = manager.file, agent_text(agent, start)
    elif platform == "linux":
        manager = Systemd(unit, environ, user=True)
        file, text = user_units_folder(environ) / unit, unit_text(start)
    else:
        raise ServiceFailed("service.no_manager")
    if not await asyncio.to_thread(_write, file, text):
        return manager
    try:
        await manager.reload()
    except Failure as error:
        await asyncio.to_thread(file.unlink)
        raise ServiceFailed("service.no_manager") from error
    return manager


def _write(file: Path, text: str) -> bool:
    """Write a new file; False if it is there already."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(file, "x", encoding="utf-8", opener=private_opener) as output:
            output.write(text)
    except FileExistsError:
        return False
    except OSError as error:
        why = error.strerror or str(error)
        raise ServiceFailed("service.not_written", file=str(file), why=why) from None
    return True


def ollama_service(environ: Mapping[str, str], platform: str = sys.platform) -> ManagedService:
    """Ollama on this machine, as a service.

    Args:
        environ: the environment of this process at its start.
        platform: as in `sys.platform`.

    Raises:
        InvalidAddress: ``OLLAMA_HOST`` is not an address.
    """
    managers: tuple[Manager, ...] = ()
    if platform == "darwin":
        folders = (Path("/Applications"), Path(environ.get("HOME", "")) / "Applications")
        agents = (LaunchAgent(HOMEBREW_LABEL, environ), LaunchAgent(_AGENT, environ))
        managers = (*agents, OllamaApp(environ, folders))
    elif platform == "linux":
        managers = (Systemd(_UNIT, environ, user=False), Systemd(_UNIT, environ, user=True))
    return ManagedService(OllamaProgram(environ, platform), managers, environ)
