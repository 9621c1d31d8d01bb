"""The rows of the list, one for each model, as text."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from msgspec import Struct
from rich.cells import cell_len

from llmstack_tui.base.languages import current, later, tr
from llmstack_tui.base.text import brief
from llmstack_tui.base.units import bytes_text
from llmstack_tui.core.wording import text
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.tui.draw import figures
from llmstack_tui.tui.draw.updates import newer_cell, progress_cell, under_way

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
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
    from llmstack_tui.tui.view import Key, Moment
    from llmstack_tui.updates.rules import Update

_TICKING = frozenset({ModelState.ACTIVE, ModelState.LOADING, ModelState.STOPPING})
_VERSION_DIGITS = 8
# By `fit.verdict.Fit`: the word instead of "inactive" for a model that does not fit at once.
_NO_ROOM = {
    "fits alone": later("fits alone"),
    "partly on the CPU": later("partly CPU"),
    "does not fit": later("does not fit"),
}
# A zero time of Go is in the year 1.
_FIRST_YEAR = 1980


class Figures(NamedTuple):
    """The sort keys of a row; None means unknown or none.

    Attributes:
        busy: the model is answering a request.
        idle_since_s: as in `ModelStatus`.
        download: the size of a wanted update in bytes.
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
        digest, modified: its version: the first digits of the digest, and the day of the last change.
        memory: the server's figure; an estimate for a model that is not loaded.
        speed: tokens per second of the last timed answer of this version.
        update: the mark and size of a newer version, or the progress of its pull.
        note: text in place of quantization and size, for a model that has neither.
        pin: the marks behind its name: it is pinned, it shares its process with other names.
        name_cells: the width of its name with these marks; not drawn.
        is_further: its process is shown, and counted, in the row of another name.
        slow: it fell back to the CPU.
        old: the server is away or has not answered yet, so this is its last known state.
        searched: the lower-case text that a filter searches; not drawn.
        figures: the sort keys; not drawn.
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
    name_cells: int = 0
    is_further: bool = False
    slow: bool = False
    old: bool = False
    searched: str = ""
    figures: Figures = _NO_FIGURES


