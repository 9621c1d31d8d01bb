"""The variables of Ollama on this machine: what is in force, and what is set, by the service that runs it."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psutil

from llmstack_tui.base import paths
from llmstack_tui.base.address import default_host, is_loopback
from llmstack_tui.base.commands import is_root, run
from llmstack_tui.base.environment_files import pairs
from llmstack_tui.base.sentences import Failure, Sentence
from llmstack_tui.hardware.machine import Machine
from llmstack_tui.hardware.profile import detect
from llmstack_tui.hosts.errors import HostError
from llmstack_tui.hosts.transport import Timeouts
from llmstack_tui.ollama.client import OllamaHost
from llmstack_tui.ollama.local import own_variables_file
from llmstack_tui.ollama.log.reading import FileLog
from llmstack_tui.ollama.processes import processes
from llmstack_tui.service.ollama import ollama_service
from llmstack_tui.service.types import ManagerKind
from llmstack_tui.variables import files
from llmstack_tui.variables.rules import edits
from llmstack_tui.variables.rules.rows import rows
from llmstack_tui.variables.rules.suggestions import suggestions
from llmstack_tui.variables.sources import (
    OWN_DROP_IN,
    UNIT,
    agent_settings,
    config_of,
    end_of,
    of_file,
    read,
    unit_files,
    unit_settings,
)
from llmstack_tui.variables.table import VARIABLES
from llmstack_tui.variables.types import (
    FileForm,
    Origin,
    Overview,
    OwnFile,
    ServerFound,
    ValueSource,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.ollama.processes import ServerProcess
    from llmstack_tui.service.service import ManagedService
    from llmstack_tui.service.types import ServiceState

HOST = "OLLAMA_HOST"
_SYSTEMD = {ManagerKind.SYSTEMD: False, ManagerKind.SYSTEMD_USER: True}
_MAC = frozenset({ManagerKind.LAUNCHD, ManagerKind.APP})
_PATIENCE = Timeouts(connect_s=1.0, short_s=2.0)
_PREFIX = "OLLAMA_"


class VariablesInForce:
    """The variables of Ollama on this machine, looked at.

    Args:
        environ: of this process at its start.
        root: the folder that contains ``etc`` and ``usr``.
        platform: as in `sys.platform`.
    """

    def __init__(
        self, environ: Mapping[str, str], *, root: Path = Path("/"), platform: str = sys.platform
    ) -> None:
        self._environ = environ
        self._root = root
        self._platform = platform
        self._home = Path(environ.get("HOME", ""))

    async def overview(self) -> Overview:
        """What is in force, and what is set.

        Raises:
            InvalidAddress: ``OLLAMA_HOST`` is not an address.
            VariablesFailed: llmstack's own file cannot be read.
        """
        server = await asyncio.to_thread(self._server)
        url = server.url
        if not is_loopback(url):
            why = Sentence("variables.not_here", {"url": url})
            return Overview(rows=rows(ServerFound(), {}), url=url, pid=None, why_not=why)
        state = await server.service.state()
        why_not = _why_not(state)
        target = None if why_not else self._own_file(state)
        text = None if target is None else await asyncio.to_thread(files.read_own, target)
        launched = await self._launched() if state.kind in _MAC else {}
        process = await asyncio.to_thread(_process, url, state.pid)
        logged, settings, profile, sizes = await asyncio.gather(
            self._logged(server, process) if process else _none(),
            asyncio.to_thread(self._settings, state, target, text, launched),
            asyncio.to_thread(self._profile),
            _sizes(url),
        )
        found = ServerFound(
            pid=process.pid if process else None,
            environ=process.variables if process else None,
            logged=logged,
            settings=settings,
        )
        return Overview(
            rows=rows(found, suggestions(profile, sizes)),
            url=url,
            pid=found.pid,
            target=target,
            why_not=why_not,
            text=text,
            by_hand=edits.is_by_hand(text),
        )

    def _server(self, values: Mapping[str, str | None] = {}) -> OllamaPlace:
        environ = self._at_home(values)
        return OllamaPlace(default_host(environ), ollama_service(environ, self._platform))

    def _at_home(self, values: Mapping[str, str | None] = {}) -> Mapping[str, str]:
        """The environment with the address at which the server is found here. Blocking.

        Args:
            values: what was changed just now, which counts more than our own environment.
        """
        if host := values.get(HOST):
            return {**self._environ, HOST: host}
        if self._environ.get(HOST):
            return self._environ
        unit = unit_settings(unit_files(self._root, self._environ)) if self._platform == "linux" else ()
        own = pairs(read(own_variables_file()) or "")
        hosts = [source.value for name, source in unit if name == HOST] or [
            value for name, value in own if name == HOST
        ]
        return {**self._environ, HOST: hosts[-1]} if hosts else self._environ

    def _own_file(self, state: ServiceState) -> OwnFile:
        """The file that llmstack may write."""
        if state.kind is ManagerKind.SYSTEMD:
            file = self._root / f"etc/systemd/system/{UNIT}.d" / OWN_DROP_IN
            return OwnFile(form=FileForm.DROP_IN, file=file, is_user=False, needs_root=not is_root())
        if state.kind is ManagerKind.SYSTEMD_USER:
            file = paths.user_units_folder(self._environ) / f"{UNIT}.d" / OWN_DROP_IN
            return OwnFile(form=FileForm.DROP_IN, file=file)
        if state.kind in _MAC:
            file = self._home / f"Library/LaunchAgents/{edits.LABEL}.plist"
            return OwnFile(form=FileForm.AGENT, file=file)
        return OwnFile(form=FileForm.ENVIRONMENT, file=own_variables_file())

    def _settings(
        self,
        state: ServiceState,
        target: OwnFile | None,
        text: str | None,
        launched: Mapping[str, str],
    ) -> tuple[tuple[str, ValueSource], ...]:
        """What is set for the next start, by its source; the last one wins. Blocking."""
        settings: list[tuple[str, ValueSource]] = []
        own = {} if target is None else edits.own_values(target.form, text)
        if state.kind in _SYSTEMD:
            unit = unit_files(self._root, self._environ, user=_SYSTEMD[state.kind])
            settings += unit_settings(unit, target.file if target else None)
        elif state.kind in _MAC:
            settings += [
                (name, ValueSource(Origin.LAUNCHCTL, value))
                for name, value in launched.items()
                if own.get(name) != value
            ]
            settings += of_file(own, target)
            settings += agent_settings(state.file)
        else:
            exported = {name: value for name, value in self._environ.items() if name.startswith(_PREFIX)}
            settings += [
                (name, ValueSource(Origin.SHELL, value)) for name, value in exported.items() if value
            ]
            settings += of_file(own, target)
        return tuple(settings)

    async def _launched(self) -> Mapping[str, str]:
        """What ``launchctl setenv`` has set for the programs of this session."""
        found = {}
        for each in VARIABLES:
            done = await run("launchctl", "getenv", each.name, environ=self._environ)
            if done.status == 0 and done.output.strip():
                found[each.name] = done.output.rstrip("\n")
        return found

    def _profile(self) -> Profile:
        reader = Machine(root=self._root)
        try:
            return detect(reader.read())
        finally:
            reader.close()

    async def _logged(self, server: OllamaPlace, process: ServerProcess) -> Mapping[str, str] | None:
        """What the process has written into its log about what it runs with; None if that cannot be read."""
        with suppress(Failure, psutil.Error):
            created_s = psutil.Process(process.pid).create_time()
            source = await server.service.log_source()
            if isinstance(source, FileLog):
                text = await asyncio.to_thread(end_of, source.path)
            else:
                words = ("--user",) if source.user else ()
                about = (f"--unit={source.unit}", f"--since=@{created_s - 1:.0f}", "--grep=server config")
                shown = ("--output=cat", "--lines=1", "--no-pager")
                done = await run("journalctl", *words, *about, *shown, environ=self._environ)
                text = done.output
            return config_of(text, created_s, server.url)
        return None


def _why_not(state: ServiceState) -> Sentence | None:
    """Why nothing can be changed; None if it can."""
    if state.kind is ManagerKind.FOREIGN:
        return Sentence("variables.of_another", {"pid": state.pid})
    if state.kind is ManagerKind.NONE:
        return Sentence("variables.no_ollama")
    if state.kind is ManagerKind.OURS:
        # A manager that could not be asked may have a unit, which would not read a file of ours.
        return next((each for each in state.problem if each.kind.startswith("command.")), None)
    return None


class OllamaPlace(NamedTuple):
    """Ollama at one address."""

    url: str
    service: ManagedService


def _process(url: str, pid: int | None) -> ServerProcess | None:
    """The one with this id; else one that is known to listen there, rather than one that may do so."""
    found = sorted(processes(url), key=lambda each: (each.pid != pid, each.variables is None))
    return found[0] if found else None


async def _none() -> None:
    """Nothing runs that could have said anything."""


async def _sizes(url: str) -> Sequence[int]:
    """The sizes of the models of a server; none if it does not answer."""
    host = OllamaHost(url, timeouts=_PATIENCE)
    try:
        return [each.size for each in await host.installed() if each.size and not each.remote_host]
    except HostError:
        return []
    finally:
        await host.aclose()
