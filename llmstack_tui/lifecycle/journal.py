"""Records acts on models: who asked, why, and how they ended; and what other programs do."""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.kinds import Actor, EventKind, HostKind
from llmstack_tui.base.names import model_key
from llmstack_tui.base.sentences import Sentence, quoted, said
from llmstack_tui.base.structs import replace
from llmstack_tui.base.text import excerpt
from llmstack_tui.hosts.errors import HostError
from llmstack_tui.lifecycle.actions import REMOVAL, ActEnd, ActKind, because
from llmstack_tui.lifecycle.load_request import OURS
from llmstack_tui.store.database.values import SLACK
from llmstack_tui.store.tables.activations import Activation, ListedModel, Outcome, reconcile
from llmstack_tui.store.tables.events import Event
from llmstack_tui.store.tables.figures import Measured, Speed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from llmstack_tui.base.sentences import Param, Sentences
    from llmstack_tui.hosts.types import RunningModel, Snapshot
    from llmstack_tui.lifecycle.actions import Act
    from llmstack_tui.store.store import Store

    Write = Callable[[Store], None]
    _Model = tuple[str, str]

# Another llmstack that loads or unloads a model records it within a second. A change that nobody has recorded
# by then was made by another client.
_GRACE_S = 1.2

_GROWTH = 1.01
_JUST_LOADED, _LOADING_AT_MOST = timedelta(seconds=15), timedelta(minutes=10)

_MOST_DETAIL = 2000

_SAID_OF_GUARD = frozenset({ActEnd.LOADED, ActEnd.GONE, ActEnd.LEAVING})
_OUTCOMES = {
    ActEnd.FAILED: Outcome.FAILED,
    ActEnd.CANCELLED: Outcome.CANCELLED,
    ActEnd.GONE: Outcome.STOPPED,
}


