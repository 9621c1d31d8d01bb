"""Estimates the memory of the models of all hosts, and whether they fit on this machine."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.structs import replace
from llmstack_tui.fit.memory import estimate
from llmstack_tui.fit.room import repacked_on, room_of
from llmstack_tui.fit.subjects import Subjects
from llmstack_tui.fit.verdict import Fitted, Room, verdict
from llmstack_tui.hosts.service import Service
from llmstack_tui.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from llmstack_tui.fit.memory import Request, Subject
    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.hardware.readings import MachineReading
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import Model, ModelDetails, RunningModel, Snapshot
    from llmstack_tui.store.session import StoreSession
    from llmstack_tui.store.tables.figures import Measured

# Seconds from a change to the estimates, so that the change is drawn first and several make one round.
_AFTER_S = 0.5
# Reading the header of a model file, with its vocabulary, takes some 30 ms: few are read at a time.
_READ_EVERY_S, _READ_S = 10.0, 0.01
_ESTIMATES_AT_ONCE = 50
# Loading or listing models waits no longer than this for estimates.
_PATIENCE_S = 1.0
_SHOWS_AT_ONCE = 8
# Smaller changes of loaded and of free memory are ignored.
_LOADED_STEP, _FREE_STEP = 64 * 2**20, 512 * 2**20
# Other programs take and give back memory all the time.
_FREE_EVERY_S = 30.0


class FitService(Service):
    """Estimates for the models of hosts on this machine; the room of other machines is not known.

    They come from model files on this machine and from details that a user looked at; of other models only
    the size is known. A server is asked only for a model that is about to be loaded, and by `look_at_all`.

    Args:
        folders: finds the folders of models on this machine. Blocking.
        usual: how a model is loaded by default. Blocking.
        allowed: see `allow`.
        on_change: called when `fits` has changed.

    Attributes:
        fits: by the URL of the host and the model's name. `run` fills it only for hosts on this machine.
    """

    def __init__(
        self,
        hosts: Mapping[str, Host],
        session: StoreSession,
        *,
        folders: Callable[[], Sequence[Path]],
        usual: Callable[[], Request],
        allowed: int | None,
        on_change: Callable[[], None],
    ) -> None:
        self.fits: dict[str, Mapping[str, Fitted]] = {}
        self._hosts = hosts
        self._session = session
        self._folders = folders
        self._usual_of = usual
        self._on_change = on_change
        self._snapshots: dict[str, Snapshot] = {}
        self._profile: Profile | None = None
        self._reading: MachineReading | None = None
        self._allowed = allowed
        self._read = asyncio.Event()
        self._changed = asyncio.Event()
        self._sources: dict[str, object] = {}
        self._took: dict[str, Mapping[str, Sequence[Measured]]] = {}
        self._learnt: dict[str, set[str]] = {}
        self._looked_at: set[tuple[str, str]] = set()
        self._details: list[tuple[str, Model, ModelDetails]] = []
        self._preparing = asyncio.Lock()
        self._subjects: Subjects | None = None
        self._usual: Request | None = None
        self._read_at_s = float("-inf")
        self._last_free: tuple[float, int | None] = (0.0, None)
        self._is_unread = False

    def allow(self, allowed: int | None) -> None:
        """Limit the bytes that all models may take together; None is no limit but the machine's."""
        self._allowed = allowed
        self._changed.set()

    def on_snapshot(self, snapshot: Snapshot) -> None:
        before, self._snapshots[snapshot.url] = self._snapshots.get(snapshot.url), snapshot
        if before is None or before.installed is not snapshot.installed:
            self._is_unread = True
        elif before.running == snapshot.running:
            return
        self._changed.set()

    def on_reading(self, reading: MachineReading, profile: Profile) -> None:
        self._reading, self._profile = reading, profile
        self._read.set()

    def on_details(self, host_url: str, model: str, details: ModelDetails) -> None:
        """Take note of the details of a model, which a server has just told."""
        installed = self._snapshots[host_url].installed if host_url in self._snapshots else ()
        for each in installed:
            if each.name == model and each.is_here and is_loopback(host_url):
                self._details.append((host_url, each, details))
                self._changed.set()

    def subject(self, host_url: str, model: Model) -> Subject | None:
        """What is known of a model; None before the first estimates, and for hosts on other machines."""
        if self._subjects is None or not is_loopback(host_url):
            return None
        return self._subjects.known(host_url, model) or self._subjects.by_size(model)

    def room(self, beside: RunningModel | None = None) -> Room:
        """The room on this machine, beside the loaded models; ``beside`` counts as if it were not loaded."""
        taken = sum(each.size or 0 for each in self._loaded() if each is not beside)
        if self._profile is None or self._reading is None:
            return Room(budget=None, taken=taken, allowed=self._allowed)
        room = room_of(self._profile, self._reading, taken, allowed=self._allowed)
        if beside is not None and room.free is not None:
            # What it takes would be free.
            room = replace(room, free=room.free + (beside.size or 0))
        return room

    async def expected(self, host_url: str, model: Model, *, on_card: bool) -> int | None:
        """Bytes that a model will take: as at its last load, else as estimated, else its size.

        Args:
            on_card: of its last load, take only the part in VRAM.
        """
        if not model.is_here:
            return model.size
        took = self._took.get(host_url)
        loads = await self._measured(host_url, model.digest) if took is None else took.get(model.digest, ())
        for each in loads:
            if (size := each.server_gpu_bytes if on_card else each.server_bytes) is not None:
                return size
        known = self.fits.get(host_url, {}).get(model.name)
        if known is not None and (host_url, model.digest) in self._looked_at:
            return known.estimate.total
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                subject, (_, usual) = await self.look_at(host_url, model), await self._prepared()
                found = estimate(subject.weights, subject.shape, subject.request(usual))
                return model.size if found is None else found.total
        return model.size

    async def measured(self, host_url: str) -> Mapping[str, Sequence[Measured]]:
        """The measured loads of a host's models, by digest; empty if they cannot be read."""
        if self._session.is_empty:
            return {}
        try:
            measured = await (await self._session.store()).measured.of_host(host_url)
        except StoreError:
            return {}
        found: dict[str, list[Measured]] = {}
        for each in measured:
            found.setdefault(each.digest, []).append(each)
        return found

    async def look_at(self, host_url: str, model: Model) -> Subject:
        """Find out about one model, from its file or its server."""
        subjects, _ = await self._prepared()
        return await subjects.look(host_url, model, self._hosts[host_url].show)

    async def look_at_all(self) -> None:
        """Find out about all models, from files and servers, for a second at most; then estimate all."""
        subjects, usual = await self._prepared()
        slots = asyncio.Semaphore(_SHOWS_AT_ONCE)

        async def look(url: str, model: Model) -> None:
            async with slots:
                await subjects.look(url, model, self._hosts[url].show)

        models = [(url, model) for url, each in self._snapshots.items() for model in each.installed]
        looks = [asyncio.create_task(look(url, model)) for url, model in models if model.is_here]
        if looks:
            _, late = await asyncio.wait(looks, timeout=_PATIENCE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*looks, return_exceptions=True)
        for url in self._snapshots:
            await self._estimate(url, subjects, usual)

    async def predicted(self, host_url: str, model: Model, running: RunningModel) -> int | None:
        """Bytes that a loaded model should take by the formula, for its present context length."""
        if not model.is_here:
            return None
        subject, (_, usual) = await self.look_at(host_url, model), await self._prepared()
        found = estimate(subject.weights, subject.shape, _as_loaded(subject.request(usual), running))
        return None if found is None else found.total

    async def run(self) -> None:
        await self._read.wait()
        subjects, usual = await self._prepared()
        while True:
            self._changed.clear()
            await self._learn(subjects)
            for url in self._snapshots:
                source, learnt = self._source(url), self._learnt.pop(url, set())
                if not is_loopback(url):
                    continue
                if source != self._sources.get(url):
                    await self._estimate(url, subjects, usual)
                    self._sources[url] = source
                elif learnt:
                    await self._estimate(url, subjects, usual, learnt)
            with suppress(TimeoutError):
                async with asyncio.timeout(_READ_EVERY_S if self._is_unread else _FREE_EVERY_S):
                    await self._changed.wait()
            await asyncio.sleep(_AFTER_S)

    # --- helpers ---

    async def _prepared(self) -> tuple[Subjects, Request]:
        """What is known of models, and how a model is loaded by default."""
        await self._read.wait()
        async with self._preparing:
            if self._subjects is None or self._usual is None:
                assert self._profile is not None  # noqa: S101  # It has been waited for.
                self._usual = await asyncio.to_thread(self._usual_of)
                folders = await asyncio.to_thread(self._folders)
                self._subjects = Subjects(folders, repacked_on(self._profile))
            return self._subjects, self._usual

    async def _measured(self, host_url: str, digest: str) -> Sequence[Measured]:
        with suppress(StoreError):
            store = await self._session.store()
            return await store.measured.history(host_url, digest, 1) if digest else ()
        return ()

    async def _learn(self, subjects: Subjects) -> None:
        """Take in the details that were told, and from time to time read the files of some other models."""
        while self._details:
            url, model, details = self._details.pop()
            await asyncio.to_thread(subjects.read, url, (model,))
            subjects.told(url, model, details)
            self._learnt.setdefault(url, set()).add(model.digest)
        now = time.monotonic()
        if now < self._read_at_s + _READ_EVERY_S:
            return
        self._read_at_s, self._is_unread = now, False
        for url, snapshot in self._snapshots.items():
            models = [model for model in snapshot.installed if model.is_here]
            if is_loopback(url) and (digests := await asyncio.to_thread(_read_some, subjects, url, models)):
                self._is_unread = True
                self._learnt.setdefault(url, set()).update(digests)
                return

    def _loaded(self) -> list[RunningModel]:
        """The loaded models of hosts on this machine."""
        found = {
            (url, each.digest or each.name): each
            for url, snapshot in self._snapshots.items()
            if is_loopback(url)
            for each in snapshot.running
        }
        return list(found.values())

    def _source(self, url: str) -> object:
        """The changing values that the verdicts on a host's models depend on."""
        loaded = tuple(
            (each.digest, each.context_length, (each.size or 0) // _LOADED_STEP) for each in self._loaded()
        )
        free = self._free()
        return self._snapshots[url].installed, loaded, self._allowed, free

    def _free(self) -> int | None:
        """Bytes of free memory, updated only if the change is worth 300 new verdicts."""
        now_s, free = time.monotonic(), None if self._reading is None else self.room().free
        at_s, known = self._last_free
        is_due = now_s >= at_s + _FREE_EVERY_S
        if free is None or known is None or (is_due and abs(free - known) > _FREE_STEP):
            self._last_free = now_s, free
        return self._last_free[1]

    async def _estimate(
        self, url: str, subjects: Subjects, usual: Request, digests: Collection[str] | None = None
    ) -> None:
        """Estimate the models of a host; with ``digests``, only those."""
        took = self._took[url] = await self.measured(url)
        snapshot, room = self._snapshots[url], self.room()
        found = {} if digests is None else {**self.fits.get(url, {})}
        running = {each.digest: each for each in snapshot.running if each.digest}
        models = [each for each in snapshot.installed if digests is None or each.digest in digests]
        for number, model in enumerate(models, 1):
            if number % _ESTIMATES_AT_ONCE == 0:
                await asyncio.sleep(0)
            if not model.is_here:
                continue
            if (subject := subjects.known(url, model)) is None:
                subject = subjects.by_size(model)
            else:
                self._looked_at.add((url, model.digest))
            loaded = running.get(model.digest)
            request = _as_loaded(subject.request(usual), loaded)
            known = estimate(subject.weights, subject.shape, request, took.get(model.digest, ()))
            if known is not None:
                there = room if loaded is None else self.room(loaded)
                # The room of another machine is not known.
                found[model.name] = Fitted(known, verdict(known, there) if is_loopback(url) else None)
        if found != (before := self.fits.get(url, {})):
            # Unchanged fits stay the same objects.
            self.fits[url] = {
                name: before[name] if before.get(name) == fit else fit for name, fit in found.items()
            }
            self._on_change()


def _as_loaded(usual: Request, running: RunningModel | None) -> Request:
    context = running.context_length if running is not None else None
    return replace(usual, context_length=context) if context else usual


def _read_some(subjects: Subjects, url: str, models: Sequence[Model]) -> set[str]:
    """Read files of models for `_READ_S` at most; the digests of the models that were read."""
    digests, until_s = set[str](), time.monotonic() + _READ_S
    while time.monotonic() < until_s and (found := subjects.read(url, models)) is not None:
        digests.add(found.digest)
    return digests
