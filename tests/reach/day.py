"""A day at the dashboard: hosts that come and go, other clients, and somebody who tries everything."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import httpx
from textual import events

from llmstack_tui.base.kinds import EventKind
from llmstack_tui.base.languages import chosen
from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.config.loading import load_settings
from llmstack_tui.config.settings import Settings
from llmstack_tui.config.watch import watch_settings
from llmstack_tui.core.discovery import Discovery
from llmstack_tui.core.key_ring import key_ring
from llmstack_tui.core.options import StackOptions
from llmstack_tui.core.servers import Found
from llmstack_tui.core.settings_file import SettingsFile
from llmstack_tui.core.stack import Stack
from llmstack_tui.ollama.client import OllamaHost
from tests.support import seeded
from tests.support.fake_ollama import FakeOllama
from tests.support.scripted_server import Request
from tests.support.waiting import settle, wait_until
from tests.tui import managed
from tests.tui.fakes import FakeDoctor, FakeInstallation, FakeVariables

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from pathlib import Path

    from llmstack_tui.base.paths import Look
    from llmstack_tui.config.settings import LoadedSettings
    from llmstack_tui.config.themes import ThemeFile
    from llmstack_tui.core.servers import Startup
    from llmstack_tui.core.state import StackState
    from llmstack_tui.engine.process.control import EngineHandle
    from llmstack_tui.hardware.readings import MachineReading
    from llmstack_tui.keys.service import KeyRing
    from llmstack_tui.service.types import Server
    from tests.reach.warp import Warp
    from tests.tui.driving import Desk

URLS = tuple(f"http://10.0.0.{number}:11434" for number in (1, 2, 3))
_MOST_INSTALLED = 30
_SETTINGS = (
    '[ui]\ntheme = "light"\n',
    "[ui.keys]\n'models.sort' = \"ctrl+o\"\n",
    "[ui]\ntheme = 3\n",
    "",
)


def without_network(fake: FakeOllama, url: str) -> OllamaHost:
    """The real client of a fake server, and no connection between them."""

    async def answer(request: httpx.Request) -> httpx.Response:
        if fake.down:
            raise httpx.ConnectError("down")
        body = await request.aread()
        reply = await fake(Request(request.method, request.url.path, dict(request.headers), body))
        # As a stream: what is given as content counts as read, and cannot be read piece by piece.
        pieces = httpx.ByteStream(b"".join(reply.pieces))
        return httpx.Response(reply.status, stream=pieces, headers={"Content-Type": "application/json"})

    return OllamaHost(url, transport=httpx.MockTransport(answer))


class Machine:
    """Two cards and a memory, of which something else is taken each time."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def read(self) -> MachineReading:
        used = self._random.randrange(10**9, 8 * 10**9)
        return seeded.machine(seeded.CARD, ram=replace(seeded.RAM, used=used), taken_at=time.monotonic())

    def close(self) -> None:
        pass


@dataclass
class World:
    """The servers, and what the dashboard asks of the core."""

    state_file: Path
    settings_file: Path
    fakes: dict[str, FakeOllama] = field(default_factory=dict)
    stacks: list[Stack] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settings_file.touch()
        for url in URLS:
            self.fakes[url] = FakeOllama({f"model-{n}:1": f"{n:064x}" for n in range(10)})

    @property
    def stack(self) -> Stack:
        return self.stacks[-1]

    async def watch_settings(self) -> AsyncGenerator[LoadedSettings, None]:
        async for loaded in watch_settings(self.settings_file, {}):
            yield loaded

    def places(self) -> tuple[tuple[str, str], ...]:
        return (("Settings", str(self.settings_file)),)

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
        return Found(URLS)

    async def start_ollama(self, _: object) -> None:
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
        return SettingsFile(self.settings_file, partial(load_settings, self.settings_file, {}))

    async def open(self, hosts: Sequence[str]) -> Stack:
        self.stacks = [
            Stack(
                [without_network(self.fakes[url], url) for url in hosts],
                StackOptions(machine=Machine(len(self.stacks)), state_file=self.state_file),
            )
        ]
        return self.stack


