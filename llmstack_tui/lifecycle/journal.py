"""Puts on record what is done to models, who asked for it and why, and what came of it."""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.names import model_key
from llmstack_tui.base.structs import replace
from llmstack_tui.base.text import excerpt
from llmstack_tui.hosts.errors import HostError
from llmstack_tui.lifecycle import sentences
from llmstack_tui.lifecycle.actions import REMOVAL, ActEnd, ActKind
from llmstack_tui.lifecycle.changes import Appeared, EventKind, between
from llmstack_tui.store.reconcile import Loaded, reconcile
from llmstack_tui.store.tables.activations import SLACK, Activation, Outcome
from llmstack_tui.store.tables.events import Event
from llmstack_tui.store.tables.measured import Measured

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from llmstack_tui.hosts.types import RunningModel, Snapshot
    from llmstack_tui.lifecycle.actions import Act
    from llmstack_tui.store.store import Store

    Write = Callable[[Store], None]
    _Model = tuple[str, str]

# Whoever loads or stops a model records it within half a second: only then we say "another client".
_COURTESY_S = 1.2

_GROWN = 1.01
_FRESH, _LONG = timedelta(seconds=15), timedelta(minutes=10)

_CAME_TO_NOTHING = {ActEnd.FAILED: Outcome.FAILED, ActEnd.CANCELLED: Outcome.CANCELLED}


