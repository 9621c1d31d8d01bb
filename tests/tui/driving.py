"""A dashboard over the real core or over fakes, driven by keys, and what is on its screen."""

from __future__ import annotations

import unicodedata
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from textual.events import Key
from textual.keys import KEY_NAME_REPLACEMENTS
from textual.strip import Strip
from textual.widgets import Input

from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.structs import replace
from llmstack_tui.config.hosts import HostSettings
from llmstack_tui.config.settings import LoadedSettings, Settings, UpdatesSettings
from llmstack_tui.core.open import Core
from llmstack_tui.core.wording import text
from llmstack_tui.tui.activity.feed import ActivityFeed
from llmstack_tui.tui.app import Dashboard
from llmstack_tui.tui.features import BINDINGS, key_faults
from tests.support import seeded
from tests.support.fake_ollama import usual_ollama
from tests.support.machine import FakeMachine
from tests.support.scripted_server import serving
from tests.support.waiting import wait_until
from tests.tui.fakes import FakeServices, FakeStack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from textual.notifications import Notification
    from textual.pilot import Pilot

    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.core.options import StackOptions
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.core.state import StackState
    from llmstack_tui.lifecycle.states import ModelState
    from llmstack_tui.store.tables.events import Event
    from tests.support.fake_ollama import FakeOllama


STOP_PATIENCE_S = 10.0
"""How long a stop over the real core waits for its model to leave."""

USUAL_KEYS = {each.id: each.key.partition(",")[0] for each in BINDINGS if each.id}
"""The first key of each binding by its id, as long as the settings give it no other."""


def _named(key: str) -> str:
    """The name that Textual has for the key of a character."""
    if len(key) > 1 or key.isalnum():
        return key
    name = unicodedata.name(key).lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name)


@dataclass(frozen=True, slots=True)
class Desk:
    """One dashboard: its keys, and what it says."""

    app: Dashboard
    pilot: Pilot[None]

    @property
    def text(self) -> str:
        """What the whole screen shows, a line for a row."""
        return "\n".join(line.text.rstrip() for line in self.lines)

    @property
    def lines(self) -> list[Strip]:
        """The whole screen as it is drawn, row by row. Textual has no public way to ask."""
        app = self.app
        stack = app._background_screens  # noqa: SLF001
        update = app.screen._compositor.render_update(full=True, screen_stack=stack)  # noqa: SLF001
        return [Strip.join(line) for line in update.strips]  # type: ignore[union-attr]

    @property
    def toasts(self) -> list[Notification]:
        return [*self.app._notifications]  # noqa: SLF001 - Textual has no public way to ask

    @property
    def told(self) -> str:
        """The toasts with their titles, a line each."""
        return "\n".join(f"{each.title}: {each.message}" for each in self.toasts)

    @property
    def events(self) -> list[str]:
        """The activity, newest first."""
        return [text(event.sentence) for event in self._events]

    @property
    def kinds(self) -> list[tuple[str, str | None]]:
        """The activity, newest first: the kind of each sentence, and the model that it is about."""
        return [(event.sentence.kind, event.model) for event in self._events]

    @property
    def _events(self) -> Sequence[Event]:
        return self.app.controller(ActivityFeed).activity.lines.events

    def word(self, name: str) -> str:
        """The state of a model, as its row says it."""
        return next(row.word for row in self.app.models.list.models if row.name == name)

    def state(self, name: str) -> ModelState:
        return next(row.state for row in self.app.models.list.models if row.name == name)

    def field(self, name: str) -> Input:
        """The field of this id in the dialog that is open."""
        return self.app.screen.query_one(f"#{name}", Input)

    async def press(self, *keys: str) -> None:
        """Each when the one before it has been handled. The pilot's own way waits three times as long."""
        for key in keys:
            self.app.post_message(Key(_named(key), " " if key == "space" else None))
            # First by the application, then by what has the focus.
            await self.pilot.pause(0)
            await self.pilot.wait_for_animation()
            await self.pilot.pause()

    async def type(self, text: str) -> None:
        """As quickly as it comes from the clipboard of a terminal."""
        for character in text:
            self.app.post_message(Key(_named(character), character))
        await self.pilot.pause(0)
        await self.pilot.pause()

    async def search(self, text: str, *then: str) -> None:
        """In the list that has the focus; then, more keys."""
        await self.press("slash")
        await self.type(text)
        await self.press("enter", *then)

    async def until_shown(self, *texts: str) -> None:
        def are_shown() -> bool:
            shown = self.text
            return all(text in shown for text in texts)

        await wait_until(are_shown, what=f"{texts} on the screen")

    async def until_happened(self, kind: str, model: str) -> None:
        """A sentence of this kind about the model, in the activity."""
        await wait_until(lambda: (kind, model) in self.kinds, what=f"{kind} of {model} in the activity")

    async def until_said(self, text: str) -> None:
        """In the activity."""
        await wait_until(lambda: any(text in event for event in self.events), what=f"{text} in the activity")


