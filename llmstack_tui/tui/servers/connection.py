"""Finds servers, or has one started, and follows them."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Protocol

from llmstack_tui.base.kinds import HostKind
from llmstack_tui.base.languages import tr
from llmstack_tui.core.wording import text, words
from llmstack_tui.tui.draw.servers import farewell, found_text
from llmstack_tui.tui.shell import AnswerChoice, Controller, NoteKind, Shell

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from contextlib import AbstractAsyncContextManager

    from llmstack_tui.base.paths import Look
    from llmstack_tui.config.settings import LoadedSettings, Settings
    from llmstack_tui.config.themes import ThemeFile
    from llmstack_tui.core.discovery import Discovery
    from llmstack_tui.core.servers import OllamaStopped, Startup
    from llmstack_tui.core.state import StackState
    from llmstack_tui.engine.process.control import EngineHandle
    from llmstack_tui.hosts.types import Snapshot
    from llmstack_tui.service.types import Server
    from llmstack_tui.tui.stack import (
        DashboardDoctor,
        DashboardInstallation,
        DashboardKeys,
        DashboardService,
        DashboardSettings,
        DashboardStack,
        DashboardVariables,
    )

Hosts = tuple[str, ...]
AGAIN: Hosts = ()
CONNECTION = "connection"
# States that come faster than the eye can follow are skipped; the longer this lasts, the more of them.
_LEAST_PAUSE_S, _MOST_PAUSE_S = 0.05, 0.4

_OLLAMA = "https://ollama.com/download"


class DashboardCore(Protocol):
    """The part of the core that the dashboard starts with."""

    def watch_settings(self) -> AsyncGenerator[LoadedSettings, None]:
        """Yield the settings now and after each change, without the command line's options."""

    def places(self) -> tuple[tuple[str, str], ...]:
        """The files of llmstack: a label and a path for each."""

    def themes(self) -> Sequence[ThemeFile]:
        """What the files of the user's own themes say. Blocking."""

    def theme(self, name: str) -> ThemeFile | None:
        """One of them; None if there is no such file. Blocking."""

    def language(self, settings: Settings) -> str:
        """The code of the language that these settings and the locale want."""

    def last_look(self, look: Look) -> str:
        """The theme, or the language, for the first paint; "" if that is not known."""

    async def keep_look(self, look: Look, name: str) -> None:
        """Save the theme, or the language, for the next start, if possible."""

    async def remembered(self) -> StackState | None:
        """The last known state of the servers likely to be used, to show until they are found."""

    async def find(self) -> Startup:
        """Find the servers to use.

        Raises:
            InvalidAddress: a given address is none.
        """

    async def discover(self, used: Sequence[str]) -> Discovery:
        """Look for servers on this machine, beside those at the URLs that are used now."""

    async def start_ollama(self, stopped: OllamaStopped) -> None:
        """Start an installed Ollama and return when it answers."""

    async def start_engine(self) -> EngineHandle:
        """Start the built-in engine and return when it answers."""

    async def server_variables(self) -> DashboardVariables: ...
    async def keys(self) -> DashboardKeys:
        """The keys of providers and servers. Raises NoHome."""

    async def installation(self) -> DashboardInstallation:
        """Installations on this machine."""

    async def service(self, server: Server) -> DashboardService:
        """A server of this machine as a service. Raises InvalidAddress."""

    async def check_up(self) -> DashboardDoctor:
        """The examination of this installation, which changes nothing by itself."""

    async def open_settings(self) -> DashboardSettings:
        """The file of settings, to be changed."""

    async def open(self, hosts: Sequence[str]) -> AbstractAsyncContextManager[DashboardStack]:
        """Make a stack, not entered yet, for the servers at these URLs."""


class ConnectionShell(Shell, Protocol):
    """The dashboard as the connection needs it, which is more than other features do."""

    def say(self, text: str, *, waiting: bool = False) -> None:
        """Show what is going on while there is no server yet; ``waiting`` adds the seconds waited."""

    def connected(self, stack: DashboardStack) -> None:
        """Take note that a server is followed from now on."""

    def show_state(self, state: StackState | None) -> None:
        """Draw the state; None while there is no server."""