class Day:
    """What happens in it, in an order that is always the same."""

    def __init__(self, world: World, desk: Desk, warp: Warp) -> None:
        self.world, self.desk, self.warp = world, desk, warp
        self.changes = 0
        self._random = random.Random(8)
        self._names = 10
        self._usual: tuple[Callable[[], None], ...] = (
            self._somebody_loads,
            self._somebody_loads,
            self._somebody_stops,
            self._somebody_stops,
            self._works,
            self._appears,
            self._vanishes,
            self._is_away_or_back,
            self._activates,
            self._deactivates,
            self._something_is_recorded,
        )

    def change(self, count: int) -> None:
        for _ in range(count):
            self._random.choice(self._usual)()
            self.changes += 1

    async def pass_by(self, seconds: float) -> None:
        """Let time pass, and the screen show what is so at the end of it."""
        before = self.world.stack.state
        self.warp.forward(seconds)
        await wait_until(
            lambda: before is not self.desk.app.state is self.world.stack.state,
            what="the screen follows",
            every_s=0.001,
        )

    async def rest(self) -> None:
        """As many models as in the beginning, none of them loaded; what was said is gone from the screen."""
        for fake in self.world.fakes.values():
            fake.down = False
            fake.runners.clear()
            fake.installed = dict([*fake.installed.items()][:5])
            fake.asked.clear()
        for _ in range(5):
            await self.pass_by(60)
            await settle(200)

    # Other clients

    def _fake(self) -> FakeOllama:
        return self._random.choice([*self.world.fakes.values()])

    def _somebody_loads(self) -> None:
        fake = self._fake()
        if len(fake.runners) < 4 and fake.installed:
            fake.load(self._random.choice([*fake.installed]))

    def _somebody_stops(self) -> None:
        fake = self._fake()
        if fake.runners:
            del fake.runners[self._random.randrange(len(fake.runners))]

    def _works(self) -> None:
        fake = self._fake()
        for runner in fake.runners:
            runner.expires_at = fake.now() + runner.keep_alive

    def _appears(self) -> None:
        fake = self._fake()
        if len(fake.installed) < _MOST_INSTALLED:
            self._names += 1
            fake.installed[f"model-{self._names}:1"] = f"{self._names:064x}"

    def _vanishes(self) -> None:
        fake = self._fake()
        if len(fake.installed) > 5:
            name = self._random.choice([*fake.installed])
            del fake.installed[name]
            fake.runners = [each for each in fake.runners if each.name != name]

    def _is_away_or_back(self) -> None:
        fake = self._fake()
        fake.down = not fake.down and self._random.random() < 0.5

    def _something_is_recorded(self) -> None:
        self.world.stack.journal.event(EventKind.IMPORT, quoted(f"Line {self.changes}."), host=URLS[0])

    # Somebody at the dashboard

    def _key(self) -> tuple[str, str]:
        models = [(each.host, each.name) for each in self.desk.app.view.models()]
        return self._random.choice(models) if models else (URLS[0], "?")

    def _activates(self) -> None:
        self.desk.app.act("models.activate", self._key())

    def _deactivates(self) -> None:
        self.desk.app.act("models.deactivate", self._key())

    def edit_settings(self) -> None:
        self.world.settings_file.write_text(self._random.choice(_SETTINGS) + f"# {self.changes}\n")

    async def walk_around(self) -> None:
        """Every screen is opened and closed."""
        for keys in (
            ("enter", "f", "escape"),
            ("v", "down", "escape"),
            ("question_mark", "escape"),
            ("ctrl+p", "m", "escape"),
            ("x", "escape"),
            ("C", "escape"),
            ("p", "escape"),
            ("slash", "7", "escape"),
            ("o", "O", "space", "down", "escape"),
            ("left", "right", "G", "g"),
        ):
            await self._press(*keys)
            await wait_until(self._is_home, what=f"{keys}, and back")

    def _is_home(self) -> bool:
        """Whether the first screen is shown; else leave the one that is."""
        is_home = len(self.desk.app.screen_stack) == 1
        if not is_home:
            self.desk.app.post_message(events.Key("escape", None))
        return is_home

    async def _press(self, *keys: str) -> None:
        """Without the rests that a pilot takes between keys."""
        for key in keys:
            self.desk.app.post_message(events.Key(key, key if len(key) == 1 else None))
            await settle(200)

    async def connect_anew(self) -> None:
        old = self.world.stack
        self.desk.app.connection.connect()
        await wait_until(
            lambda: old is not self.world.stack and self.desk.app.state is self.world.stack.state,
            what="a new connection",
        )