@dataclass(frozen=True, slots=True)
class RealDesk(Desk):
    """One over the real core, and the server that it talks to."""

    ollama: FakeOllama
    url: str

    @property
    def stack(self) -> Stack:
        """For what other programs and the time would do; what a person does is a key."""
        return cast("Stack", self.app.connection.stack)

    async def put_cursor(self, name: str) -> None:
        """On the model of this name."""
        self.app.models.pane.move_to((self.url, name))
        await self.pilot.pause()


class QuickCore(Core):
    """The real core, which looks often and begins at once."""

    def __init__(self, settings: Settings, environ: Mapping[str, str], machine: FakeMachine) -> None:
        super().__init__(settings, environ, check_keys=key_faults)
        self._machine = machine

    async def options(self, hosts: Sequence[str], actor: Actor = Actor.USER) -> StackOptions:
        return replace(
            await super().options(hosts, actor),
            running_every_s=0.1,
            installed_every_s=0.2,
            machine=self._machine,
            services_after_s=0.0,
            stop_patience_s=STOP_PATIENCE_S,
        )


@dataclass(frozen=True, slots=True)
class FakeDesk(Desk):
    """One over fakes."""

    stack: FakeStack
    services: FakeServices


@asynccontextmanager
async def dashboard(
    state: StackState | None = None,
    *,
    size: tuple[int, int] = (120, 40),
    settings: Settings | None = None,
    problems: Sentences = (),
    unicode: bool = True,
    services: FakeServices | None = None,
    connected: bool = True,
    clock: Callable[[], datetime] | None = None,
) -> AsyncIterator[FakeDesk]:
    """With ``connected`` it begins when the first state is on the screen."""
    settings = settings or Settings()
    if services is None:
        services = FakeServices(FakeStack(state or seeded.typical(), read_only=settings.read_only))
    loaded = LoadedSettings(settings=settings, problems=problems)
    if services.settings.empty():
        services.settings.put_nowait(loaded)
    clock = clock or (lambda: datetime.now(UTC))
    app = Dashboard(settings, services, unicode=unicode, clock=clock, loaded=loaded)
    async with app.run_test(size=size, notifications=True) as pilot:
        desk = FakeDesk(app, pilot, services.stack, services)
        if connected:
            await wait_until(lambda: app.view.state is not None, what="a first state")
            await pilot.pause()
        yield desk


@asynccontextmanager
async def real_dashboard(
    ollama: FakeOllama | None = None,
    *,
    size: tuple[int, int] = (120, 40),
    settings: Settings | None = None,
    environ: Mapping[str, str] | None = None,
    machine: FakeMachine | None = None,
    unicode: bool = True,
    clock: Callable[[], datetime] | None = None,
    others: Sequence[HostSettings] = (),
) -> AsyncIterator[RealDesk]:
    """Over the real core on one server that behaves as Ollama, and ``others``. Registries are asked only
    by a key.

    It begins when the list is on the screen. What is remembered is in the home of the test.
    """
    ollama = ollama or usual_ollama("mistral:7b", "phi4:14b", "qwen2.5-coder:7b")
    async with serving(ollama) as server:
        hosts = (HostSettings(url=server.url), *others)
        settings = replace(settings or Settings(), hosts=hosts, updates=UpdatesSettings(check_every=None))
        core = QuickCore(settings, environ or {}, machine or FakeMachine(has_card=False))
        app = Dashboard(settings, core, unicode=unicode, clock=clock or (lambda: datetime.now(UTC)))
        async with app.run_test(size=size, notifications=True) as pilot:
            await wait_until(lambda: app.view.state is not None and app.view.state.is_known, what="a list")
            await pilot.pause()
            yield RealDesk(app, pilot, ollama, server.url)
