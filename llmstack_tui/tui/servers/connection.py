"""Finds a server to drive, or has one started, and follows it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Protocol

from llmstack_tui.base.kinds import HostKind
from llmstack_tui.core.wording import words
from llmstack_tui.tui.draw.servers import farewell
from llmstack_tui.tui.shell import Answer, Controller, NoteKind, Shell

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from contextlib import AbstractAsyncContextManager

    from llmstack_tui.config.loading import LoadedSettings
    from llmstack_tui.core.servers import OllamaStopped, Startup
    from llmstack_tui.core.state import StackState
    from llmstack_tui.engine.process.control import EngineHandle
    from llmstack_tui.hosts.types import Snapshot
    from llmstack_tui.tui.stack import DashboardStack

Hosts = tuple[str, ...]
AGAIN: Hosts = ()
CONNECTION = "connection"
# What comes faster than an eye can follow is drawn once: less and less often while it goes on.
_LEAST_PAUSE_S, _MOST_PAUSE_S = 0.05, 0.4

_OLLAMA = "https://ollama.com/download"


class DashboardCore(Protocol):
    """The core, as far as the dashboard needs it to begin."""

    def watch_settings(self) -> AsyncGenerator[LoadedSettings, None]:
        """The settings now, and then whenever they have changed; without what the command line said."""

    def places(self) -> tuple[tuple[str, str], ...]:
        """Where the files are: a word and a path for each."""

    def last_theme(self) -> str:
        """The theme that was shown last; "" where that is not known."""

    async def keep_theme(self, name: str) -> None:
        """Have the next start begin with this theme, if that can be written down."""

    async def remembered(self) -> StackState | None:
        """What the servers that are likely to be used listed last, to look at until they are found."""

    async def find(self) -> Startup:
        """Which servers to use.

        Raises:
            ValueError: an address that was given is none; the text is a sentence.
        """

    async def start_ollama(self, stopped: OllamaStopped) -> None:
        """Start an installed Ollama and return when it answers."""

    async def start_engine(self) -> EngineHandle:
        """Start the built-in engine and return when it answers."""

    async def open(self, hosts: Sequence[str]) -> AbstractAsyncContextManager[DashboardStack]:
        """A stack, not entered yet, over the servers at these URLs."""


class ConnectionShell(Shell, Protocol):
    """What the connection needs of the dashboard beside what every feature does."""

    def say(self, text: str, *, waiting: bool = False) -> None:
        """What is going on while there is no server yet; a wait is shown with its seconds."""

    def connected(self, stack: DashboardStack) -> None:
        """A server is followed from now on."""

    def show_state(self, state: StackState | None) -> None:
        """Draw it; None while there is no server."""


class Connection(Controller):
    """The way to the servers. ``stack`` is there while one is followed, ``engine`` once we started it.

    Attributes:
        pause_s: seconds between two states that are shown.
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
        """Find a server and follow it; one that was followed before is let go."""
        self._shell.show_state(None)
        self._shell.start("The connection to the server", self.run, group=CONNECTION, exclusive=True)

    def refresh(self) -> None:
        """Ask the servers now; where the built-in engine has gone, start it again."""
        if self.stack is None or self.engine_is_away:
            self.connect()
        else:
            self.stack.refresh()

    async def run(self) -> None:
        """Until this is cancelled or the user wants to leave."""
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
        self._shell.say("Reading the list of models…", waiting=True)
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
        """Whether the built-in engine, which we started or came upon, no longer answers.

        One whose address the user gave is not ours to start.
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
        """Give up the start of the engine, if it is under way."""
        if self._starting is not None:
            self._starting.cancel()

    def release(self) -> None:
        """Let the engine that we started end; it does so once nobody uses it."""
        if self.engine is not None:
            self.engine.release()
            self.engine = None

    async def _find(self) -> Hosts | None:
        """The servers to use; None when the user would rather leave."""
        hosts: Hosts | None = AGAIN
        while hosts == AGAIN:
            hosts = await self._find_once()
        return hosts

    async def _find_once(self) -> Hosts | None:
        self._shell.say("Looking for a server…", waiting=True)
        try:
            found = await self._services.find()
        except ValueError as error:
            return await self._nothing("No server can be found", words(error))
        from llmstack_tui.core.servers import BuiltinStopped, Found, NothingToRun, OllamaStopped

        if isinstance(found, Found):
            return found.hosts
        self._shell.show_state(None)  # What is remembered is of a server that is not there.
        match found:
            case OllamaStopped():
                return await self._offer_ollama(found)
            case BuiltinStopped():
                return await self._start_engine()
            case NothingToRun(reason):
                return await self._nothing(
                    "There is no server of models on this machine", how_to_go_on(reason)
                )

    async def _offer_ollama(self, stopped: OllamaStopped) -> Hosts | None:
        text = f"It can be started at {stopped.url}, and then stays running.\n({stopped.binary})"
        answers = (
            Answer("ollama", "Start Ollama"),
            Answer("engine", "Use the built-in engine"),
            Answer("quit", "Quit"),
        )
        while True:
            self._shell.say("")
            title = "Ollama is installed, but does not run"
            match await self._shell.ask(title, text, answers, escape="quit"):
                case "ollama":
                    outcome = await self._start_ollama(stopped)
                    if outcome is True:
                        return (stopped.url,)
                    if isinstance(outcome, Exception):
                        text = f"It did not start: {words(outcome)}"
                case "engine":
                    if hosts := await self._start_engine():
                        return hosts
                case _:
                    return None

    async def _start_ollama(self, stopped: OllamaStopped) -> bool | Exception:
        """True when it answers, False when the user did not want to wait."""
        from llmstack_tui.core.servers import OLLAMA_START_SECONDS
        from llmstack_tui.tui.dialogs import WaitScreen

        wait = WaitScreen(
            "Starting Ollama",
            f"Waiting until it answers at {stopped.url}",
            partial(self._services.start_ollama, stopped),
            limit_s=OLLAMA_START_SECONDS,
        )
        return await self._shell.show(wait) or False

    async def _start_engine(self) -> Hosts | None:
        from llmstack_tui.engine.process.control import EngineFailed

        self.release()
        key = self._shell.key_for("models.cancel")
        self._shell.say(f"Starting the built-in engine…  {key} cancels.", waiting=True)
        self._starting = asyncio.ensure_future(self._services.start_engine())
        try:
            self.engine = await self._starting
        except EngineFailed as error:
            return await self._nothing("The built-in engine did not start", words(error))
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise  # The dashboard ends, or connects anew.
            return await self._nothing("The built-in engine was not started", "You cancelled its start.")
        finally:
            self._starting.cancel()
            self._starting = None
        self._shell.record(NoteKind.DONE, f"The built-in engine answers at {self.engine.process.url}.")
        if notice := self.engine.process.notice:
            self._shell.record(NoteKind.NOTE, notice)
        return (self.engine.process.url,)

    async def _nothing(self, title: str, reason: str) -> Hosts | None:
        self._shell.say("")
        answers = (Answer("again", "Try again"), Answer("quit", "Quit"))
        answer = await self._shell.ask(title, reason, answers, escape="quit")
        return AGAIN if answer == "again" else None


def _is_own_engine(snapshot: Snapshot) -> bool:
    from llmstack_tui.base.address import is_loopback

    server = snapshot.server
    return server is not None and server.kind is HostKind.BUILTIN and is_loopback(snapshot.url)


def how_to_go_on(reason: str) -> str:
    """``reason`` with every way out: a command to copy stands on a line of its own."""
    text = reason.replace(": pip install", ":\n\n  pip install")
    return text if _OLLAMA in text else f"{text}\n\nOr get Ollama from {_OLLAMA}."
