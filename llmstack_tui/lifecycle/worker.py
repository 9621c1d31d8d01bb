"""The only caller of load and unload."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from llmstack_tui.hosts.errors import HostError, NotFound, Refused
from llmstack_tui.hosts.text import printable
from llmstack_tui.lifecycle.acts import Act, ActKind, Departure, Interrupted
from llmstack_tui.lifecycle.departures import Sighting, is_kept
from llmstack_tui.lifecycle.states import Loaded
from llmstack_tui.ollama.names import model_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import Model, RunningModel, Snapshot

_Key = tuple[str, str]

_FIRST_LOOK_S = 0.2
_LOOKS_GROW = 1.5
_LAST_WISH_S = 2.0
_USUAL_KEEP_ALIVE = timedelta(minutes=5)


async def _no_need(_: Host) -> None:
    """Nobody shows what is read, so nothing has to be read again."""


class Lifecycle:
    """Loads and unloads models: one act at a time per host and model, and nothing is forced.

    Args:
        on_change: called after every change of `acts`.
        settle: awaited when an act is done and before it leaves `acts`; here the owner reads the host again,
            so that no state between "loading" and "active" is shown.
        patience_s: how long a stop waits for the model to leave.
    """

    def __init__(
        self,
        *,
        on_change: Callable[[], None] = lambda: None,
        settle: Callable[[Host], Awaitable[None]] = _no_need,
        patience_s: float = 10.0,
    ) -> None:
        self._on_change = on_change
        self._settle = settle
        self._patience_s = patience_s
        self._acts: dict[_Key, Act] = {}
        self._locks: defaultdict[_Key, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._loads: dict[_Key, asyncio.Task[None]] = {}
        self._sightings: dict[_Key, Sighting] = {}
        self._background: set[asyncio.Task[object]] = set()

    @property
    def acts(self) -> tuple[Act, ...]:
        """The acts under way, oldest first; a stop stays until its model has left or is known to be kept."""
        return tuple(self._acts.values())

    async def activate(
        self,
        host: Host,
        model: str,
        *,
        keep_alive: timedelta | None = None,
        context_length: int | None = None,
    ) -> None:
        """Load a model and return when it can answer.

        Cancelling this closes the request and asks the model to leave again.

        Raises:
            Interrupted: when a stop of the same model is asked for meanwhile.
            HostError: when the server will not or cannot.
        """
        key = _key(host, model)
        async with self._locks[key]:
            if keep_alive is None and key in self._acts:
                # A stop is only forgotten for a request that says how long the model is to stay.
                keep_alive = _USUAL_KEEP_ALIVE
            act = self._begin(key, ActKind.ACTIVATE, model)
            load = host.load(model, keep_alive=keep_alive, context_length=context_length)
            self._loads[key] = asyncio.create_task(load, name=f"load {model}")
            try:
                await self._loaded(self._loads[key], host, model)
                await self._settle(host)
            finally:
                del self._loads[key]
                self._end(key, act)

    async def deactivate(self, host: Host, model: str) -> Departure:
        """Ask a model to leave, and wait a while until it has left. A running request is never cut."""
        key = _key(host, model)
        if (load := self._loads.get(key)) is not None:
            load.cancel()
        async with self._locks[key]:
            act = self._begin(key, ActKind.DEACTIVATE, model)
            try:
                digest = _digest(await host.installed(), model)
                await self._unload(host, model, digest)
            except BaseException:
                self._end(key, act)
                raise
        try:
            departure = await self._wait(host, key, act, digest)
            if departure is not Departure.LEAVING:
                await self._settle(host)
        except HostError:
            self._end(key, act)
            raise
        if departure is not Departure.LEAVING:
            self._end(key, act)
        return departure

    def observe(self, snapshot: Snapshot) -> None:
        """Take note of a host's newest snapshot: a stop ends when its model has left or is kept."""
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
            if running is None or (key in self._sightings and self._kept(key, running, snapshot.read_at)):
                self._end(key, act)

    async def aclose(self) -> None:
        """Give what is under way in the background a moment, then end it."""
        if self._background:
            await asyncio.wait(self._background, timeout=_LAST_WISH_S)
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)

    # --- acts ---

    def _begin(self, key: _Key, kind: ActKind, model: str) -> Act:
        act = Act(kind, key[0], model, time.monotonic())
        # A newer act takes the place of a stop whose model has not left yet.
        self._acts.pop(key, None)
        self._sightings.pop(key, None)
        self._acts[key] = act
        self._on_change()
        return act

    def _end(self, key: _Key, act: Act) -> None:
        if self._acts.get(key) is act:
            del self._acts[key]
            self._sightings.pop(key, None)
            self._on_change()

    # --- loading ---

    async def _loaded(self, load: asyncio.Task[None], host: Host, model: str) -> None:
        """Return when the task is over; when it is we who are cancelled, take the load back."""
        try:
            await asyncio.wait((load,))
        except asyncio.CancelledError:
            load.cancel()
            await asyncio.gather(load, return_exceptions=True)
            self._take_back(host, model)
            raise
        if load.cancelled():
            raise Interrupted(f"{printable(model)} was stopped before it was loaded.", host=host.url)
        load.result()

    def _take_back(self, host: Host, model: str) -> None:
        task = asyncio.create_task(self._stop_quietly(host, model), name=f"take back {model}")
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _stop_quietly(self, host: Host, model: str) -> object:
        try:
            return await self.deactivate(host, model)
        except HostError:
            # Nobody waits for this one, and its keep-alive ends the model if this could not.
            return None

    # --- leaving ---

    async def _unload(self, host: Host, model: str, digest: str) -> None:
        try:
            await host.unload(model)
        except NotFound:
            if Loaded(await host.running()).find(model, digest) is None:
                raise
            raise Refused(
                f"{printable(model)} was removed while it was loaded: its name cannot stop it any more.",
                host=host.url,
                hint="It leaves when its keep-alive ends.",
            ) from None

    async def _wait(self, host: Host, key: _Key, act: Act, digest: str) -> Departure:
        pause_s, deadline = _FIRST_LOOK_S, time.monotonic() + self._patience_s
        while True:
            running = Loaded(await host.running()).find(act.model, digest)
            if running is None:
                return Departure.GONE
            if self._acts.get(key) is not act or self._kept(key, running, time.monotonic()):
                return Departure.KEPT
            if time.monotonic() >= deadline:
                return Departure.LEAVING
            await asyncio.sleep(pause_s)
            pause_s *= _LOOKS_GROW

    def _kept(self, key: _Key, running: RunningModel, seen_at_s: float) -> bool:
        sighting = Sighting(running.expires_at, seen_at_s)
        return is_kept(self._sightings.setdefault(key, sighting), sighting)


def _key(host: Host, model: str) -> _Key:
    return host.url, model_key(model)


def _digest(installed: Iterable[Model], name: str) -> str:
    """The digest that ``name`` is installed as, by which it may be loaded under another name."""
    key = model_key(name)
    return next((model.digest for model in installed if model_key(model.name) == key), "")