class RowFacts(NamedTuple):
    """The data that a row is made of.

    Attributes:
        act: the load or unload under way.
        speed: that of the last timed answer, by this version or another.
        download: its pull, if that is not over.
        fitted: the memory it would take here.
        pinned: the guard never stops it.
        slow, old: as in `ModelRow`.
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
    marks: Marks


class _HostFacts(NamedTuple):
    """What the rows of one host are made of: as in `RowFacts`, by model name. ``slow``: the loaded ones."""

    models: tuple[ModelStatus, ...]
    acts: Mapping[str, Act]
    speeds: Mapping[str, Speed]
    updates: Mapping[str, Update]
    downloads: Mapping[str, Download]
    fits: Mapping[str, Fitted]
    pinned: Collection[str]
    slow: Collection[RunningModel]
    old: bool
    marks: Marks


def model_row(facts: RowFacts, moment: Moment) -> ModelRow:
    """The line of one model."""
    status, old, marks = facts.status, facts.old, facts.marks
    model, running, state = status.model, status.running, status.state
    shown = state is ModelState.ACTIVE or state is ModelState.STOPPING
    # Not known while the server is away: a request may have set a later time.
    leaves = shown and running is not None and not old
    name = brief(status.name, 400)
    family = brief((model.family if model else None) or "", 40)
    quantization = brief((model.quantization if model else None) or "", 40)
    digest = model.digest if model else running.digest if running else ""
    word, note = _word(facts, moment), _note(status)
    size = model.size if model and state is not ModelState.CLOUD else None
    memory = running.size if running and shown and not status.counted_with else None
    modified_at = model.modified_at if model else None
    newer = facts.update if facts.update and facts.update.is_wanted else None
    speed = facts.speed
    rate = speed.tokens_per_second if speed and speed.digest in {"", digest} else None
    # Joined by line ends, which no word of a filter contains, so that no match spans two of these.
    searched = [name, family, quantization, word, state, tr(state), note, digest]
    searched += ["stale" * bool(newer), "cpu slow" * facts.slow, tr("pinned") * facts.pinned]
    pin = marks.pinned * facts.pinned + marks.shared * bool(shown and status.shares)
    return ModelRow(
        key=(status.host, status.name),
        state=state,
        mark=_mark(state, marks),
        name=name,
        digest=digest[:_VERSION_DIGITS],
        modified=_day(modified_at),
        quantization=quantization,
        size="" if state is ModelState.CLOUD else bytes_text(size),
        memory=_memory(facts),
        word=word,
        speed="" if rate is None else figures.rate_text(rate),
        leaves=figures.left_text(_left(status, moment)) if leaves else "",
        update=_update_cell(facts.download, newer, marks),
        note=note,
        pin=pin,
        name_cells=cell_len(name) + 2 * len(pin),
        is_further=bool(status.counted_with),
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


def _update_cell(download: Download | None, newer: Update | None, marks: Marks) -> str:
    if download is not None:
        return progress_cell(download, marks)
    return newer_cell(newer, marks) if newer is not None else ""


def _left(status: ModelStatus, moment: Moment) -> timedelta | None:
    """The time until it leaves; by the wall clock, which may be set, only if nothing else is known."""
    if status.due_at_s is not None:
        return timedelta(seconds=status.due_at_s - moment.monotonic_s)
    expires_at = status.running.expires_at if status.running else None
    return None if expires_at is None else expires_at - moment.now


def _day(at: datetime | None) -> str:
    if at is None or at.year < _FIRST_YEAR:
        return ""
    try:
        return at.astimezone().date().isoformat()  # twice as fast as strftime
    except (OverflowError, OSError, ValueError):
        return ""


def _note(status: ModelStatus) -> str:
    if status.model is None:
        return tr("not installed")
    if status.state is ModelState.CLOUD:
        where = status.model.remote_host or ""
        return tr("on {host}", host=urlsplit(where).netloc or where) if where else ""
    return brief(text(status.model.unusable), 200) if status.model.unusable else ""


def _mark(state: ModelState, marks: Marks) -> str:
    return {
        ModelState.ACTIVE: marks.active,
        ModelState.LOADING: marks.loading,
        ModelState.STOPPING: marks.stopping,
        ModelState.INACTIVE: marks.inactive,
        ModelState.CLOUD: marks.cloud,
    }[state]


def _memory(facts: RowFacts) -> str:
    """What a loaded model takes, in the row of one of its names only, or what another would take."""
    status, fitted = facts.status, facts.fitted
    if status.state in {ModelState.ACTIVE, ModelState.STOPPING}:
        return "" if status.counted_with else bytes_text(status.running.size if status.running else None)
    if status.state is not ModelState.INACTIVE or fitted is None or (status.model and status.model.unusable):
        return ""
    return figures.about_text(fitted.estimate.total)


def _word(facts: RowFacts, moment: Moment) -> str:
    status, act = facts.status, facts.act
    if act is not None and status.state in {ModelState.LOADING, ModelState.STOPPING}:
        return f"{tr(status.state)} {max(0.0, moment.monotonic_s - act.started_at_s):.0f}s"
    if status.state is ModelState.INACTIVE:
        return _inactive_word(facts)
    if status.state is not ModelState.ACTIVE or facts.old:
        return tr(status.state)
    if status.counted_with:
        return tr("with {model}", model=brief(status.counted_with, 60))
    if status.busy or status.idle_since_s is None:
        return tr("active, busy") if status.busy else tr("active")
    or_more = "+" if status.idle_at_least else ""
    idle = figures.clock_text(max(0.0, moment.monotonic_s - status.idle_since_s))
    return tr("idle {time}", time=f"{idle}{or_more}")


def _inactive_word(facts: RowFacts) -> str:
    if facts.status.model and facts.status.model.unusable:
        return tr("unusable")
    if facts.pinned:
        return tr("pinned")
    known = facts.fitted.verdict if facts.fitted and not facts.old else None
    return tr(_NO_ROOM.get(known.fit.value, "inactive") if known else "inactive")


def _fell_back(snapshot: Snapshot, machine: MachineReading | None) -> tuple[RunningModel, ...]:
    """The loaded models that fell back to the CPU."""
    if not snapshot.running:
        return ()
    # A shortcut, because most often no model is loaded.
    from llmstack_tui.lifecycle.placement import fallbacks

    return tuple(each for each, _ in fallbacks(snapshot, machine))


class Rows:
    """Makes the rows of the list; remakes only those that may have changed."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[_HostFacts, dict[str, tuple[RowFacts, ModelRow]]]] = {}
        self._language = current()

    def make(self, state: StackState, moment: Moment, marks: Marks) -> tuple[ModelRow, ...]:
        if self._language is not current():
            self._language, self._made = current(), {}
        downloads = under_way(state.downloads) if state.downloads else {}
        before, self._made = self._made, {}
        for host in state.hosts:
            url = host.snapshot.url
            guard = state.guards.get(url)
            facts = _HostFacts(
                host.models,
                {act.model: act for act in state.acts if act.host == url},
                host.speeds,
                host.updates,
                {name: each for (there, name), each in downloads.items() if there == url},
                host.fits,
                guard.pinned if guard is not None else frozenset[str](),
                _fell_back(host.snapshot, state.machine),
                host.snapshot.is_old,
                marks,
            )
            # Once a second for each host; quick, because the facts are mostly identical objects.
            seen, made = before.get(url, (None, {}))
            same = seen == facts
            rows = {}
            for each in (row for row, _ in made.values()) if same else _row_facts(facts):
                last = made.get(each.status.name)
                if last is None or each.status.state in _TICKING or (not same and last[0] != each):
                    last = each, model_row(each, moment)
                rows[each.status.name] = last
            self._made[url] = facts, rows
        return tuple(row for _, rows in self._made.values() for _, row in rows.values())


def _row_facts(host: _HostFacts) -> Iterator[RowFacts]:
    for status in host.models:
        name = status.name
        yield RowFacts(
            status,
            host.acts.get(name),
            host.speeds.get(name),
            host.updates.get(name),
            host.downloads.get(name),
            host.fits.get(name),
            name in host.pinned,
            status.running in host.slow,
            host.old,
            host.marks,
        )
