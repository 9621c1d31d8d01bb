"""Examines this installation with the doctor, and carries out the fix of a finding once the user said so."""

from __future__ import annotations

import asyncio
import platform
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui import __version__
from llmstack_tui.base import paths
from llmstack_tui.base.address import InvalidAddress, default_host, is_loopback
from llmstack_tui.base.languages import tr
from llmstack_tui.base.names import DEFAULT_HOST, DEFAULT_SCHEME
from llmstack_tui.base.sentences import Failure, said
from llmstack_tui.base.structs import replace
from llmstack_tui.config.engine import EngineOptions
from llmstack_tui.core.keys import key_of
from llmstack_tui.core.mending import Mender
from llmstack_tui.core.servers import host_at
from llmstack_tui.core.wording import text
from llmstack_tui.doctor import facts
from llmstack_tui.doctor.report import Unnamed, report_text
from llmstack_tui.doctor.service import Sources, examine
from llmstack_tui.doctor.sources import machine, ollama, registry, servers, terminal
from llmstack_tui.engine.process import requirements
from llmstack_tui.engine.process.state import saved, status
from llmstack_tui.hardware.machine import Machine
from llmstack_tui.hardware.system import read_disk
from llmstack_tui.hosts.types import RunningModel
from llmstack_tui.library.errors import LibraryError
from llmstack_tui.store.database.opening import examined
from llmstack_tui.store.errors import StoreDamaged
from llmstack_tui.store.tables.figures import last_loads

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from llmstack_tui.base.sentences import Sentence
    from llmstack_tui.core.servers import StartingCore
    from llmstack_tui.doctor.types import Finding, Report, Undo
    from llmstack_tui.hardware.readings import MachineReading
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.library.use import FolderUse

_LOADS = 3
_REGISTRY = f"{DEFAULT_SCHEME}://{DEFAULT_HOST}"


