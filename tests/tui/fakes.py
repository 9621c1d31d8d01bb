"""A stack and services that do what a test tells them: the methods of the real ones, and no server."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Self, TypeVar, cast
from unittest.mock import Mock

import msgspec

from llmstack_tui.base.kinds import EventKind
from llmstack_tui.base.languages import chosen
from llmstack_tui.base.names import model_key
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.structs import replace
from llmstack_tui.catalog.service import load_catalog
from llmstack_tui.catalog.types import Offer
from llmstack_tui.chat.service import ChatService
from llmstack_tui.config.loading import load_settings, load_theme, load_themes
from llmstack_tui.config.settings import GuardSettings, Settings
from llmstack_tui.core.discovery import Discovery
from llmstack_tui.core.key_ring import key_ring
from llmstack_tui.core.removal import plan_removal
from llmstack_tui.core.servers import Found
from llmstack_tui.core.settings_file import SettingsFile
from llmstack_tui.doctor.types import FixKind, Report, Undo
from llmstack_tui.editors.service import EditorService
from llmstack_tui.fit.verdict import Room
from llmstack_tui.guard.types import Consent, GuardState, PinEffect
from llmstack_tui.hosts.errors import HostError
from llmstack_tui.hosts.types import ModelDetails, Progress
from llmstack_tui.install.types import InstallOffer, InstallPlan, InstallWay, Told
from llmstack_tui.library.disk import DiskService
from llmstack_tui.lifecycle.actions import Act, ActEnd, ActKind, Departure
from llmstack_tui.lifecycle.journal import Journal
from llmstack_tui.variables.types import Changed
from tests.support import seeded
from tests.support.server_variables import overview
from tests.tui import managed
from tests.tui.pulls import FakeDownloads

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Awaitable,
        Callable,
        Collection,
        Iterable,
        Mapping,
        Sequence,
    )

    from llmstack_tui.base.commands import RootCommand
    from llmstack_tui.base.paths import Look
    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.catalog.types import Catalog, Entry, Repositories
    from llmstack_tui.config.settings import LoadedSettings
    from llmstack_tui.config.themes import ThemeFile
    from llmstack_tui.core.removal import Removal
    from llmstack_tui.core.servers import OllamaStopped, Startup
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.core.state import StackState
    from llmstack_tui.doctor.types import Finding
    from llmstack_tui.engine.process.control import EngineHandle
    from llmstack_tui.fit.memory import Subject
    from llmstack_tui.guard.types import Confirm
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import Model, Snapshot
    from llmstack_tui.keys.service import KeyRing
    from llmstack_tui.registry.errors import RegistryError
    from llmstack_tui.service.types import Server
    from llmstack_tui.store.store import Store
    from llmstack_tui.store.tables.activations import Activation, Uses
    from llmstack_tui.store.tables.events import Event
    from llmstack_tui.store.tables.figures import Measured
    from llmstack_tui.store.tables.models import SeenModel
    from llmstack_tui.tui.stack import DashboardStack
    from llmstack_tui.updates.rules import Update
    from llmstack_tui.variables.types import Overview, VariableChange

T = TypeVar("T")


ON_THE_REAL_CORE = Mock(side_effect=NotImplementedError)
"""What tests do over the real core alone."""

_LOOKS = frozenset({"details", "events", "activations", "uses", "measured", "versions", "tags", "offer"})


class FakeFit:
    """Knows of models, by their names, what a test says."""

    def __init__(self) -> None:
        self.subjects: dict[str, Subject] = {}
        self.budget = 8_000_000_000

    def subject(self, _url: str, model: Model) -> Subject | None:
        return self.subjects.get(model.name)

    def room(self) -> Room:
        return Room(budget=self.budget)


class FakeStack:
    """Acts wait until the test lets them end; ``calls`` says what was asked."""

    def __init__(self, state: StackState, *, read_only: bool = False) -> None:
        self._state = state
        self._changed = asyncio.Event()
        self.read_only = read_only
        self.calls: list[tuple[str, ...]] = []
        self.visible: list[bool] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: HostError | None = None
        self.open = False
        self.past: list[Event] = []
        self.loads: list[Activation] = []
        self.used: dict[str, Uses] = {}
        self.weighed: list[Measured] = []
        self.seen: list[SeenModel] = []
        self.told: dict[str, ModelDetails] = {}
        self.store_failure: Exception | None = None
        self.remembered: dict[str, object] = {}
        self.look_only: frozenset[str] = frozenset()
        self.journal = Journal(self._write)
        self.updates = FakeUpdates(self)
        self.releases = FakeReleases()
        self.downloads = FakeDownloads(self)
        self.catalog = FakeCatalog(self)
        self.disk = DiskService(None)
        self.editors = EditorService({})
        self.guard = FakeGuard(self)
        self.fit = FakeFit()
        self.chats, self.providers = ChatService(None), ON_THE_REAL_CORE
        self.actions = self.records = self
        self.copy = self.rename = self.create = self.stop_all = ON_THE_REAL_CORE
        self.copy_to = self.restart = self.delete = ON_THE_REAL_CORE

    def happened(self, event: Event) -> None:
        """Put it on record, and give word of it."""
        self.past.append(replace(event, id=len(self.past) + 1))
        self.put(replace(self._state, last_event_id=len(self.past)))

    def _write(self, write: Callable[[Store], None]) -> None:
        store = Mock()
        store.events.add = self.happened
        store.events.record_observed = lambda event, **_: self.happened(event)
        write(store)

    async def __aenter__(self) -> Self:
        self.open = True
        for host in self._state.hosts:
            self.journal.look(host.snapshot, frozenset())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.open = False
        await self.chats.aclose()

    def follow(self) -> None:
        """Its state changes when the test says so."""

    @property
    def state(self) -> StackState:
        return self._state

    @property
    def acts(self) -> list[tuple[str, ...]]:
        """Those of the calls that do more than look something up."""
        return [call for call in self.calls if call[0] not in _LOOKS]

    def put(self, state: StackState) -> None:
        self._state = state
        self._changed.set()

    def put_snapshot(self, snapshot: Snapshot, acts: tuple[Act, ...] | None = None) -> None:
        acts = self._state.acts if acts is None else acts
        before = (*acts, *self._state.acts)
        self.journal.look(snapshot, {act.model for act in before})
        host = replace(self._state.hosts[0], snapshot=snapshot, models=seeded.models_of(snapshot, acts))
        self.put(replace(self._state, hosts=(host,), acts=acts))

    @property
    def snapshot(self) -> Snapshot:
        return self._state.hosts[0].snapshot

    async def watch(self) -> AsyncGenerator[StackState, None]:
        while True:
            self._changed.clear()
            yield self._state
            await self._changed.wait()

    def remember(self, key: str, value: object) -> None:
        self.remembered[key] = value

    async def recall(self, key: str, default: T, kind: type[T]) -> T:
        try:
            return msgspec.convert(self.remembered.get(key), kind)
        except msgspec.ValidationError:
            return default

    def refresh(self) -> None:
        self.calls.append(("refresh",))

    def set_visible(self, visible: bool) -> None:
        self.visible.append(visible)

    @asynccontextmanager
    async def _act(self, kind: ActKind, host: str, name: str) -> AsyncIterator[None]:
        self.calls.append((kind.value, host, name))
        act = Act(kind, host, name, time.monotonic())
        self.put_snapshot(self.snapshot, (*self._state.acts, act))
        try:
            await self.gate.wait()
            if self.failure is not None:
                raise self.failure
            yield
            self.journal.ended(act, ActEnd.LOADED if kind is ActKind.ACTIVATE else ActEnd.GONE)
        except HostError as error:
            self.journal.ended(act, ActEnd.FAILED, error)
            raise
        except asyncio.CancelledError:
            self.journal.ended(act, ActEnd.CANCELLED)
            raise
        finally:
            self.put_snapshot(self.snapshot, tuple(each for each in self._state.acts if each != act))

    async def pin(self, host_url: str, model: str, *, confirm: Confirm | None = None) -> PinEffect:
        await self.activate(host_url, model, confirm=confirm)
        return await self.guard.pin(host_url, model)

    async def keep(self, host_url: str, model: str, *, confirm: Confirm | None = None) -> bool:
        return await self.activate(host_url, model, confirm=confirm)

    async def activate(self, host_url: str, model: str, *, confirm: Confirm | None = None) -> bool:
        async with self._act(ActKind.ACTIVATE, host_url, model):
            installed = next(each for each in self.snapshot.installed if each.name == model)
            loaded = seeded.running(installed, seconds=300)
            self.put_snapshot(replace(self.snapshot, running=(*self.snapshot.running, loaded)))
        return True

    async def activate_again(self, host_url: str, model: str, *, confirm: Confirm | None = None) -> bool:
        self.calls.append(("again", host_url, model))
        return await self.activate(host_url, model, confirm=confirm)

    async def deactivate(self, host_url: str, model: str) -> Departure:
        async with self._act(ActKind.DEACTIVATE, host_url, model):
            left = tuple(each for each in self.snapshot.running if each.name != model)
            self.put_snapshot(replace(self.snapshot, running=left))
        return Departure.GONE

    async def details(self, host_url: str, model: str) -> ModelDetails:
        self.calls.append(("details", host_url, model))
        if self.failure is not None:
            raise self.failure
        return self.told.get(model) or ModelDetails(
            name=model, context_length=32_768, capabilities=frozenset({"completion", "tools", "insert"})
        )

    async def capabilities(self, host_url: str, model: str) -> frozenset[str] | None:
        installed = next(each for each in self.snapshot.installed if each.name == model)
        return installed.capabilities

    def _look_up(self, what: str) -> None:
        self.calls.append((what,))
        if self.store_failure is not None:
            raise self.store_failure

    async def events(
        self,
        limit: int = 100,
        *,
        before: int | None = None,
        after: int = 0,
        kinds: Collection[str] | None = None,
        host: str | None = None,
        model: str | None = None,
    ) -> tuple[Event, ...]:
        self._look_up("events")
        return tuple(
            event
            for event in sorted(self.past, key=lambda event: -event.id)
            if after < event.id < (before or sys.maxsize)
            and (kinds is None or event.kind in kinds)
            and host in {None, event.host}
            and model in {None, event.model}
        )[:limit]

    async def activations(
        self, host_url: str, model: str, limit: int = 100, *, before: int | None = None
    ) -> tuple[Activation, ...]:
        self._look_up("activations")
        return tuple(
            each
            for each in sorted(self.loads, key=lambda each: -each.id)
            if (each.host, each.model) == (host_url, model) and (before is None or each.id < before)
        )[:limit]

    async def last_used(self) -> Mapping[str, datetime]:
        return {model_key(name): uses.last_at for name, uses in self.used.items()}

    async def uses(self, host_url: str) -> Mapping[str, Uses]:
        self._look_up("uses")
        return self.used if host_url == self.snapshot.url else {}

    async def measured(self, host_url: str, digest: str, limit: int = 100) -> tuple[Measured, ...]:
        self._look_up("measured")
        return tuple(each for each in self.weighed if (each.host, each.digest) == (host_url, digest))[:limit]

    async def versions(self, host_url: str, model: str) -> tuple[SeenModel, ...]:
        self._look_up("versions")
        return tuple(each for each in self.seen if (each.host, each.name) == (host_url, model))

    async def plan_removal(self, keys: Iterable[tuple[str, str]]) -> tuple[Removal, ...]:
        host = cast("Host", SimpleNamespace(url=seeded.URL, show=lambda name: self.details(seeded.URL, name)))
        models = {(each.host, each.name): each for each in self._state.hosts[0].models}
        return await plan_removal(
            [(host, models[key]) for key in keys], {seeded.URL: self.snapshot.installed}
        )

    def _install(self, name: str) -> None:
        added = seeded.model(name if ":" in name else f"{name}:latest", size=542_000)
        self.put_snapshot(replace(self.snapshot, installed=(*self.snapshot.installed, added)))

    async def import_gguf(self, host_url: str, path: Path, name: str) -> AsyncIterator[Progress]:
        self.calls.append(("import", host_url, str(path), name))
        with self.journal.act(EventKind.IMPORT, host_url, name):
            yield Progress(status="hashing", total=100, completed=40)
            await self.gate.wait()
            if self.failure is not None:
                raise self.failure
            yield Progress(status="success")
            self._install(name)


class FakeUpdates:
    """Has the verdicts that the test puts there."""

    def __init__(self, stack: FakeStack) -> None:
        self._stack = stack
        self.check = self.leave_alone = self.offer_again = ON_THE_REAL_CORE

    def put(self, updates: Mapping[str, Update]) -> None:
        state = self._stack.state
        first, *others = state.hosts
        self._stack.put(replace(state, hosts=(replace(first, updates=updates), *others)))


class FakeReleases:
    """Holds nothing."""

    def __init__(self) -> None:
        self.looks = 0

    async def look_at_hold(self) -> None:
        self.looks += 1


class FakeGuard:
    """Pins and holds as the state has it."""

    def __init__(self, stack: FakeStack) -> None:
        self._stack = stack
        self.settings = GuardSettings()

    @property
    def _state(self) -> GuardState:
        return self._stack.state.guards.get(seeded.URL, GuardState(leads=True))

    def _put(self, state: GuardState) -> None:
        self._stack.put(replace(self._stack.state, guards={seeded.URL: state}))

    def use(self, settings: GuardSettings) -> None:
        self.settings = settings

    @property
    def is_held(self) -> bool:
        return self._state.held

    def hold(self, held: bool) -> None:
        self._put(replace(self._state, held=held))

    def is_pinned(self, host_url: str, model: str) -> bool:
        return model in self._state.pinned

    async def answer(self, host_url: str, others: Consent) -> None:
        self._put(replace(self._state, others=others))

    async def pin(self, host_url: str, model: str, *, pinned: bool = True) -> PinEffect:
        names = self._state.pinned | {model} if pinned else self._state.pinned - {model}
        self._put(replace(self._state, pinned=names))
        return PinEffect.KEPT


class FakeCatalog:
    """The real catalog; registries list no tags, and have the same of each model."""

    def __init__(self, stack: FakeStack) -> None:
        self._stack = stack
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: RegistryError | None = None

    async def catalog(self) -> Catalog:
        return load_catalog()

    async def tags(self, name: str) -> tuple[str, ...] | None:
        self._stack.calls.append(("tags", name))
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return None

    async def offer(self, name: str) -> Offer:
        self._stack.calls.append(("offer", name))
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        pushed_at = datetime(2025, 10, 3, 12, tzinfo=UTC)
        return Offer(name=name, digest="5a", download=4_690_000_000, pushed_at=pushed_at)

    async def search(self, words: str) -> Repositories:
        raise self.failure or NotImplementedError

    async def repository(self, id_: str) -> Entry:
        raise self.failure or NotImplementedError


def checked(real: Stack, fake: FakeStack) -> tuple[DashboardStack, DashboardStack]:
    """For mypy: both have all that the dashboard calls."""
    return real, fake


class FakeDoctor:
    """Finds what a test says."""

    def __init__(self, *findings: Finding) -> None:
        self.findings = self.before = findings
        self.mended: list[str] = []

    async def examine(self) -> Report:
        return Report(self.findings)

    async def mend(self, finding: Finding) -> Undo | None:
        self.mended.append(finding.id)
        self.findings, self.before = tuple(x for x in self.findings if x.id != finding.id), self.findings
        return Undo(FixKind.SET, Sentence("doctor.unset", {"names": ("ui.ascii",)}))

    async def take_back(self, undo: Undo) -> None:
        self.findings = self.before


class FakeVariables:
    """Has what a test says; a change is kept, and ends as the test says."""

    def __init__(self) -> None:
        self.found = overview()
        self.changes: list[tuple[VariableChange, bool]] = []
        self.rolled_back: Sentences = ()

    async def overview(self) -> Overview:
        return self.found

    async def change(
        self,
        change: VariableChange,
        *,
        restart: bool,
        as_root: Callable[[RootCommand], Awaitable[None]],
        until_free: Callable[[], Awaitable[None]],
    ) -> Changed:
        self.changes.append((change, restart))
        return Changed(
            file=change.target.file, backup=None, was_restarted=restart, rolled_back=self.rolled_back
        )


class FakeInstallation:
    """Offers what a test says; an installation waits for its ``gate``."""

    def __init__(self) -> None:
        self.offered = InstallOffer(plans=())
        self.calls: list[tuple[str, ...]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | None = None

    async def offer(self, version: str = "") -> InstallOffer:
        self.calls.append(("offer", version))
        return self.offered

    async def change(self, version: str) -> InstallPlan:
        return InstallPlan(way=InstallWay.ARCHIVE, version=version)

    async def roll_back(self) -> InstallPlan:
        return await self.change(self.offered.versions.record.previous)

    async def removal(self, version: str) -> InstallPlan:
        return InstallPlan(way=InstallWay.ARCHIVE, version=version)

    async def hold(self, version: str) -> None:
        self.calls.append(("hold", version))

    async def carry_out(
        self,
        plan: InstallPlan,
        tell: Callable[[Told], None],
        as_root: Callable[[RootCommand], Awaitable[None]] | None = None,
    ) -> None:
        self.calls.append(("carry out", plan.way, plan.version))
        for number in range(len(plan.steps)):
            tell(Told(number, f"Output of step {number + 1}"))
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure


class FakeServices:
    """Finds what it is told to find: ``found`` from the left, its last one again and again, or ``never``."""

    def __init__(self, stack: FakeStack, *found: Startup | ValueError, never: bool = False) -> None:
        self.stack = stack
        self._found = list(found) or [Found((seeded.URL,))]
        self._never = never
        self.opened: list[tuple[str, ...]] = []
        self.ollama: asyncio.Future[None] | None = None
        self.engine: asyncio.Future[EngineHandle] | None = None
        self.settings: asyncio.Queue[LoadedSettings] = asyncio.Queue()
        self.kept: dict[str, str] = {}
        self.themes_folder: Path | None = None
        self.last_session: StackState | None = None
        self.doctor = FakeDoctor()
        self.variables = FakeVariables()
        self.installing = FakeInstallation()
        self.managed = managed.usual()

    async def watch_settings(self) -> AsyncGenerator[LoadedSettings, None]:
        while True:
            yield await self.settings.get()

    def places(self) -> tuple[tuple[str, str], ...]:
        return (("Settings", "/home/somebody/.config/llmstack/config.toml"),)

    def language(self, settings: Settings) -> str:
        return chosen(settings.ui.language, {})

    def themes(self) -> tuple[ThemeFile, ...]:
        return load_themes(self.themes_folder) if self.themes_folder else ()

    def theme(self, name: str) -> ThemeFile | None:
        return load_theme(self.themes_folder, name) if self.themes_folder else None

    def last_look(self, look: Look) -> str:
        return self.kept.get(look, "")

    async def keep_look(self, look: Look, name: str) -> None:
        self.kept[look] = name

    async def remembered(self) -> StackState | None:
        return self.last_session

    async def discover(self, used: Sequence[str]) -> Discovery:
        return Discovery((), "")

    async def find(self) -> Startup:
        if self._never:
            await asyncio.Event().wait()
        found = self._found.pop(0) if len(self._found) > 1 else self._found[0]
        if isinstance(found, ValueError):
            raise found
        return found

    async def start_ollama(self, stopped: OllamaStopped) -> None:
        if self.ollama is not None:
            await self.ollama

    async def start_engine(self) -> EngineHandle:
        assert self.engine is not None
        return await self.engine

    async def installation(self) -> FakeInstallation:
        return self.installing

    async def check_up(self) -> FakeDoctor:
        return self.doctor

    async def service(self, server: Server) -> managed.FakeManaged:
        return self.managed[server]

    async def open_settings(self) -> SettingsFile:
        file = Path("/home/somebody/.config/llmstack/config.toml")
        return SettingsFile(file, partial(load_settings, None, {}))

    async def keys(self) -> KeyRing:
        return key_ring(Settings(), {})

    async def server_variables(self) -> FakeVariables:
        return self.variables

    async def open(self, hosts: Sequence[str]) -> Stack:
        self.opened.append(tuple(hosts))
        return cast("Stack", self.stack)