class Connection(Controller):
    """The connection. ``stack`` is set while a server is followed, ``engine`` once we started it.

    Attributes:
        pause_s: seconds between two states that are drawn.
    """

    _shell: ConnectionShell

    def __init__(self, shell: ConnectionShell, services: DashboardCore) -> None:
        super().__init__(shell)
        self._services = services
        self.stack: DashboardStack | None = None
        self.engine: EngineHandle | None = None
        self.pause_s = _LEAST_PAUSE_S
        self._starting: asyncio.Future[EngineHandle] | None = None

    def connect(self) -> None:
        """Find the servers and follow them; an earlier connection ends."""
        self._shell.show_state(None)
        self._shell.start(tr("The connection to the server"), self.run, group=CONNECTION, exclusive=True)

    def refresh(self) -> None:
        """Ask the servers now; start the built-in engine again if it has gone."""
        if self.stack is None or self.engine_is_away:
            self.connect()
        else:
            self.stack.refresh()

    def find_others(self) -> None:
        """Look for servers on this machine, and say what to write into the settings to use them."""
        self._start(tr("Look for servers"), self._find_others)

    async def _find_others(self) -> None:
        state = self._shell.view.state
        used = [host.snapshot.url for host in state.hosts] if state else []
        found = await self._services.discover(used)
        if not found.setting:
            self._shell.tell(found_text(found))
            return
        answers = (AnswerChoice("keep", tr("Close")), AnswerChoice("copy", tr("Copy the line")))
        if (
            await self._shell.ask(tr("Servers on this machine"), found_text(found), answers, escape="keep")
            == "copy"
        ):
            self._shell.copy(found.setting)
            self._shell.tell(
                tr("Put the line into config.toml, and open llmstack again."), title=tr("Copied")
            )

    async def run(self) -> None:
        """Find and follow servers until cancelled, or until the user wants to quit."""
        remembered = await self._services.remembered()
        if remembered is not None:
            self._shell.show_state(remembered)
        hosts = await self._find()
        if hosts is None:
            self._shell.end(0)
            return
        if remembered is not None and {host.snapshot.url for host in remembered.hosts} != {*hosts}:
            remembered = None
            self._shell.show_state(None)
        self._shell.say(tr("Reading the list of models…"), waiting=True)
        async with await self._services.open(hosts) as stack:
            self.stack = stack
            stack.follow()
            try:
                self._shell.connected(stack)
                async with aclosing(stack.watch()) as states:
                    async for state in states:
                        if remembered is None or state.is_known:
                            remembered = None
                            self._shell.show_state(state)
                        await asyncio.sleep(self.pause_s)
                        # `watch` keeps the newest.
                        is_followed = stack.state is not state
                        self.pause_s = min(2 * self.pause_s, _MOST_PAUSE_S) if is_followed else _LEAST_PAUSE_S
            finally:
                self.stack = None

    @property
    def engine_is_away(self) -> bool:
        """Whether the built-in engine, started or found by us, no longer answers.

        False for an engine whose address the user gave: it is not ours to start.
        """
        if self.stack is None or self._shell.settings.hosts:
            return False
        return any(host.snapshot.error and _is_own_engine(host.snapshot) for host in self.stack.state.hosts)

    @property
    def own_engine(self) -> str | None:
        """The URL of the engine that ends with the dashboard."""
        keep = self._shell.settings.engine.keep
        return self.engine.process.url if self.engine is not None and not keep else None

    def farewell(self) -> str:
        return farewell(self._shell.view.state, self.own_engine) if self.own_engine else ""

    def cancel_start(self) -> None:
        """Cancel the start of the engine, if it is under way."""
        if self._starting is not None:
            self._starting.cancel()

    def release(self) -> None:
        """Let go of the engine that we started; it ends once nobody uses it."""
        if self.engine is not None:
            self.engine.release()
            self.engine = None

    async def _find(self) -> Hosts | None:
        """The servers to use; None if the user wants to quit."""
        hosts: Hosts | None = AGAIN
        while hosts == AGAIN:
            hosts = await self._find_once()
        return hosts

    async def _find_once(self) -> Hosts | None:
        self._shell.say(tr("Looking for a server…"), waiting=True)
        try:
            found = await self._services.find()
        except ValueError as error:
            return await self._offer_retry(tr("No server can be found"), words(error))
        from llmstack_tui.core.servers import BuiltinStopped, Found, NothingToRun, OllamaStopped

        if isinstance(found, Found):
            return found.hosts
        self._shell.show_state(None)  # The remembered state is of a server that is not there.
        match found:
            case OllamaStopped():
                return await self._offer_ollama(found)
            case BuiltinStopped():
                return await self._start_engine()
            case NothingToRun(reason):
                title = tr("There is no model server on this machine")
                return await self._offer_retry(title, with_remedies(text(reason)), install=True)

    async def _offer_ollama(self, stopped: OllamaStopped) -> Hosts | None:
        said = tr("It can be started at {url}, and then stays running.", url=stopped.url)
        text = f"{said}\n({stopped.binary})"
        answers = (
            AnswerChoice("ollama", tr("Start Ollama")),
            AnswerChoice("engine", tr("Use the built-in engine")),
            AnswerChoice("quit", tr("Quit")),
        )
        while True:
            self._shell.say("")
            title = tr("Ollama is installed, but not running")
            match await self._shell.ask(title, text, answers, escape="quit"):
                case "ollama":
                    outcome = await self._start_ollama(stopped)
                    if outcome is True:
                        return (stopped.url,)
                    if isinstance(outcome, Exception):
                        text = tr("It did not start: {why}", why=words(outcome))
                case "engine":
                    if hosts := await self._start_engine():
                        return hosts
                case _:
                    return None

    async def _start_ollama(self, stopped: OllamaStopped) -> bool | Exception:
        """True when Ollama answers, the error if it did not start, False if the user did not wait."""
        from llmstack_tui.core.servers import OLLAMA_START_SECONDS
        from llmstack_tui.tui.dialogs import WaitScreen

        wait = WaitScreen(
            tr("Starting Ollama"),
            tr("Waiting until it answers at {url}", url=stopped.url),
            partial(self._services.start_ollama, stopped),
            limit_s=OLLAMA_START_SECONDS,
        )
        return await self._shell.show(wait) or False

    async def _start_engine(self) -> Hosts | None:
        from llmstack_tui.engine.process.control import EngineFailed

        self.release()
        key = self._shell.view.keys["models.cancel"]
        self._shell.say(tr("Starting the built-in engine…  {key} cancels.", key=key), waiting=True)
        self._starting = asyncio.ensure_future(self._services.start_engine())
        try:
            self.engine = await self._starting
        except EngineFailed as error:
            return await self._offer_retry(tr("The built-in engine did not start"), words(error))
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise  # The dashboard ends, or connects again.
            return await self._offer_retry(
                tr("The built-in engine was not started"), tr("You cancelled its start.")
            )
        finally:
            self._starting.cancel()
            self._starting = None
        answers = tr("The built-in engine answers at {url}.", url=self.engine.process.url)
        self._shell.record(NoteKind.DONE, answers)
        if notice := self.engine.process.notice:
            self._shell.record(NoteKind.NOTE, notice)
        return (self.engine.process.url,)

    async def _offer_retry(self, title: str, reason: str, *, install: bool = False) -> Hosts | None:
        self._shell.say("")
        answers = [AnswerChoice("again", tr("Try again")), AnswerChoice("quit", tr("Quit"))]
        if install:
            answers.insert(0, AnswerChoice("install", tr("Install one")))
        answer = await self._shell.ask(title, reason, answers, escape="quit")
        if answer == "install":
            await self._shell.open("install")
            await asyncio.Event().wait()  # When that screen is closed, it connects anew, which ends this.
        return AGAIN if answer == "again" else None


def _is_own_engine(snapshot: Snapshot) -> bool:
    from llmstack_tui.base.address import is_loopback

    server = snapshot.server
    return server is not None and server.kind is HostKind.BUILTIN and is_loopback(snapshot.url)


def with_remedies(reason: str) -> str:
    """``reason`` with all remedies; a command to copy is put on a line of its own."""
    text = re.sub(": (?=pip )", ":\n\n  ", reason)
    return text if _OLLAMA in text else f"{text}\n\n{tr('Or get Ollama from {url}.', url=_OLLAMA)}"
