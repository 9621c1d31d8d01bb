"""What each model would take here, into the states of the hosts."""

from __future__ import annotations

import asyncio
import importlib
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from llmstack_tui.base.address import is_loopback
from llmstack_tui.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from llmstack_tui.core.session import History
    from llmstack_tui.core.watched import WatchedHost
    from llmstack_tui.fit.memory import Request, Subject
    from llmstack_tui.fit.shapes import Subjects
    from llmstack_tui.fit.verdict import Fitted, Room
    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.hardware.readings import MachineReading
    from llmstack_tui.hosts.types import Model, ModelDetails
    from llmstack_tui.store.tables.figures import Measured

# A first list is drawn before anything is reckoned.
_AFTER_S = 1.0
_EVERY_S = 1.0
# A header with a vocabulary takes some 30 ms to read: nobody is to notice that all of them are.
_READ_EVERY_S, _READ_S = 10.0, 0.01
_AT_ONCE = 50
# Nobody who wants to load a model waits longer to be told what it will take.
_PATIENCE_S = 1.0
# What is loaded is told anew at every look; smaller changes of its size change no verdict.
_COARSE = 64 * 2**20


class Weighing:
    """Estimates for the models of hosts on this machine; of others nothing is known about their room.

    Nothing is asked of a server for this: what is known is from files that may be read here, and from the
    details that somebody has looked at; of the others it is their size. Only of a model that is about to be
    loaded its server is asked, wherever it is.

    Args:
        folders: finds the folders of models that may be read. Blocking.
        usual: how a model is loaded where nobody asks for something else. Blocking.
    """

    def __init__(
        self,
        watched: Mapping[str, WatchedHost],
        history: History,
        *,
        folders: Callable[[], Sequence[Path]],
        usual: Callable[[], Request] | None,
    ) -> None:
        self._everywhere = watched
        self._watched = {url: each for url, each in watched.items() if is_loopback(url)}
        self._history = history
        self._folders = folders
        self._usual = usual
        self._profile: Profile | None = None
        self._overflow = 0
        self._allowed: int | None = None
        self._budgeted = asyncio.Event()
        self._stir = asyncio.Event()
        self._signs: dict[str, object] = {}
        self._fits: dict[str, Mapping[str, Fitted]] = {}
        self._learnt: dict[str, set[str]] = {}
        self._told: list[tuple[str, Model, ModelDetails]] = []
        self._subjects: Subjects | None = None
        self._request: Request | None = None
        self._preparing = asyncio.Lock()
        self._read_at_s = float("-inf")
        self._unread = False

    def machine_read(self, reading: MachineReading, profile: Profile) -> None:
        if self._profile is None:
            self._profile = profile
            if profile.memory_word == "VRAM":
                # What a card has no room for runs beside it, slowly.
                from llmstack_tui.hardware.profile import ram_budget  # noqa: PLC0415

                self._overflow = ram_budget(reading.ram) or 0
            self._budgeted.set()

    def allow(self, allowed: int | None) -> None:
        """Models may take that many bytes together, as the user wishes; None is what the machine has."""
        self._allowed = allowed
        self._stir.set()

    def looked(self) -> None:
        """A host may list something else."""
        self._stir.set()

    def told(self, url: str, model: str, details: ModelDetails) -> None:
        """A server has told the details of a model: somebody looks at it."""
        status = self._watched[url].status(model) if url in self._watched else None
        if status is not None and status.model is not None:
            self._told.append((url, status.model, details))
            self._stir.set()

    def subject(self, url: str, model: Model) -> Subject | None:
        """What is known of a model; None before anything was looked at, and of hosts elsewhere."""
        if self._subjects is None or url not in self._watched:
            return None
        return self._subjects.known(url, model) or self._subjects.by_size(model)

    async def to_come(self, url: str, model: Model, *, on_card: bool) -> int | None:
        """Bytes of a model that is about to be loaded: as many as the last time, else as it is reckoned to
        take where it is loaded as usual, else its size.

        Args:
            on_card: what it takes of a card's own memory is meant.
        """
        try:
            store = await self._history.store()
            measured = await store.measured.history(url, model.digest, 1) if model.digest else ()
        except StoreError:
            measured = ()
        for each in measured:
            if (took := each.server_gpu_bytes if on_card else each.server_bytes) is not None:
                return took
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                subjects, usual = await self._prepared()
                from llmstack_tui.fit.memory import estimate  # noqa: PLC0415

                subject = await subjects.look(url, model, self._everywhere[url].host.show)
                found = estimate(subject.weights, subject.shape, subject.request(usual))
                return model.size if found is None else found.total
        return model.size

    async def loads(self, url: str) -> Mapping[str, Sequence[Measured]]:
        """What was measured of a host's models, by digest; nothing where that cannot be read."""
        try:
            measured = await (await self._history.store()).measured.of_host(url)
        except StoreError:
            return {}
        found: dict[str, list[Measured]] = {}
        for each in measured:
            found.setdefault(each.digest, []).append(each)
        return found

    async def _prepared(self) -> tuple[Subjects, Request]:
        """What is known of models, and how one is loaded where nobody asks for something else."""
        await self._budgeted.wait()
        async with self._preparing:
            if self._subjects is None or self._request is None:
                for name in ("fit.room", "fit.shapes"):
                    await asyncio.to_thread(importlib.import_module, f"llmstack_tui.{name}")
                from llmstack_tui.fit.room import repacked_on  # noqa: PLC0415
                from llmstack_tui.fit.shapes import Subjects  # noqa: PLC0415

                assert self._profile is not None  # noqa: S101  # It has been waited for.
                folders = await asyncio.to_thread(self._folders)
                self._request = await asyncio.to_thread(self._usual or _default)
                self._subjects = Subjects(folders, repacked_on(self._profile))
            return self._subjects, self._request

    async def run(self) -> None:
        await self._budgeted.wait()
        await asyncio.sleep(_AFTER_S)
        subjects, usual = await self._prepared()
        while True:
            self._stir.clear()
            await self._learn(subjects)
            for url, each in self._watched.items():
                signs, learnt = self._signs_of_all(url), self._learnt.pop(url, set())
                if signs != self._signs.get(url):
                    await self._weigh(url, each, subjects, usual)
                    self._signs[url] = signs
                elif learnt:
                    await self._weigh(url, each, subjects, usual, learnt)
            await asyncio.sleep(_EVERY_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(_READ_EVERY_S if self._unread else None):
                    await self._stir.wait()

    async def _learn(self, subjects: Subjects) -> None:
        """Look at the models that somebody looks at, and from time to time at some of the others."""
        while self._told:
            url, model, details = self._told.pop()
            await asyncio.to_thread(subjects.read, url, (model,))
            subjects.told(url, model, details)
            self._learnt.setdefault(url, set()).add(model.digest)
        now = time.monotonic()
        if now < self._read_at_s + _READ_EVERY_S:
            return
        self._read_at_s, self._unread = now, False
        for url, each in self._watched.items():
            models = [model for model in each.snapshot.installed if not model.is_cloud]
            if digests := await asyncio.to_thread(_read_some, subjects, url, models):
                self._unread = True
                self._learnt.setdefault(url, set()).update(digests)
                return

    def _signs_of_all(self, url: str) -> object:
        """What an estimate on a host depends on, as far as it changes."""
        loaded = tuple(
            (each.digest, each.context_length, (each.size or 0) // _COARSE)
            for host in self._watched.values()
            for each in host.snapshot.running
        )
        return tuple(model.digest for model in self._watched[url].snapshot.installed), loaded, self._allowed

    async def _weigh(
        self,
        url: str,
        watched: WatchedHost,
        subjects: Subjects,
        usual: Request,
        digests: Collection[str] | None = None,
    ) -> None:
        """Work out what all models of a host take, or those of which more is known than before."""
        from llmstack_tui.fit.memory import estimate  # noqa: PLC0415
        from llmstack_tui.fit.verdict import Fitted, verdict  # noqa: PLC0415

        took, room = await self.loads(url), self.room()
        found = {} if digests is None else {**self._fits[url]}
        installed = watched.snapshot.installed
        models = [each for each in installed if digests is None or each.digest in digests]
        for number, model in enumerate(models, 1):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            if model.is_cloud:
                continue
            subject = subjects.known(url, model) or subjects.by_size(model)
            request = subject.request(usual)
            known = estimate(subject.weights, subject.shape, request, took.get(model.digest, ()))
            if known is not None:
                found[model.name] = Fitted(known, verdict(known, room))
        self._fits[url] = found
        watched.weighed(found)

    def room(self) -> Room:
        """For models, on this machine, beside those that are loaded."""
        from llmstack_tui.fit.verdict import Room  # noqa: PLC0415

        loaded = {
            (each.host.url, running.digest or running.name): running.size or 0
            for each in self._watched.values()
            for running in each.snapshot.running
        }
        budget = None if self._profile is None else self._profile.memory_budget
        taken = sum(loaded.values())
        return Room(budget=budget, taken=taken, overflow=self._overflow, allowed=self._allowed)


def _read_some(subjects: Subjects, url: str, models: Sequence[Model]) -> set[str]:
    """The digests of models whose files were read now: as many as take no time that matters."""
    digests, until_s = set[str](), time.monotonic() + _READ_S
    while time.monotonic() < until_s and (found := subjects.read(url, models)) is not None:
        digests.add(found.digest)
    return digests


def _default() -> Request:
    from llmstack_tui.config.engine import EngineOptions  # noqa: PLC0415
    from llmstack_tui.fit.shapes import usual_request  # noqa: PLC0415

    return usual_request(EngineOptions())
