"""What the dashboard is drawn in: states that do not move, for the pictures and for the snapshot tests.

``python -m tests.tui.scenes`` writes the snapshots anew, and names those that are other than before.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from unittest.mock import patch

from llmstack_tui.base import languages
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.structs import replace
from llmstack_tui.config.settings import Settings, UiSettings
from llmstack_tui.doctor.types import Finding, FindingState, Fix, FixKind
from llmstack_tui.downloads.types import DownloadState
from llmstack_tui.guard.types import GuardState, Limits
from llmstack_tui.hosts.errors import Unreachable
from llmstack_tui.install.rules.ways import plans
from llmstack_tui.install.types import InstallOffer, Record, Versions
from llmstack_tui.lifecycle.actions import Act, ActKind
from llmstack_tui.tui.app import Dashboard
from llmstack_tui.tui.details.cache import DetailsCache
from llmstack_tui.tui.log.screen import LogScreen
from llmstack_tui.tui.system.actions import SystemController
from llmstack_tui.tui.view import Moment, View
from tests.install.machines import machine, release
from tests.support import outdated, seeded
from tests.support.waiting import wait_until
from tests.tui import pulls, regions
from tests.tui.driving import dashboard
from tests.tui.folder_use import SeededDisk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from llmstack_tui.core.state import StackState
    from llmstack_tui.library.disk import DiskService
    from tests.tui.driving import Desk, FakeDesk

NOW = datetime(2026, 11, 21, 12, 1, tzinfo=UTC)
NOW_S = 1012.0
"""Monotonic seconds at `NOW`; what is seeded was read twelve seconds before."""
SIZES = ((80, 24), (120, 40), (200, 60))


@dataclass(frozen=True, slots=True)
class Scene:
    """A state, and the keys that lead to what is looked at.

    Attributes:
        then: the state that follows the keys.
        disk: what the folders of models hold.
        findings: what the doctor finds.
        offer: what can be installed.
    """

    state: Callable[[], StackState]
    keys: tuple[str, ...] = ()
    then: Callable[[], StackState] | None = None
    unicode: bool = True
    disk: DiskService | None = None
    findings: tuple[Finding, ...] = ()
    offer: InstallOffer = field(default_factory=lambda: InstallOffer(plans=()))
    language: str = languages.ENGLISH.code
    read_only: bool = False
    sizes: tuple[tuple[int, int], ...] = SIZES


def typical() -> StackState:
    """The seeded one at `NOW`."""
    found = seeded.typical()
    host = found.hosts[0]
    leaves = [timedelta(minutes=4, seconds=12), timedelta(seconds=3)]
    loaded = tuple(
        replace(model, expires_at=NOW + left)
        for model, left in zip(host.snapshot.running, leaves, strict=True)
    )
    return seeded.state(replace(host.snapshot, running=loaded))


def with_card() -> StackState:
    """On a machine with a card of 8 GB."""
    return seeded.on_card(typical())


def empty() -> StackState:
    """No model, on a machine with a card of 8 GB."""
    return seeded.on_card(seeded.state(seeded.snapshot()))


def pulling() -> StackState:
    """The first model comes."""
    coming = pulls.pull(
        1,
        "llama3.2:3b",
        DownloadState.RUNNING,
        now=NOW,
        done=(600_000_000,),
        sizes=(2_019_377_376,),
        speed=21e6,
    )
    return replace(empty(), downloads=(coming,))


def first(*, is_loaded: bool = False) -> StackState:
    """It is here."""
    model = seeded.model("llama3.2:3b", size=2_000_000_000)
    loaded = replace(seeded.running(model), expires_at=NOW + timedelta(minutes=5))
    return seeded.on_card(seeded.state(seeded.snapshot((model,), (loaded,) * is_loaded)))


def acting() -> StackState:
    """One model comes, another goes."""
    snapshot = typical().hosts[0].snapshot
    return seeded.state(
        snapshot,
        (
            Act(ActKind.ACTIVATE, snapshot.url, "mistral:7b", NOW_S - 3),
            Act(ActKind.DEACTIVATE, snapshot.url, "smollm2:135m", NOW_S - 8),
        ),
    )


def away() -> StackState:
    """A server that answered before, and does no more."""
    error = Unreachable(
        "quoted", text="Ollama does not answer.", host=seeded.URL, detail="connection refused"
    )
    return seeded.state(replace(typical().hosts[0].snapshot, error=error))


def gone() -> StackState:
    """A server that had no model, and does not answer any more."""
    return seeded.state(replace(seeded.snapshot(), error=away().hosts[0].snapshot.error))


def cards() -> StackState:
    """Two graphics cards, one of them hot."""
    found = seeded.two_cards()
    host = found.hosts[0]
    loaded = tuple(replace(model, expires_at=NOW + timedelta(minutes=2)) for model in host.snapshot.running)
    return replace(seeded.state(replace(host.snapshot, running=loaded)), machine=found.machine)


def pinned() -> StackState:
    """A card, a pin that another client overrode, one in force, one not loaded, and everything held."""
    found = with_card()
    host = found.hosts[0]
    coder, tiny = host.snapshot.running
    loaded = (coder, replace(tiny, expires_at=NOW + timedelta(days=100_000)))
    names = frozenset({coder.name, tiny.name, "mistral:7b"})
    guard = GuardState(
        limits=Limits(max_loaded=2, memory_budget=6_800_000_000, memory_word="VRAM"),
        leads=True,
        held=True,
        pinned=names,
        overridden=frozenset({coder.name}),
        renewed=frozenset({coder.name}),
    )
    state = seeded.state(replace(host.snapshot, running=loaded))
    return replace(state, machine=found.machine, profile=found.profile, guards={seeded.URL: guard})


def updating() -> StackState:
    """Every verdict, one update on its way, and a check."""
    found = outdated.judged(typical())
    return replace(found, downloads=(outdated.coming("phi4:14b"),), checking=True)


def hostile() -> StackState:
    return seeded.state(seeded.snapshot(tuple(seeded.model(name) for name in seeded.HOSTILE_NAMES)))


def examined() -> tuple[Finding, ...]:
    """One finding of each state."""
    about = {"url": "http://127.0.0.1:11434"}
    return (
        Finding(
            id="server.port",
            state=FindingState.BROKEN,
            says=Sentence("doctor.port_taken", about),
            evidence=(Sentence("doctor.listens", {"program": "python3 (4711)"}),),
            advice=(Sentence("doctor.other_port"),),
        ),
        Finding(
            id="disk.leftovers",
            state=FindingState.WARNING,
            says=Sentence("doctor.leftovers", {"size": 4_000_000_000}),
            fix=Fix(FixKind.CLEAN_DISK, Sentence("doctor.clean", {"count": 2, "size": 4_000_000_000})),
        ),
        Finding(
            id="server.context",
            state=FindingState.ADVICE,
            says=Sentence("doctor.context", {**about, "tokens": 4096}),
        ),
        Finding(id="net.clock", state=FindingState.FINE, says=Sentence("doctor.clock")),
        Finding(id="mac.system", state=FindingState.DOES_NOT_APPLY, says=Sentence("doctor.no_mac")),
    )


def installable() -> InstallOffer:
    """A Linux box without root, where one version is in use and another is held."""
    record = Record(previous="0.31.0", held="0.31.0")
    versions = Versions(kept=("0.32.1", "0.31.0"), current="0.32.1", record=record)
    found = plans(machine(has_user_services=True), release(), versions)
    return InstallOffer(plans=found, versions=versions, known=("0.33.0", "0.32.1", "0.31.0"))


SCENES = {
    "typical": Scene(typical),
    "none": Scene(lambda: seeded.state(seeded.snapshot())),
    # The first minute.
    "empty": Scene(empty, ("j", "j")),
    "empty read-only": Scene(empty, read_only=True),
    "offered": Scene(empty, ("j", "j", "enter")),
    "pulling": Scene(pulling),
    "first": Scene(first),
    "first active": Scene(first, then=lambda: first(is_loaded=True)),
    "gone": Scene(gone),
    "one": Scene(lambda: seeded.many(1)),
    "300": Scene(lambda: seeded.many(300), ("end",)),
    "acting": Scene(acting),
    "away": Scene(away),
    "hostile": Scene(hostile),
    "ascii": Scene(acting, unicode=False),
    "cards": Scene(cards),
    "pinned": Scene(pinned),
    "filtered": Scene(typical, ("slash", "q", "w", "enter")),
    "marked": Scene(typical, ("space", "down", "space")),
    "outdated": Scene(updating),
    "updates": Scene(updating, ("V", "space")),
    "help": Scene(typical, ("question_mark",)),
    "guide": Scene(typical, ("ctrl+g", "end", "up")),
    "page": Scene(typical, ("question_mark", "enter", "end", "up", "enter")),
    "remove": Scene(typical, ("x",)),
    "new": Scene(typical, ("n",)),
    "details": Scene(lambda: seeded.many(1), ("enter",)),
    "downloads": Scene(lambda: replace(typical(), downloads=pulls.morning(NOW)), ("2",)),
    "download": Scene(lambda: replace(typical(), downloads=pulls.morning(NOW)), ("2", "enter")),
    "catalog": Scene(with_card, ("3",)),
    "entry": Scene(with_card, ("3", "enter")),
    "disk": Scene(typical, ("D",), disk=SeededDisk()),
    "editors": Scene(typical, ("e",)),
    "variables": Scene(typical, ("0", "o")),
    "install": Scene(typical, ("0", "i"), offer=installable()),
    "system": Scene(typical, ("0", "enter"), findings=examined()),
    "service": Scene(typical, ("0", "s")),
    "log": Scene(typical, ("0", "l")),
    "chat": Scene(typical, ("t",)),
    "settings": Scene(typical, ("comma", "slash", "e", "enter", "end")),
}
_MAIN = (
    "typical", "empty", "offered", "pulling", "first", "first active", "gone", "outdated", "updates",
    "help", "remove", "details", "downloads", "catalog", "entry", "disk",
)  # fmt: skip
SCENES |= {f"{name} in Spanish": replace(SCENES[name], language="es", sizes=SIZES[:2]) for name in _MAIN}


@asynccontextmanager
async def on_stage(scene: Scene, size: tuple[int, int]) -> AsyncIterator[FakeDesk]:
    """The dashboard in this scene, at rest."""
    with _clocks_stopped(), _in(scene.language):
        settings = Settings(read_only=scene.read_only, ui=UiSettings(language=scene.language))
        async with dashboard(
            _read_now(scene.state()), size=size, settings=settings, unicode=scene.unicode, clock=lambda: NOW
        ) as desk:
            desk.stack.disk = scene.disk or desk.stack.disk
            await wait_until(lambda: not _is_switching(desk), what="the first screen")
            desk.services.doctor.findings = scene.findings
            desk.services.installing.offered = scene.offer
            for key in scene.keys:
                await desk.press(key)
                await wait_until(lambda: not _is_switching(desk), what="the screen of a digit")
            if scene.then is not None:
                desk.stack.put(then := _read_now(scene.then()))
                await wait_until(lambda: desk.app.state is then, what="the state that follows")
            await wait_until(lambda: _is_looked_at(desk), what="the details of the model under the cursor")
            await desk.pilot.pause()
            yield desk


def _read_now(state: StackState) -> StackState:
    """With the machine as it is read at `NOW_S`."""
    return replace(state, machine=replace(state.machine, taken_at=NOW_S) if state.machine else None)


def _is_switching(desk: FakeDesk) -> bool:
    """Whether a screen is being made, asks for what it shows, or recalls how it was."""
    groups = {"settings.file", "services", "catalog", "ask", "disk", "models.arrangement"}
    is_asking = any(worker.group in groups and not worker.is_finished for worker in desk.app.workers)
    return is_asking or desk.app.controller(SystemController).is_examining


def _is_looked_at(desk: FakeDesk) -> bool:
    if isinstance(desk.app.screen, LogScreen) and desk.app.screen.lines.line is None:
        return False
    about = desk.app.controller(DetailsCache).about(desk.app.view, desk.app.models.selected)
    return about is None or about.details is not None


@contextmanager
def _clocks_stopped() -> Iterator[None]:
    def view(app: Dashboard) -> View:
        return View(app.state, Moment(NOW, NOW_S), app.preferences.first_keys)

    zone = os.environ.get("TZ")
    _set_zone("UTC")
    try:
        with patch.object(Dashboard, "view", property(view)):
            yield
    finally:
        _set_zone(zone)


@contextmanager
def _in(language: str) -> Iterator[None]:
    languages.use(language)
    try:
        yield
    finally:
        languages.use(languages.ENGLISH.code)


def _set_zone(name: str | None) -> None:
    """The zone in which the header shows its clock."""
    if name is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = name
    time.tzset()


async def resize(desk: Desk, size: tuple[int, int]) -> None:
    """Where a scroll bar is needed may hang on the size before: all who draw go through the same sizes."""
    if desk.app.size != size:
        await desk.pilot.resize_terminal(*size)
    await desk.pilot.pause()


async def _write() -> None:
    drawn: regions.Drawn = {}
    for name, scene in SCENES.items():
        async with on_stage(scene, SIZES[0]) as desk:
            for size in scene.sizes:
                await resize(desk, size)
                found = regions.regions(desk.app.screen, desk.lines, name)
                drawn |= {(part, titled(name, size)): text for part, text in found.items()}
    print(*regions.write(drawn), sep="\n")


def titled(name: str, size: tuple[int, int]) -> str:
    return f"{name} {size[0]}x{size[1]}"


if __name__ == "__main__":
    asyncio.run(_write())
