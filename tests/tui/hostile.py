"""A dashboard over the real stack and real HTTP, with little patience, and what it must leave behind."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from llmstack_tui.base.languages import chosen
from llmstack_tui.config.loading import load_settings
from llmstack_tui.config.settings import LoadedSettings, Settings
from llmstack_tui.core.discovery import Discovery
from llmstack_tui.core.key_ring import key_ring
from llmstack_tui.core.options import StackOptions
from llmstack_tui.core.servers import Found
from llmstack_tui.core.settings_file import SettingsFile
from llmstack_tui.core.stack import Stack
from llmstack_tui.hosts.transport import Timeouts
from llmstack_tui.ollama.client import OllamaHost
from llmstack_tui.tui.app import Dashboard
from tests.support.waiting import wait_until
from tests.tui import managed
from tests.tui.driving import Desk
from tests.tui.fakes import FakeDoctor, FakeInstallation, FakeVariables

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence

    from llmstack_tui.base.paths import Look
    from llmstack_tui.config.themes import ThemeFile
    from llmstack_tui.core.servers import OllamaStopped, Startup
    from llmstack_tui.core.state import StackState
    from llmstack_tui.engine.process.control import EngineHandle
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.keys.service import KeyRing
    from llmstack_tui.service.types import Server
    from tests.support.scripted_server import ScriptedServer

# A busy machine makes a healthy server slow, too: only one that hangs is given up soon.
PATIENT = Timeouts(connect_s=20.0, short_s=20.0, call_s=20.0, load_s=20.0)
IMPATIENT = Timeouts(connect_s=20.0, short_s=1.0, call_s=3.0, load_s=20.0)


class HostServices:
    """Opens a stack over ``hosts``, as the real services would over those that they find."""

    def __init__(
        self, hosts: Sequence[Host], settings: Settings, state_file: Path | None, *, every_s: float = 0.05
    ) -> None:
        self._hosts = hosts
        self._settings = settings
        self._state_file = state_file
        self._every_s = every_s
        self.stack: Stack | None = None

    async def watch_settings(self) -> AsyncGenerator[LoadedSettings, None]:
        """They never change."""
        yield LoadedSettings(settings=self._settings, problems=())
        await asyncio.Event().wait()

    def places(self) -> tuple[tuple[str, str], ...]:
        return ()

    def language(self, settings: Settings) -> str:
        return chosen(settings.ui.language, {})

    def themes(self) -> tuple[ThemeFile, ...]:
        return ()

    def theme(self, name: str) -> ThemeFile | None:
        return None

    def last_look(self, look: Look) -> str:
        return ""

    async def keep_look(self, look: Look, name: str) -> None:
        return

    async def remembered(self) -> StackState | None:
        return None

    async def discover(self, used: Sequence[str]) -> Discovery:
        return Discovery((), "")

    async def find(self) -> Startup:
        return Found(tuple(host.url for host in self._hosts))

    async def start_ollama(self, stopped: OllamaStopped) -> None:
        raise NotImplementedError

    async def start_engine(self) -> EngineHandle:
        raise NotImplementedError

    async def keys(self) -> KeyRing:
        return key_ring(Settings(), {})

    async def server_variables(self) -> FakeVariables:
        return FakeVariables()

    async def installation(self) -> FakeInstallation:
        return FakeInstallation()

    async def check_up(self) -> FakeDoctor:
        return FakeDoctor()

    async def service(self, server: Server) -> managed.FakeManaged:
        return managed.usual()[server]

    async def open_settings(self) -> SettingsFile:
        return SettingsFile(Path("/home/somebody/config.toml"), partial(load_settings, None, {}))

    async def open(self, hosts: Sequence[str]) -> Stack:
        self.stack = Stack(
            self._hosts,
            StackOptions(running_every_s=self._every_s, machine_every_s=60, state_file=self._state_file),
        )
        return self.stack


def _now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def over(
    *servers: ScriptedServer,
    size: tuple[int, int] = (120, 40),
    settings: Settings | None = None,
    hanging: Collection[ScriptedServer] = (),
    state_file: Path | None = None,
    clock: Callable[[], datetime] = _now,
) -> AsyncIterator[Desk]:
    """A dashboard over these servers. Afterwards ``q`` must end it at once, and nothing may be left.

    Args:
        hanging: those that are given up soon.
    """
    before = asyncio.all_tasks()
    settings = settings or Settings()
    hosts = [OllamaHost(each.url, timeouts=IMPATIENT if each in hanging else PATIENT) for each in servers]
    services = HostServices(hosts, settings, state_file)
    app = Dashboard(settings, services, clock=clock)
    async with app.run_test(size=size, notifications=True) as pilot:
        yield Desk(app, pilot)
        if app.is_running:
            await pilot.press("q")
            await wait_until(lambda: not app.is_running, 10, "q leaves at once")
    await wait_until(lambda: not any(each.open for each in servers), 10, "no connection is left")
    ours = {task for task in asyncio.all_tasks() - before if "ScriptedServer" not in repr(task)}
    assert not ours


def words(desk: Desk) -> str:
    """What the screen shows without its line breaks, for sentences that may be wrapped."""
    return " ".join(desk.text.split())


async def until_said(desk: Desk, *texts: str) -> None:
    """All of these on the screen, wrapped or not."""
    await wait_until(lambda: all(text in words(desk) for text in texts), what=f"{texts} on the screen")


def stack_of(desk: Desk) -> Stack:
    return cast("Stack", desk.app.connection.stack)
