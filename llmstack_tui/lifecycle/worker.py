"""The only caller of load and unload."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.names import model_key
from llmstack_tui.base.structs import replace
from llmstack_tui.hosts.errors import HostError, NotFound, Refused
from llmstack_tui.lifecycle.actions import (
    REMOVAL,
    Act,
    ActEnd,
    ActKind,
    Departure,
    Interrupted,
    Sighting,
    is_kept,
)
from llmstack_tui.lifecycle.states import Loaded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import Model, RunningModel, Snapshot
    from llmstack_tui.lifecycle.actions import ActObserver

_Key = tuple[str, str]

_FIRST_LOOK_S = 0.2
_LOOKS_GROW = 1.5
_CLOSE_PATIENCE_S = 2.0
_USUAL_KEEP_ALIVE = timedelta(minutes=5)


async def _no_settling(_: Host) -> None:
    """Nobody shows a state, so the host need not be read again."""


class Lifecycle:
    """Loads and unloads models: one act at a time per host and model, and nothing is forced.

    Args:
        on_change: called with the URL of a host after every change of `acts` there.
        settle: awaited when an act is done, before it leaves `acts`. It polls the host, so that no other
            state is shown between "loading" and "active".
        patience_s: how long a stop waits for the model to leave.
        journal: hears of every act.
        asked_by: the default for acts.
    """

    def __init__(
        self,
        *,
        on_change: Callable[[str], None] = lambda _: None,
        settle: Callable[[Host], Awaitable[None]] = _no_settling,
        patience_s: float = 10.0,
        journal: ActObserver | None = None,
        asked_by: Actor = Actor.USER,
    ) -> None:
        self._on_change = on_change
        self._settle = settle
        self._patience_s = patience_s
        self._journal = journal
        self._asked_by = asked_by
        self._acts: dict[_Key, Act] = {}
        # Weak, so that a lock lives only as long as somebody holds it or waits for it.
        self.locks: WeakValueDictionary[_Key, asyncio.Lock] = WeakValueDictionary()
        self._loads: dict[_Key, asyncio.Task[None]] = {}
        # Who asked for a stop of a model that is being loaded, and why.
        self._interruptions: dict[_Key, tuple[Actor, Sentences]] = {}
        self._sightings: dict[_Key, Sighting] = {}
        self._background: set[asyncio.Task[object]] = set()
        self._recent: dict[str, tuple[Act, ...]] = {}

    @property
    def acts(self) -> tuple[Act, ...]:
        """The acts under way, oldest first; a stop stays until its model has left or is known to be kept."""
        return tuple(self._acts.values())

    def recent(self, host_url: str) -> tuple[Act, ...]:
        """The acts under way on a host when its newest snapshot came."""
        return self._recent.get(host_url, ())

    async def activate(
        self,
        host: Host,
        model: str,
        *,
        keep_alive: timedelta | None = None,
        context_length: int | None = None,
        asked_by: Actor | None = None,
        reason: Sentences = (),
        again: bool = False,
        is_part: bool = False,
    ) -> None:
        """Load a model and return when it can answer. A failed load is not retried: it would fail again.

        Cancelling this closes the request and unloads the model.

        Args:
            again: the model is loaded already and only its keep-alive is set: it stays if this is cancelled.
            is_part: as `Act` has it.

        Raises:
            Interrupted: a stop of the same model was requested in the meantime.
            HostError: the server refused or failed.
        """
        key = _key(host, model)
        async with self.locks.setdefault(key, asyncio.Lock()):
            if keep_alive is None and key in self._acts:
                # Only a request with a keep-alive makes the server forget the stop.
                keep_alive = _USUAL_KEEP_ALIVE
            act = self._begin(
                key,
                Act(
                    ActKind.ACTIVATE,
                    host.url,
                    model,
                    time.monotonic(),
                    asked_by or self._asked_by,
                    reason,
                    keep_alive,
                    context_length,
                    is_part=is_part,
                ),
            )
            load = host.load(model, keep_alive=keep_alive, context_length=context_length)
            self._loads[key] = asyncio.create_task(load, name=f"load {model}")
            try:
                await self._loaded(self._loads[key], host, act, again=again)
                self._tell(act, ActEnd.LOADED)
                await self._settle(host)
            except (asyncio.CancelledError, Interrupted):
                by, why = self._interruptions.get(key, (act.asked_by, act.reason))
                self._tell(replace(act, asked_by=by, reason=why), ActEnd.CANCELLED)
                raise
            except HostError as error:
                self._tell(act, ActEnd.FAILED, error)
                raise
            finally:
                del self._loads[key]
                self._interruptions.pop(key, None)
                self._end(key, act)

    async def deactivate(
        self, host: Host, model: str, *, asked_by: Actor | None = None, reason: Sentences = ()
    ) -> Departure:
        """Ask a model to leave, and wait a while for it to leave. A running request is never cut."""
        key, by = _key(host, model), asked_by or self._asked_by
        is_loading = (load := self._loads.get(key)) is not None and load.cancel()
        if is_loading:
            self._interruptions[key] = by, reason
        return await self._stop(host, model, by, reason, is_part=is_loading)

    async def _stop(
        self, host: Host, model: str, asked_by: Actor, reason: Sentences = (), *, is_part: bool
    ) -> Departure:
        key = _key(host, model)
        async with self.locks.setdefault(key, asyncio.Lock()):
            act = self._begin(
                key,
                Act(
                    ActKind.DEACTIVATE,
                    host.url,
                    model,
                    time.monotonic(),
                    asked_by,
                    reason,
                    is_part=is_part,
                ),
            )
            try:
                digest = _digest(await host.installed(), model)
                await self._unload(host, model, digest)
            except HostError as error:
                self._end(key, act, ActEnd.FAILED, error)
                raise
            except BaseException:
                self._end(key, act, ActEnd.CANCELLED)
                raise
        try:
            departure = await self._wait(host, key, act, digest)
            if departure is not Departure.LEAVING:
                await self._settle(host)
        except HostError as error:
            self._end(key, act, ActEnd.FAILED, error)
            raise
        if departure is Departure.LEAVING:
            if self._acts.get(key) is act:
                self._tell(act, ActEnd.LEAVING)
        else:
            self._end(key, act, ActEnd(departure.value))
        return departure

    async def remove(self, host: Host, model: str) -> None:
        """Remove a model from the disk. If no name would be left to unload it by, it is unloaded first.

        Raises:
            Refused: it is still answering a request, and was not removed.
            HostError: the server refused or failed.
        """
        if await _is_last_name(host, model) and await self._stop_first(host, model) is not Departure.GONE:
            raise Refused("remove.answers", model=model, host=host.url)
        await host.delete(model)

    def observe(self, snapshot: Snapshot) -> None:
        """Take note of a host's newest snapshot: a stop ends when its model has left or is kept."""
        self._recent[snapshot.url] = tuple(act for act in self._acts.values() if act.host == snapshot.url)
        if snapshot.error is not None or snapshot.read_at is None:
            return
        stops = [
            (key, act)
            for key, act in self._acts.items()
            if act.host == snapshot.url
            and act.kind is ActKind.DEACTIVATE
            and act.started_at_s <= snapshot.read_at
        ]
        loaded = Loaded(snapshot.running)
        for key, act in stops:
            digest = _digest(snapshot.installed, act.model)
            running = loaded.find(act.model, digest)
            if running is None:
                self._end(key, act, ActEnd.GONE)
            elif key in self._sightings and self._kept(key, running, snapshot.read_at):
                self._end(key, act, ActEnd.KEPT)

    async def aclose(self) -> None:
        """Give the stops under way in the background a moment to finish, then cancel them."""
        if self._background:
            await asyncio.wait(self._background, timeout=_CLOSE_PATIENCE_S)
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)

    # --- acts ---

    def _begin(self, key: _Key, act: Act) -> Act:
        # A newer act takes the place of a stop whose model has not left yet.
        if (older := self._acts.pop(key, None)) is not None:
            self._tell(older, ActEnd.SUPERSEDED)
        self._sightings.pop(key, None)
        self._acts[key] = act
        if self._journal is not None:
            self._journal.began(act)
        self._on_change(act.host)
        return act

    def _end(self, key: _Key, act: Act, end: ActEnd | None = None, error: HostError | None = None) -> None:
        """End an act, unless a newer one took its place; ``end`` is None if the end was told before."""
        if self._acts.get(key) is act:
            del self._acts[key]
            self._sightings.pop(key, None)
            if end is not None:
                self._tell(act, end, error)
            self._on_change(act.host)

    def _tell(self, act: Act, end: ActEnd, error: HostError | None = None) -> None:
        if self._journal is not None:
            self._journal.ended(act, end, error)

    # --- loading ---

    async def _loaded(self, load: asyncio.Task[None], host: Host, act: Act, *, again: bool) -> None:
        """Wait for the load; if this is cancelled, take the load back."""
        try:
            await asyncio.wait((load,))
        except asyncio.CancelledError:
            load.cancel()
            await asyncio.gather(load, return_exceptions=True)
            if not again:
                self._take_back(host, act)
            raise
        if load.cancelled():
            raise Interrupted("activate.interrupted", model=act.model, host=host.url)
        load.result()

    def _take_back(self, host: Host, act: Act) -> None:
        task = asyncio.create_task(self._stop_quietly(host, act), name=f"take back {act.model}")
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _stop_quietly(self, host: Host, act: Act) -> object:
        try:
            return await self._stop(host, act.model, act.asked_by, is_part=True)
        except HostError:
            # Nobody waits for this stop, and the model leaves anyway when its keep-alive ends.
            return None

    # --- leaving ---

    async def _unload(self, host: Host, model: str, digest: str) -> None:
        try:
            await host.unload(model)
        except NotFound:
            if Loaded(await host.running()).find(model, digest) is None:
                raise
            raise Refused("deactivate.nameless", model=model, host=host.url) from None

    async def _stop_first(self, host: Host, model: str) -> Departure:
        try:
            return await self.deactivate(host, model, reason=REMOVAL)
        except HostError as error:
            raise type(error)(
                "remove.not_stopped",
                why=(error.sentence,),
                host=error.host,
                detail=error.detail,
                hint=error.hint,
            ) from error

    async def _wait(self, host: Host, key: _Key, act: Act, digest: str) -> Departure:
        pause_s, deadline = _FIRST_LOOK_S, time.monotonic() + self._patience_s
        while True:
            running = Loaded(await host.running()).find(act.model, digest)
            if running is None:
                return Departure.GONE
            if self._acts.get(key) is not act or self._kept(key, running, time.monotonic()):
                return Departure.KEPT
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return Departure.LEAVING
            await asyncio.sleep(min(pause_s, left_s))
            pause_s *= _LOOKS_GROW

    def _kept(self, key: _Key, running: RunningModel, seen_at_s: float) -> bool:
        sighting = Sighting(running.expires_at, seen_at_s)
        return is_kept(self._sightings.setdefault(key, sighting), sighting)


def _key(host: Host, model: str) -> _Key:
    return host.url, model_key(model)


def _digest(installed: Iterable[Model], name: str) -> str:
    """The digest of the model installed as ``name``; it may be loaded under another name."""
    key = model_key(name)
    return next((model.digest for model in installed if model_key(model.name) == key), "")


async def _is_last_name(host: Host, model: str) -> bool:
    """Whether the model is loaded, and no other installed name is left to unload it by."""
    installed = await host.installed()
    loaded, key = Loaded(await host.running()), model_key(model)
    found = {model_key(each.name): loaded.find(each.name, each.digest) for each in installed}
    mine = found.pop(key, None)
    return mine is not None and not any(other is mine for other in found.values())