class Journal:
    """Records acts, and what other programs do. Recording never waits for the disk.

    Args:
        write: runs a function on the store, now or soon.
        asked_by: who asks for the acts within `act`.

    Attributes:
        held: observations that are not written yet, because another llmstack may record them.
    """

    def __init__(self, write: Callable[[Write], None], *, asked_by: Actor = Actor.USER) -> None:
        self._write = write
        self.asked_by = asked_by
        self._name = uuid.uuid4().hex[:12]
        self._before: dict[str, tuple[Snapshot, datetime]] = {}
        self._answered: dict[str, bool] = {}
        self.held: dict[asyncio.TimerHandle, tuple[_Model | None, Write]] = {}
        self._sizes: dict[tuple[str, str], int | None] = {}

    # --- what we do ---

    def began(self, act: Act) -> None:
        if act.kind is ActKind.ACTIVATE:
            activation = Activation(
                host=act.host,
                model=act.model,
                asked_by=act.asked_by,
                reason=act.reason,
                context_length=act.context_length,
                keep_alive=act.keep_alive,
                started_at=datetime.now(UTC),
            )
            self._write(lambda store: store.activations.observe(activation))

    def ended(self, act: Act, end: ActEnd, error: HostError | None = None) -> None:
        now, host, model = datetime.now(UTC), act.host, act.model
        if end is ActEnd.GONE:
            # The model was loaded before it left: write that first. Other observations keep waiting.
            came = (host, model_key(model))
            self._release(*(timer for timer, held in tuple(self.held.items()) if held[0] == came))
        if act.kind is ActKind.ACTIVATE and end is ActEnd.LOADED:
            self._write(lambda store: store.activations.loaded(host, model, now))
        elif end is ActEnd.GONE or (act.kind is ActKind.ACTIVATE and end in _OUTCOMES):
            outcome, reason = _OUTCOMES[end], act.reason if end is ActEnd.GONE else said(error)
            self._write(
                lambda store: store.activations.end(
                    host, model, at=now, outcome=outcome, by=act.asked_by, reason=reason
                )
            )
        told = act.reason == REMOVAL and end in (ActEnd.FAILED, ActEnd.CANCELLED)
        if told or (act.is_part and end is not ActEnd.FAILED):
            return
        seconds = time.monotonic() - act.started_at_s
        says_who = end is ActEnd.CANCELLED or (act.asked_by is Actor.GUARD and end in _SAID_OF_GUARD)
        self.event(
            EventKind.FAILED if end is ActEnd.FAILED else EventKind(act.kind.value),
            _outcome(f"{act.kind}.{end}{f'_by_{act.asked_by}' if says_who else ''}", model, seconds, error),
            host=host,
            model=model,
            reason=act.reason,
            details=_details(act.kind, act.asked_by, end, seconds, error),
        )

    @contextmanager
    def act(self, kind: EventKind, host: str, model: str, *, ends_well: bool = True) -> Iterator[None]:
        """Record how the body of the ``with`` statement ended.

        Args:
            ends_well: record success, too; else only failure and cancellation.
        """
        began = time.monotonic()

        def record(end: str, error: HostError | None = None) -> None:
            seconds = time.monotonic() - began
            self.event(
                EventKind.FAILED if error is not None else kind,
                _outcome(f"{kind}.{end}", model, seconds, error),
                host=host,
                model=model,
                details=_details(kind, self.asked_by, end, seconds, error),
            )

        try:
            yield
        except HostError as error:
            record("failed", error)
            raise
        except (asyncio.CancelledError, GeneratorExit):
            record("cancelled")
            raise
        if ends_well:
            record("done")

    def event(
        self,
        kind: EventKind,
        sentence: Sentence,
        *,
        host: str | None = None,
        model: str | None = None,
        reason: Sentences = (),
        details: dict[str, object] | None = None,
    ) -> None:
        event = Event(
            at=datetime.now(UTC),
            kind=kind.value,
            sentence=sentence,
            host=host,
            model=model,
            reason=reason,
            details=details or {},
        )
        self._write(lambda store: store.events.add(event))

    # --- what we see ---

    def look(self, snapshot: Snapshot, ours: Collection[str] = ()) -> None:
        """Record what has changed since the last snapshot of the host.

        Args:
            ours: names of the models that we loaded, unloaded or used since then.
        """
        self._server(snapshot)
        if not snapshot.reachable:
            return
        now, seen = datetime.now(UTC), self._before.get(snapshot.url)
        self._before[snapshot.url] = (snapshot, now)
        if seen is None:
            return
        before, since = seen[0], max(seen[1], now - SLACK)
        for each in between(before, snapshot, ours):
            if isinstance(each, Appeared):
                self._sizes[snapshot.url, each.running.name] = each.running.size
                self._measure(snapshot, each.running)
                self._came(snapshot.url, each.running, since, is_ours=each.is_ours)
                continue
            # Buffers grow as they are used: at its end a model may have taken more than at its start.
            measured, size = self._sizes.pop((snapshot.url, each.running.name), None), each.running.size
            if measured and size and size > measured * _GROWTH:
                self._measure(snapshot, each.running)
            if not each.is_ours:
                self._left(snapshot.url, each.running)

    def timed(self, *speeds: Speed) -> None:
        """Record how fast answers were."""
        if speeds:
            self._write(lambda store: store.speeds.add(*speeds))

    def close(self) -> None:
        """Record at once the observations that were held back."""
        self._release(*self.held)

    def _server(self, snapshot: Snapshot) -> None:
        answers, answered = snapshot.error is None, self._answered.get(snapshot.url)
        self._answered[snapshot.url] = answers
        if answered is None or answered is answers:
            return
        event = Event(
            at=datetime.now(UTC),
            kind=EventKind.SERVER,
            sentence=Sentence("server.answers", {"url": snapshot.url})
            if answers
            else quoted(said(snapshot.error)),
            host=snapshot.url,
            details=_cause(snapshot.error),
        )
        self._hold(lambda store: store.events.record_observed(event, seen_by=self._name))

    def _came(self, host: str, running: RunningModel, since: datetime, *, is_ours: bool) -> None:
        now = datetime.now(UTC)
        activation = Activation(
            host=host,
            model=running.name,
            asked_by=Actor.USER if is_ours else Actor.CLIENT,
            reason=because("chat") if is_ours else (),
            started_at=now,
            loaded_at=now,
            digest=running.digest,
            context_length=running.context_length,
        )
        if is_ours:
            # An activation is recorded already and only gets its digest; a load by our chat is not yet.
            self._write(lambda store: store.activations.observe(activation))
            self._write(lambda store: store.activations.loaded(host, running.name, now, running.digest))
            return
        event = _observed(EventKind.LOADED, "client.loaded", now, host, running)

        def write(store: Store) -> None:
            store.events.record_observed(event, seen_by=self._name, digest=running.digest, since=since)
            store.activations.observe(activation, since=since)

        self._hold(write, (host, model_key(running.name)))

    def _left(self, host: str, running: RunningModel) -> None:
        now = datetime.now(UTC)
        event = _observed(EventKind.LEFT, "client.unloaded", now, host, running)

        def write(store: Store) -> None:
            store.events.record_observed(event, seen_by=self._name, digest=running.digest)
            store.activations.end(host, running.name, at=now, outcome=Outcome.LEFT)

        self._hold(write)

    def _measure(self, snapshot: Snapshot, running: RunningModel) -> None:
        measured = Measured(
            at=datetime.now(UTC),
            host=snapshot.url,
            model=running.name,
            digest=running.digest,
            context_length=running.context_length,
            server_bytes=running.size,
            server_gpu_bytes=running.size_vram,
            device_bytes={"RAM": running.resident} if running.resident else {},
        )
        self._write(lambda store: store.measured.add(measured))

    def _hold(self, write: Write, came: _Model | None = None) -> None:
        """Write after `_GRACE_S`; ``came`` is the model if the observation is that it was loaded."""

        def release() -> None:
            self._release(timer)

        timer = asyncio.get_running_loop().call_later(_GRACE_S, release)
        self.held[timer] = (came, write)

    def _release(self, *timers: asyncio.TimerHandle) -> None:
        for timer in timers:
            timer.cancel()
            self._write(self.held.pop(timer)[1])


