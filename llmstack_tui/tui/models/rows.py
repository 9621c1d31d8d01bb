"""One row of the list for each model, as text."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from msgspec import Struct

from llmstack_tui.base.text import clean
from llmstack_tui.base.units import bytes_text
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.tui.draw import figures
from llmstack_tui.tui.draw.updates import newer_cell, progress_cell, under_way

if TYPE_CHECKING:
    from datetime import datetime

    from llmstack_tui.core.state import StackState
    from llmstack_tui.core.types import Speed
    from llmstack_tui.downloads.types import Download
    from llmstack_tui.fit.verdict import Fitted
    from llmstack_tui.hardware.readings import MachineReading
    from llmstack_tui.hosts.types import RunningModel, Snapshot
    from llmstack_tui.lifecycle.actions import Act
    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.tui.draw.marks import Marks
    from llmstack_tui.tui.shell import Key, Moment
    from llmstack_tui.updates.rules import Update

_TICKING = frozenset({ModelState.ACTIVE, ModelState.LOADING, ModelState.STOPPING})
_VERSION_DIGITS = 8
# What stands in the place of "inactive" where a model has no room at once, by `fit.verdict.Fit`.
_NO_ROOM = {"fits alone": "fits alone", "partly on the CPU": "partly CPU", "does not fit": "does not fit"}
# Go writes a time that is not known as one of the year 1.
_FIRST_YEAR = 1980


class Figures(NamedTuple):
    """What a line is sorted by; None is unknown or nothing.

    Attributes:
        busy: it answers a request.
        idle_since_s: as of `ModelStatus`.
        download: bytes that a wanted update costs.
    """

    size: int | None = None
    memory: int | None = None
    modified_at: datetime | None = None
    speed: float | None = None
    leaves_at: datetime | None = None
    busy: bool = False
    idle_since_s: float | None = None
    download: int | None = None


_NO_FIGURES = Figures()


class ModelRow(Struct, frozen=True, kw_only=True):
    """One line of the list, as text.

    Attributes:
        digest, modified: which version it is: the first digits of its digest, and its day.
        memory: the server's own figure; of a model that is not loaded, what it would take.
        speed: tokens per second of the last answer that was timed, of this version.
        update: that there is a newer version and what it costs, or how far its pull is.
        note: stands in the place of quantization and size, where there are none.
        pin: the mark of a model that the guard never stops, or "".
        slow: it fell back to the processor.
        old: the server is away or has not answered yet, and this is what it said last.
        searched: what a filter looks in, in lower case; it is not drawn.
        figures: what the list is sorted by; it is not drawn.
    """

    key: Key
    state: ModelState
    mark: str
    name: str
    digest: str
    modified: str
    quantization: str
    size: str
    memory: str
    word: str
    speed: str
    leaves: str
    update: str = ""
    note: str = ""
    pin: str = ""
    slow: bool = False
    old: bool = False
    searched: str = ""
    figures: Figures = _NO_FIGURES


class RowFacts(NamedTuple):
    """What a row is made of.

    Attributes:
        act: what is under way with it.
        speed: of its last answer that was timed, by this version or another.
        download: a pull of it that is not over.
        fitted: what it would take here.
        pinned, slow, old: as of `ModelRow`.
    """

    status: ModelStatus
    act: Act | None
    speed: Speed | None
    update: Update | None
    download: Download | None
    fitted: Fitted | None
    pinned: bool
    slow: bool
    old: bool


def model_row(facts: RowFacts, moment: Moment, marks: Marks) -> ModelRow:
    """The line of one model."""
    status, old = facts.status, facts.old
    model, running, state = status.model, status.running, status.state
    shown = state is ModelState.ACTIVE or state is ModelState.STOPPING
    # Without the server nobody knows: a request may have put it off.
    leaves = shown and running is not None and not old
    name = clean(status.name, limit=400)
    family = clean((model.family if model else None) or "", limit=40)
    quantization = clean((model.quantization if model else None) or "", limit=40)
    digest = model.digest if model else running.digest if running else ""
    word, note = _word(facts, moment), _note(status)
    size = model.size if model and state is not ModelState.CLOUD else None
    memory = running.size if running and shown else None
    modified_at = model.modified_at if model else None
    newer = facts.update if facts.update and facts.update.is_wanted else None
    speed = facts.speed
    rate = speed.tokens_per_second if speed and speed.digest in {"", digest} else None
    # No word of a filter has a line end in it, so none is found across two of these.
    searched = [name, family, quantization, word, str(state), note, digest]
    searched += ["stale" * bool(newer), "cpu slow" * facts.slow, "pinned" * facts.pinned]
    return ModelRow(
        key=(status.host, status.name),
        state=state,
        mark=_mark(state, marks),
        name=name,
        digest=clean(digest[:_VERSION_DIGITS]),
        modified=_day(modified_at),
        quantization=quantization,
        size="" if state is ModelState.CLOUD else bytes_text(size),
        memory=bytes_text(memory) if shown else _needed(state, facts.fitted),
        word=word,
        speed="" if rate is None else figures.rate_text(rate),
        leaves=figures.left_text(_left(status, moment)) if leaves else "",
        update=progress_cell(facts.download, marks) if facts.download else newer_cell(newer, marks),
        note=note,
        pin=marks.pinned if facts.pinned else "",
        slow=facts.slow and shown,
        old=old,
        searched="\n".join(searched).casefold(),
        figures=Figures(
            size=size,
            memory=memory,
            modified_at=modified_at,
            speed=rate,
            leaves_at=running.expires_at if running and leaves else None,
            busy=status.busy,
            idle_since_s=status.idle_since_s,
            download=(newer.download or 0) if newer else None,
        ),
    )


def _left(status: ModelStatus, moment: Moment) -> timedelta | None:
    """How long until it leaves; by the wall clock, which may be set, only where nothing else is known."""
    if status.due_at_s is not None:
        return timedelta(seconds=status.due_at_s - moment.monotonic_s)
    expires_at = status.running.expires_at if status.running else None
    return None if expires_at is None else expires_at - moment.now


def _day(at: datetime | None) -> str:
    if at is None or at.year < _FIRST_YEAR:
        return ""
    try:
        return at.astimezone().date().isoformat()  # in half the time of a format
    except (OverflowError, OSError, ValueError):
        return ""


def _note(status: ModelStatus) -> str:
    if status.model is None:
        return "not installed"
    if status.state is ModelState.CLOUD:
        where = status.model.remote_host or ""
        return f"on {clean(urlsplit(where).netloc or where, limit=60)}" if where else ""
    return ""


def _mark(state: ModelState, marks: Marks) -> str:
    match state:
        case ModelState.ACTIVE:
            return marks.active
        case ModelState.LOADING:
            return marks.loading
        case ModelState.STOPPING:
            return marks.stopping
        case ModelState.CLOUD:
            return marks.cloud
        case ModelState.INACTIVE:
            return marks.inactive


def _needed(state: ModelState, fitted: Fitted | None) -> str:
    if state is not ModelState.INACTIVE or fitted is None:
        return ""
    return figures.about_text(fitted.estimate.total)


def _word(facts: RowFacts, moment: Moment) -> str:
    status, act = facts.status, facts.act
    if act is not None and status.state in {ModelState.LOADING, ModelState.STOPPING}:
        return f"{status.state} {max(0.0, moment.monotonic_s - act.started_at_s):.0f}s"
    if status.state is ModelState.INACTIVE:
        return _inactive_word(facts)
    if status.state is not ModelState.ACTIVE or facts.old:
        return str(status.state)
    if status.busy or status.idle_since_s is None:
        return "active, busy" if status.busy else "active"
    or_more = "+" if status.idle_at_least else ""
    idle = figures.clock_text(max(0.0, moment.monotonic_s - status.idle_since_s))
    return f"idle {idle}{or_more}"


def _inactive_word(facts: RowFacts) -> str:
    if facts.pinned:
        return "pinned"
    known = facts.fitted.verdict if facts.fitted and not facts.old else None
    return _NO_ROOM.get(known.fit.value, "inactive") if known else "inactive"


def _fallen(snapshot: Snapshot, machine: MachineReading | None) -> tuple[RunningModel, ...]:
    """Those that fell back to the processor."""
    if not snapshot.running:
        return ()
    # Most begin with nothing loaded.
    from llmstack_tui.lifecycle.placement import fallen

    return tuple(each for each, _ in fallen(snapshot, machine))


class Rows:
    """Makes the rows of the list, and makes again only those that can have changed."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._made: dict[Key, tuple[tuple[object, ...], ModelRow]] = {}

    def make(self, state: StackState, moment: Moment) -> tuple[ModelRow, ...]:
        acts = {(act.host, act.model): act for act in state.acts}
        downloads = under_way(state.downloads) if state.downloads else {}
        before, self._made = self._made, {}
        for host in state.hosts:
            old = host.snapshot.is_old
            fallen = _fallen(host.snapshot, state.machine)
            guard = state.guards.get(host.snapshot.url)
            pins = guard.pinned if guard is not None else frozenset[str]()
            speeds, updates, fits = host.speeds, host.updates, host.fits
            for status in host.models:
                name = status.name
                key = (status.host, name)
                facts = (
                    status,
                    acts.get(key),
                    speeds.get(name),
                    updates.get(name),
                    downloads.get(key),
                    fits.get(name),
                    name in pins,
                    status.running in fallen,
                    old,
                )
                made = before.get(key)
                # Once a second for each line. Most often all are the very same, which is seen at once.
                if made is None or status.state in _TICKING or made[0] != facts:
                    made = facts, model_row(RowFacts(*facts), moment, self._marks)
                self._made[key] = made
        return tuple(row for _, row in self._made.values())
