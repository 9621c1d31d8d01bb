"""Finds a server to drive, or has one started, and follows it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from functools import partial
from typing import TYPE_CHECKING

from msgspec import to_builtins

from llmstack_tui.base.kinds import HostKind
from llmstack_tui.core.services import OLLAMA_START_SECONDS
from llmstack_tui.tui.activity.log import Kind
from llmstack_tui.tui.deferred import Later
from llmstack_tui.tui.models.arrangement import Arrangement

if TYPE_CHECKING:
    from llmstack_tui.core import Stack
    from llmstack_tui.core.servers import OllamaStopped
    from llmstack_tui.core.services import Services
    from llmstack_tui.engine.process.control import EngineHandle
    from llmstack_tui.hosts.types import Snapshot
    from llmstack_tui.tui.app import Dashboard

Hosts = tuple[str, ...]
AGAIN: Hosts = ()
_RECALL = "models.arrangement"
# What comes faster than an eye can follow is drawn once: less and less often while it goes on.
_LEAST_PAUSE_S, _MOST_PAUSE_S = 0.05, 0.4

_OLLAMA = "https://ollama.com/download"


class Connection:
    """The way to the servers. ``stack`` is there while one is followed, ``engine`` once we started it.

    Attributes:
        pause_s: seconds between two states that are shown.
    """

    def __init__(self, app: Dashboard, services: Services) -> None:
        self._app = app
        self._services = services
        self.stack: Stack | None = None
        self.engine: EngineHandle | None = None
        self.pause_s = _LEAST_PAUSE_S
        self._starting: asyncio.Future[EngineHandle] | None = None

    async def run(self) -> None:
        """Find a server and show its states, until this is cancelled or the user wants to leave."""
        hosts = await self._find()
        if hosts is None:
            self._app.exit()
            return
        self._app.say("Reading the list of models…", waiting=True)
        async with await self._services.open(hosts) as stack:
            self.stack = stack
            self._app.run_worker(
                Later(self._recall, stack),
                group=_RECALL,
                exclusive=True,
                description="What the screen remembers",
                exit_on_error=False,
            )
            try:
                self._app.preferences.connected(stack)
                async with aclosing(stack.watch()) as states:
                    async for state in states:
                        self._app.show_state(state)
                        await asyncio.sleep(self.pause_s)
                        # `watch` keeps the newest.
                        is_followed = stack.state is not state
                        self.pause_s = min(2 * self.pause_s, _MOST_PAUSE_S) if is_followed else _LEAST_PAUSE_S
            finally:
                self.stack = None

    def remember(self, arrangement: Arrangement) -> None:
        """Keep how the list is arranged, for the next session."""
        if self.stack is not None:
            self.stack.remember(_RECALL, to_builtins(arrangement))

    async def _recall(self, stack: Stack) -> None:
        from llmstack_tui.store.errors import StoreError

        with suppress(StoreError):  # A notice tells of it already.
            self._app.models.pane.restore(await stack.recall(_RECALL, Arrangement(), Arrangement))

    @property
    def engine_is_away(self) -> bool:
        """Whether the built-in engine, which we started or came upon, no longer answers.

        One whose address the user gave is not ours to start.
        """
        if self.stack is None or self._app.settings.hosts:
            return False
        return any(host.snapshot.error and _is_own_engine(host.snapshot) for host in self.stack.state.hosts)

    def cancel_start(self) -> bool:
        """Give up the start of the engine; False if none is under way."""
        return self._starting is not None and self._starting.cancel()

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
        self._app.say("Looking for a server…", waiting=True)
        try:
            found = await self._services.find()
        except ValueError as error:
            return await self._nothing("No server can be found", str(error))
        from llmstack_tui.core.servers import BuiltinStopped, Found, NothingToRun, OllamaStopped

        match found:
            case Found(hosts):
                return hosts
            case OllamaStopped():
                return await self._offer_ollama(found)
            case BuiltinStopped():
                return await self._start_engine()
            case NothingToRun(reason):
                return await self._nothing(
                    "There is no server of models on this machine", how_to_go_on(reason)
                )

    async def _offer_ollama(self, stopped: OllamaStopped) -> Hosts | None:
        from llmstack_tui.tui.dialogs.ask import Answer, AskScreen

        text = f"It can be started at {stopped.url}, and then stays running.\n({stopped.binary})"
        answers = (
            Answer("ollama", "Start Ollama"),
            Answer("engine", "Use the built-in engine"),
            Answer("quit", "Quit"),
        )
        while True:
            self._app.say("")
            match await self._app.push_screen_wait(
                AskScreen("Ollama is installed, but does not run", text, answers, escape="quit")
            ):
                case "ollama":
                    outcome = await self._start_ollama(stopped)
                    if outcome is True:
                        return (stopped.url,)
                    if isinstance(outcome, Exception):
                        text = f"It did not start: {outcome}"
                case "engine":
                    if hosts := await self._start_engine():
                        return hosts
                case _:
                    return None

    async def _start_ollama(self, stopped: OllamaStopped) -> bool | Exception:
        """True when it answers, False when the user did not want to wait."""
        from llmstack_tui.tui.dialogs.wait import WaitScreen

        return await self._app.push_screen_wait(
            WaitScreen(
                "Starting Ollama",
                f"Waiting until it answers at {stopped.url}",
                partial(self._services.start_ollama, stopped),
                self._app.marks,
                limit_s=OLLAMA_START_SECONDS,
            )
        )

    async def _start_engine(self) -> Hosts | None:
        from llmstack_tui.engine.process.control import EngineFailed

        self.release()
        key = self._app.preferences.first_keys["models.cancel"]
        self._app.say(f"Starting the built-in engine…  {key} cancels.", waiting=True)
        self._starting = asyncio.ensure_future(self._services.start_engine())
        try:
            self.engine = await self._starting
        except EngineFailed as error:
            return await self._nothing("The built-in engine did not start", str(error))
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise  # The dashboard ends, or connects anew.
            return await self._nothing("The built-in engine was not started", "You cancelled its start.")
        finally:
            self._starting.cancel()
            self._starting = None
        self._app.telling.record(Kind.DONE, f"The built-in engine answers at {self.engine.process.url}.")
        if notice := self.engine.process.notice:
            self._app.telling.record(Kind.NOTE, notice)
        return (self.engine.process.url,)

    async def _nothing(self, title: str, reason: str) -> Hosts | None:
        from llmstack_tui.tui.dialogs.ask import Answer, AskScreen

        self._app.say("")
        answers = (Answer("again", "Try again"), Answer("quit", "Quit"))
        answer = await self._app.push_screen_wait(AskScreen(title, reason, answers, escape="quit"))
        return AGAIN if answer == "again" else None


def _is_own_engine(snapshot: Snapshot) -> bool:
    from llmstack_tui.base.address import is_loopback

    server = snapshot.server
    return server is not None and server.kind is HostKind.BUILTIN and is_loopback(snapshot.url)


def how_to_go_on(reason: str) -> str:
    """``reason`` with every way out: a command to copy stands on a line of its own."""
    text = reason.replace(": pip install", ":\n\n  pip install")
    return text if _OLLAMA in text else f"{text}\n\nOr get Ollama from {_OLLAMA}."