class Journal:
    """A journal of acts, and of what other programs do. Writing never waits.

    Args:
        write: does something with the store, now or soon.
        asked_by: who asks for what is done within `act`.
    """

    def __init__(self, write: Callable[[Write], None], *, asked_by: Actor = Actor.USER) -> None:
        self._write = write
        self.asked_by = asked_by
        self._name = uuid.uuid4().hex[:12]
        self._before: dict[str, tuple[Snapshot, datetime]] = {}
        self._answered: dict[str, bool] = {}
        self._held: dict[asyncio.TimerHandle, tuple[_Model | None, Write]] = {}
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
        why = str(error or "")
        now, host, model = datetime.now(UTC), act.host, act.model
        if end is ActEnd.GONE:
            # It was loaded before that. Who left, and what else was seen, still waits for whoever did it.
            came = (host, model_key(model))
            self._release(*(timer for timer, held in tuple(self._held.items()) if held[0] == came))
        if act.kind is ActKind.ACTIVATE and end is ActEnd.LOADED:
            self._write(lambda store: store.activations.loaded(host, model, now))
        elif act.kind is ActKind.ACTIVATE and end in _CAME_TO_NOTHING:
            outcome = _CAME_TO_NOTHING[end]
            self._write(
                lambda store: store.activations.end(
                    host, model, at=now, outcome=outcome, by=act.asked_by, reason=why
                )
            )
        elif end is ActEnd.GONE:
            self._write(
                lambda store: store.activations.end(
                    host, model, at=now, outcome=Outcome.STOPPED, by=act.asked_by, reason=act.reason
                )
            )
        if act.reason == REMOVAL and end in _CAME_TO_NOTHING:
            return
        seconds = time.monotonic() - act.started_at_s
        if text := sentences.ended(act, end, seconds, error):
            self.event(
                EventKind.FAILED if end is ActEnd.FAILED else EventKind(act.kind.value),
                text,
                host=host,
                model=model,
                reason=act.reason,
                details={
                    "act": act.kind.value,
                    "asked_by": act.asked_by.value,
                    "end": end.value,
                    "seconds": round(seconds, 3),
                    **sentences.said(error),
                },
            )

    @contextmanager
    def act(self, kind: EventKind, host: str, model: str, *, ends_well: bool = True) -> Iterator[None]:
        """What is done within it goes on record, with what came of it.

        Args:
            ends_well: it is recorded here, too, that it succeeded; else only that it did not.
        """
        began = time.monotonic()

        def record(end: str, text: str, error: HostError | None = None) -> None:
            details = {
                "act": kind.value,
                "asked_by": self.asked_by.value,
                "end": end,
                "seconds": round(time.monotonic() - began, 3),
                **sentences.said(error),
            }
            as_kind = EventKind.FAILED if error is not None else kind
            self.event(as_kind, text, host=host, model=model, details=details)

        try:
            yield
        except HostError as error:
            record("failed", sentences.failed(kind, model, error), error)
            raise
        except (asyncio.CancelledError, GeneratorExit):
            record("cancelled", sentences.cancelled(kind, model))
            raise
        if ends_well:
            record("done", sentences.done(kind, model))

    def event(
        self,
        kind: EventKind,
        text: str,
        *,
        host: str | None = None,
        model: str | None = None,
        reason: str = "",
        details: dict[str, object] | None = None,
    ) -> None:
        event = Event(
            at=datetime.now(UTC),
            kind=kind.value,
            text=text,
            host=host,
            model=model,
            reason=reason,
            details=details or {},
        )
        self._write(lambda store: store.events.add(event))

    # --- what we see ---

    def look(self, snapshot: Snapshot, ours: Collection[str] = ()) -> None:
        """Take note of a host's newest snapshot.

        Args:
            ours: names of models that we did something to since the look before.
        """
        self._server(snapshot)
        if snapshot.error is not None or snapshot.read_at is None:
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
            # Buffers are filled as they are used: in the end it may have taken more.
            measured, size = self._sizes.pop((snapshot.url, each.running.name), None), each.running.size
            if measured and size and size > measured * _GROWN:
                self._measure(snapshot, each.running)
            if not each.is_ours:
                self._left(snapshot.url, each.running)

    def close(self) -> None:
        """Record what waited out of courtesy."""
        self._release(*self._held)

    def _server(self, snapshot: Snapshot) -> None:
        answers, answered = snapshot.error is None, self._answered.get(snapshot.url)
        self._answered[snapshot.url] = answers
        if answered is None or answered is answers:
            return
        text = f"{snapshot.url} answers again." if answers else str(snapshot.error)
        event = Event(
            at=datetime.now(UTC),
            kind=EventKind.SERVER,
            text=text,
            host=snapshot.url,
            details=sentences.said(snapshot.error),
        )
        self._hold(lambda store: store.events.record_observed(event, seen_by=self._name))

    def _came(self, host: str, running: RunningModel, since: datetime, *, is_ours: bool) -> None:
        now = datetime.now(UTC)
        activation = Activation(
            host=host,
            model=running.name,
            asked_by=Actor.USER if is_ours else Actor.CLIENT,
            reason="chat" if is_ours else "",
            started_at=now,
            loaded_at=now,
            digest=running.digest,
            context_length=running.context_length,
        )
        if is_ours:
            # An activation is on record and learns its digest; what a chat of ours has loaded is not yet.
            self._write(lambda store: store.activations.observe(activation))
            self._write(lambda store: store.activations.loaded(host, running.name, now, running.digest))
            return
        text = f"{excerpt(running.name)} was loaded by another client."
        event = Event(at=now, kind=EventKind.LOADED, text=text, host=host, model=running.name)

        def write(store: Store) -> None:
            store.events.record_observed(event, seen_by=self._name, digest=running.digest, since=since)
            store.activations.observe(activation, since=since)

        self._hold(write, (host, model_key(running.name)))

    def _left(self, host: str, running: RunningModel) -> None:
        now = datetime.now(UTC)
        text = f"{excerpt(running.name)} left memory: its time was up, or another client stopped it."
        event = Event(at=now, kind=EventKind.LEFT, text=text, host=host, model=running.name)

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
        """Record it in a moment; ``came`` is the model that was seen to be loaded, if that is it."""

        def release() -> None:
            self._release(timer)

        timer = asyncio.get_running_loop().call_later(_COURTESY_S, release)
        self._held[timer] = (came, write)

    def _release(self, *timers: asyncio.TimerHandle) -> None:
        for timer in timers:
            timer.cancel()
            self._write(self._held.pop(timer)[1])


async def settle(store: Store, snapshot: Snapshot, now: datetime) -> Event | None:
    """Make the record of what is loaded say what a host lists at the first look; an event if they differed.

    Raises:
        StoreError: when the record cannot be read.
    """
    url = snapshot.url
    loaded = [
        Loaded(model=each.name, digest=each.digest, context_length=each.context_length)
        for each in snapshot.running
    ]
    difference = reconcile(await store.activations.active(url), {url: loaded})
    ended = tuple(each for each in difference.ended if not _is_under_way(each, now))
    difference = replace(difference, ended=ended)
    store.activations.settle(difference, now)
    parts = [f"{excerpt(each.model)} left memory" for each in difference.ended]
    parts += [f"{excerpt(each.model)} was loaded" for _, each in difference.appeared]
    if not parts:
        return None
    return Event(at=now, kind=EventKind.DIFFERENCE, text=f"Unnoticed: {', '.join(parts)}.", host=url)


def _is_under_way(activation: Activation, now: datetime) -> bool:
    """Whether another program may still be loading it, or have loaded it since we looked."""
    since, patience = (
        (activation.loaded_at, _FRESH) if activation.loaded_at else (activation.started_at, _LONG)
    )
    return abs(now - since) < patience