# --- what changed on a host ---


class Appeared(Struct, frozen=True):
    """A model is loaded that was not loaded before; ``is_ours`` if we asked for that."""

    running: RunningModel
    is_ours: bool


class Disappeared(Struct, frozen=True):
    """A model was loaded before and no longer is; ``is_ours`` if we asked for that."""

    running: RunningModel
    is_ours: bool


def between(before: Snapshot, after: Snapshot, ours: Collection[str]) -> Iterator[Appeared | Disappeared]:
    """What changed between two successful snapshots.

    Args:
        ours: names of the models that we acted on in between. Other names with the same digest count, too.
    """
    if before.running is after.running:
        return
    old, new = ({(each.name, each.digest): each for each in look.running} for look in (before, after))
    changed = old.keys() ^ new.keys()
    if not changed:
        return
    names = {model_key(name) for name in ours}
    installed = (*before.installed, *after.installed) if names else ()
    digests = {each.digest for each in installed if each.digest and model_key(each.name) in names}

    def is_ours(running: RunningModel) -> bool:
        known = {running.digest, *running.answers_for}
        return not digests.isdisjoint(known) or model_key(running.name) in names

    yield from (Disappeared(each, is_ours(each)) for key, each in old.items() if key in changed)
    yield from (Appeared(each, is_ours(each)) for key, each in new.items() if key in changed)


async def settle(store: Store, snapshot: Snapshot, now: datetime) -> Event | None:
    """Bring the recorded loads up to date with the first snapshot; returns an event if they differed.

    What left as it was to leave is recorded, and is no event.

    Raises:
        StoreError: the records cannot be read.
    """
    url = snapshot.url
    loaded = [
        ListedModel(model=each.name, digest=each.digest, context_length=each.context_length)
        for each in snapshot.running
    ]
    difference = reconcile(await store.activations.active(url), {url: loaded})
    ended = tuple(each for each in difference.ended if not _is_under_way(each, now))
    difference = replace(difference, ended=ended)
    store.activations.settle(difference, now)
    if not difference:
        return None
    models = {
        "unloaded": tuple(each.model for each in ended if not _was_to_leave(each, snapshot, now)),
        "loaded": tuple(each.model for _, each in difference.appeared),
    }
    changes = {change: names for change, names in models.items() if names}
    if not changes:
        return None
    sentence = Sentence(f"missed.{'both' if len(changes) > 1 else next(iter(changes))}", changes)
    return Event(at=now, kind=EventKind.DIFFERENCE, sentence=sentence, host=url)


def _outcome(kind: str, model: str, seconds: float, error: HostError | None) -> Sentence:
    params: dict[str, Param] = {"model": model, "seconds": round(seconds, 3)}
    return Sentence(kind, params if error is None else {**params, "error": said(error)})


def _details(
    act: str, asked_by: Actor, end: str, seconds: float, error: HostError | None
) -> dict[str, object]:
    details = {"act": act, "asked_by": asked_by.value, "end": end, "seconds": round(seconds, 3)}
    return {**details, **_cause(error)}


def _cause(error: HostError | None) -> dict[str, object]:
    """The title and the details of an error, which its sentence does not tell."""
    if error is None:
        return {}
    detail = excerpt(error.detail, _MOST_DETAIL)
    return {"error": error.title, **({"detail": detail} if detail else {})}


def _observed(kind: EventKind, sentence: str, at: datetime, host: str, running: RunningModel) -> Event:
    said = Sentence(sentence, {"model": running.name})
    return Event(at=at, kind=kind, sentence=said, host=host, model=running.name)


def _was_to_leave(activation: Activation, snapshot: Snapshot, now: datetime) -> bool:
    """Whether our load of a model ended with its keep-alive, or with the engine that ended with us."""
    if activation.asked_by not in OURS:
        return False
    if snapshot.server is not None and snapshot.server.kind is HostKind.BUILTIN:
        return True
    length, since = activation.keep_alive, activation.loaded_at or activation.started_at
    return length is not None and timedelta(0) <= length <= now - since


def _is_under_way(activation: Activation, now: datetime) -> bool:
    """Whether another program may still be loading the model, or may have loaded it after the snapshot."""
    since, patience = (
        (activation.loaded_at, _JUST_LOADED)
        if activation.loaded_at
        else (activation.started_at, _LOADING_AT_MOST)
    )
    return abs(now - since) < patience