class CheckUp:
    """Examinations of this machine, and fixes.

    Args:
        root: the folder that contains ``proc``, ``sys``, ``dev`` and ``etc``.
        registry: its base URL.
        addresses: by which other machines may reach this one; None finds them.
    """

    def __init__(
        self,
        core: StartingCore,
        *,
        root: Path = Path("/"),
        registry: str = _REGISTRY,
        addresses: tuple[str, ...] | None = None,
    ) -> None:
        self._core = core
        self._mender = Mender(core)
        self._root = root
        self._registry = registry
        self._addresses = addresses

    async def examine(self) -> Report:
        """What is wrong with this installation, and what is not; within five seconds."""
        environ, root, urls = self._core.environ, self._root, await asyncio.to_thread(self._urls)
        return await examine(
            Sources(
                program=machine.program_facts,
                servers=lambda: self._servers(urls),
                ollama=lambda: ollama.ollama_facts(environ, root, self._logs()),
                engine=self._engine,
                machine=self._machine,
                cards=lambda: machine.card_facts(root),
                disk=self._disk,
                settings=self._settings,
                registry=self._ask_registry,
                doors=lambda: servers.open_doors(urls, self._addresses or servers.own_addresses()),
                state=_state,
                system=lambda: machine.system_facts(environ),
                terminal=lambda: terminal.terminal_facts(environ),
            )
        )

    async def mend(self, finding: Finding) -> Undo | None:
        """Carry out the fix of a finding, to which the user has agreed; see `Mender.mend`."""
        assert finding.fix is not None  # noqa: S101 (the others have no key and no option)
        return await self._mender.mend(finding.fix)

    async def take_back(self, undo: Undo) -> None:
        """Take a fix back; see `Mender.take_back`."""
        await self._mender.take_back(undo)

    def _urls(self) -> dict[str, bool]:
        """The servers to ask, with whether the user named them. Blocking."""
        if hosts := self._core.settings.hosts:
            return {host.url: True for host in hosts}
        found: dict[str, bool] = {}
        with suppress(InvalidAddress):  # The settings' finding says so.
            url = default_host(self._core.environ)
            found[url] = not is_loopback(url)
        if (engine := saved()) is not None:
            found.setdefault(engine.url, False)
        return found

    async def _servers(self, urls: Mapping[str, bool]) -> tuple[facts.ServerFacts, ...]:
        hosts = [await self._host(url) for url in urls]
        measured = {url: await asyncio.to_thread(_last_loads, url) for url in urls}
        found = await servers.server_facts(hosts, {url for url, named in urls.items() if named})
        return tuple(replace(each, measured=measured[each.url]) for each in found)

    async def _host(self, url: str) -> Host:
        key = None
        with suppress(Failure):  # The server's refusal is the finding.
            key = await key_of(url, self._core.settings, self._core.environ)
        return await asyncio.to_thread(host_at, url, key, self._core.settings)

    def _engine(self) -> facts.EngineFacts:
        recorded = saved()
        # As the next start of the engine reads them.
        loaded = self._core.load_settings()
        options = EngineOptions.read(loaded.settings.engine, self._core.environ)
        return facts.EngineFacts(
            missing=requirements.missing_reason(),
            context_length=options.context_length,
            idle_cards=requirements.idle_card_makers(self._root),
            url=recorded.url if recorded else None,
            pid=recorded.pid if recorded else None,
            answers=recorded is not None and status() is not None,
        )

    def _machine(self) -> MachineReading:
        reader = Machine(root=self._root)
        try:
            return reader.read()
        finally:
            reader.close()

    async def _disk(self) -> facts.DiskFacts:
        disk = self._mender.disk_service()
        folders: list[FolderUse] = []
        problems: list[Sentence] = []
        try:
            own = await disk.look()
            folders += [own] if own is not None else []
        except LibraryError as error:
            problems += said(error)
        for each in await disk.look_elsewhere():
            if isinstance(each, LibraryError):
                problems += said(each)
            else:
                folders.append(each)
        spaces = [(each.path, await asyncio.to_thread(read_disk, each.path)) for each in folders]
        known = tuple((path, space) for path, space in spaces if space is not None)
        return facts.DiskFacts(tuple(folders), tuple(problems), known)

    async def _ask_registry(self) -> facts.RegistryFacts:
        """What the registry answers; who has it never asked for updates has it not asked here, either."""
        if self._core.settings.updates.check_every is None:
            return facts.RegistryFacts("")
        return await registry.registry_facts(self._registry)

    def _settings(self) -> facts.SettingsFacts:
        problems = list(self._core.load_settings().problems)
        try:
            default_host(self._core.environ)
        except InvalidAddress as error:
            problems += said(error)
        file = "" if self._core.config is None else str(self._core.config)
        with suppress(paths.NoHome):
            file = file or str(paths.config_file())
        return facts.SettingsFacts(file, tuple(problems))

    def _logs(self) -> tuple[Path, ...]:
        """Where Ollama's log may be: when we started it, and that of its app."""
        try:
            ours = (paths.logs_folder() / "ollama.log",)
        except paths.NoHome:
            return ()
        home = self._core.environ.get("HOME")
        return (*ours, *((Path(home) / ".ollama/logs/server.log",) if home else ()))

    # --- the report ---

    def report(self, report: Report) -> str:
        """A text for a bug report, without secrets and names."""
        heads = (
            ("llmstack", __version__),
            ("Python", platform.python_version()),
            (tr("System"), f"{platform.system()} {platform.release()} {platform.machine()}"),
        )
        return report_text(heads, lines(report), self._names())

    def _names(self) -> Unnamed:
        environ = self._core.environ
        hosts = [each.url.partition("://")[2].partition(":")[0] for each in self._core.settings.hosts]
        return Unnamed(
            home=environ.get("HOME", ""),
            user=environ.get("USER") or environ.get("LOGNAME") or environ.get("USERNAME", ""),
            machine=socket.gethostname(),
            hosts=tuple(host for host in hosts if not is_loopback(f"http://{host}")),
        )


def lines(report: Report) -> Iterator[str]:
    """The findings, one or more lines for each."""
    for each in report.findings:
        yield f"{tr(each.state):<14}  {each.id:<18}  {text(each.says)}"
        yield from (f"{'':<36}{text(sentence)}" for sentence in (*each.evidence, *each.advice))


def _last_loads(url: str) -> tuple[RunningModel, ...]:
    """Where the last models were that a server is known to have loaded."""
    with suppress(paths.NoHome):
        return tuple(
            RunningModel(
                name=each.model, digest=each.digest, size=each.server_bytes, size_vram=each.server_gpu_bytes
            )
            for each in last_loads(paths.state_file(), url, _LOADS)
            if each.server_bytes and each.server_gpu_bytes is not None
        )
    return ()


def _state() -> facts.StateFacts:
    try:
        file = paths.state_file()
    except paths.NoHome as error:
        return facts.StateFacts("", said(error))
    wrong = examined(file)
    return facts.StateFacts(str(file), said(wrong), isinstance(wrong, StoreDamaged))
