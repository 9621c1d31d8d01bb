"""Opens and closes the parts below in order, and says what is so and what is under way."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from functools import partial
from typing import TYPE_CHECKING, Self

from llmstack_tui.base.kinds import Capability, HostKind
from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.catalog.service import Browsing
from llmstack_tui.core.disk import Disk
from llmstack_tui.core.guarding import Guarding
from llmstack_tui.core.latest import Feed
from llmstack_tui.core.releasing import Releasing
from llmstack_tui.core.remembering import remember
from llmstack_tui.core.session import History
from llmstack_tui.core.state import StackState
from llmstack_tui.core.updating import DRAWN_AFTER_S, Updating
from llmstack_tui.core.using import Using
from llmstack_tui.core.watched import WatchedHost
from llmstack_tui.core.weighing import Weighing
from llmstack_tui.downloads.queue import Downloads
from llmstack_tui.hardware.service import Hardware
from llmstack_tui.lifecycle.changes import EventKind
from llmstack_tui.lifecycle.journal import Journal
from llmstack_tui.lifecycle.worker import Lifecycle
from llmstack_tui.updates.programs import Program

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path
    from types import TracebackType

    from llmstack_tui.config import GuardSettings
    from llmstack_tui.downloads.types import Download
    from llmstack_tui.fit.memory import Request
    from llmstack_tui.guard.state import GuardState
    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.hardware.readings import MachineReading
    from llmstack_tui.hardware.service import Readable
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import Snapshot
    from llmstack_tui.updates.programs import Release

_MACHINE_AFTER_S = 1.0
# A disk that is full again and again gives a notice each time.
_MOST_NOTICES = 20


class Stack(Using):
    """Watches hosts and acts on them, within ``async with``. It closes the hosts that it is given.

    Every act raises `HostError`, and `Refused` where the stack is read-only or the host cannot do it.
    Close the iterators that acts are (`contextlib.aclosing`) when they are not read to their end.

    Args:
        look_only: the URLs of hosts on which nothing may be changed, as with ``read_only`` on none.
        running_every_s: seconds between looks at what is loaded; ``installed_every_s`` at what is installed.
        machine_every_s: seconds between two readings of the machine.
        machine: what is read; None is this machine.
        models_folder: where models are kept, for the room that is left on that disk.
        profile: the name of the profile that the user chose; None works it out.
        state_file: where all is remembered; None remembers as long as the program runs.
        check_every: how often registries are asked for newer versions, from the first list on; None never
            asks by itself.
        parallel_pulls: how many models are pulled at once.
        releases: where the newest versions of programs are told; None never asks for them.
        automatic: fetch newer versions by itself, of models that are not busy.
        guard: how much may be loaded and what is stopped by itself; None guards nothing.
        model_folders: finds the folders of models on this machine that tell what is installed. Blocking.
        usual: how a model is loaded where nobody asks for something else. Blocking.

    Attributes:
        updates: what to ask for newer versions; what it learns is in the state.
        downloads: what to ask for models; how far they are is in the state.
        browsing: the catalogue, and what registries say of a model that is not here.
        disk: what ``models_folder`` holds.
        weighing: what models would take here; that, too, is in the state.
        guarding: pins, and what may be loaded; what it is up to is in the state.
    """

    def __init__(
        self,
        hosts: Sequence[Host],
        *,
        read_only: bool = False,
        look_only: Collection[str] = (),
        running_every_s: float = 2.0,
        installed_every_s: float = 30.0,
        machine_every_s: float = 1.0,
        machine: Readable | None = None,
        models_folder: Path | None = None,
        profile: str | None = None,
        state_file: Path | None = None,
        check_every: timedelta | None = None,
        parallel_pulls: int = 1,
        releases: Mapping[Program, str] | None = None,
        automatic: bool = False,
        guard: GuardSettings | None = None,
        model_folders: Callable[[], Sequence[Path]] = tuple,
        usual: Callable[[], Request] | None = None,
    ) -> None:
        self.read_only = read_only
        self.look_only = frozenset(look_only)
        self._watched = {
            host.url: WatchedHost(
                host,
                on_look=self._looked,
                on_change=partial(self._changed, host.url),
                running_every_s=running_every_s,
                installed_every_s=installed_every_s,
            )
            for host in hosts
        }
        history = History(
            state_file, on_notice=self._noticed, on_news=self._happened, on_disk=self._listed_anew
        )
        super().__init__(history)
        self._journal = Journal(history.write)
        self._lifecycle = Lifecycle(on_change=self._acts_changed, settle=self._settle, journal=self._journal)
        self._hardware = Hardware(
            on_reading=self._machine_read,
            on_notice=self._noticed,
            machine=machine,
            models=models_folder,
            profile=profile,
            every_s=machine_every_s,
        )
        self.updates = Updating(
            self._watched,
            history,
            every=check_every,
            folders=model_folders,
            on_checking=self._checking,
            on_checked=self._update_by_itself if automatic else None,
        )
        self._releasing = Releasing(
            history, addresses=releases, wanted=self._programs, on_news=self._released
        )
        self.downloads = Downloads(
            {host.url: host for host in hosts},
            history,
            self._lifecycle,
            self._journal,
            allowed=lambda url: self._allowed(url, Capability.PULL, act=True),
            settle=self._settle,
            on_change=self._downloading,
            parallel=parallel_pulls,
            lock=state_file,
            folders=model_folders,
        )
        self.weighing = Weighing(self._watched, history, folders=model_folders, usual=usual)
        self.guarding = Guarding(
            self._watched,
            history,
            self._lifecycle,
            self._journal,
            settings=guard,
            may_act=lambda url: not self.read_only and url not in self.look_only,
            lock=state_file,
            weighing=self.weighing,
            on_change=self._guarded,
        )
        self.browsing = Browsing()
        self.disk = Disk(models_folder)
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._feed = Feed(StackState(tuple(each.state for each in self._watched.values())))

    async def __aenter__(self) -> Self:
        works = {f"poll {url}": each.poller.run() for url, each in self._watched.items()}
        works |= {f"remember {url}": remember(self._history, each) for url, each in self._watched.items()}
        works["read the machine"] = self._read_machine()
        works["look for updates"] = self.updates.run()
        works["pull"] = self.downloads.run()
        works["guard"] = self.guarding.run()
        works["weigh"] = self.weighing.run()
        works["look for releases"] = self._releasing.run()
        works["remember"] = self._history.run()
        self._tasks = tuple(asyncio.create_task(work, name=name) for name, work in works.items())
        for task in self._tasks:
            task.add_done_callback(self._ended)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._lifecycle.aclose()
        # The store ends last, so that it hears of the end of the others.
        *works, history = self._tasks
        for tasks in (works, [history]):
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._journal.close()
        await self.browsing.aclose()
        for each in self._watched.values():
            await each.host.aclose()
        self._feed.close()
        if self._feed.defect is not None and error is None:
            raise self._feed.defect

    def _ended(self, task: asyncio.Task[None]) -> None:
        """What ends a task other than our cancelling is a defect, and must not pass in silence."""
        if not task.cancelled() and (defect := task.exception()) is not None:
            self._feed.fail(defect)

    # --- what is so ---

    @property
    def state(self) -> StackState:
        return self._feed.value

    def watch(self) -> AsyncGenerator[StackState, None]:
        """The state now, and then each new one until the stack closes. A slow reader gets only the newest.

        Raises:
            BaseException: the defect that has ended the watching of something, if one has.
        """
        return self._feed.watch()

    def refresh(self) -> None:
        """Look at every host again, now."""
        for each in self._watched.values():
            each.poller.refresh()

    def set_visible(self, visible: bool) -> None:
        """Nobody looks: look less often; somebody looks again: look at once."""
        self._hardware.set_visible(visible)
        for each in self._watched.values():
            each.poller.visible = visible

    # --- changes ---

    def _looked(self, snapshot: Snapshot, used: frozenset[str]) -> None:
        before = self._lifecycle.acts
        self._lifecycle.observe(snapshot)
        acts = (*before, *self._lifecycle.acts)
        self._journal.look(snapshot, used | {act.model for act in acts if act.host == snapshot.url})
        self.guarding.looked(snapshot, used, acts)

    def _changed(self, url: str) -> None:
        self._watched[url].renew(self._lifecycle.acts)
        self._put_hosts()
        self.updates.looked(self._watched[url].snapshot)
        self.weighing.looked()

    def _acts_changed(self) -> None:
        acts = self._lifecycle.acts
        changed = {act.host for act in {*acts} ^ {*self.state.acts}}
        for url in changed & self._watched.keys():
            self._watched[url].renew(acts)
        self._put_hosts()

    def _put_hosts(self) -> None:
        hosts = tuple(each.state for each in self._watched.values())
        self._feed.put(replace(self.state, hosts=hosts, acts=self._lifecycle.acts))

    async def _read_machine(self) -> None:
        """Once a first list is drawn: what is imported for this would hold it up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_MACHINE_AFTER_S), aclosing(self.watch()) as states:
                async for state in states:
                    if any(host.snapshot.read_at is not None for host in state.hosts):
                        break
        await asyncio.sleep(DRAWN_AFTER_S)
        await self._hardware.run()

    def _machine_read(self, reading: MachineReading, profile: Profile) -> None:
        self.guarding.machine_read(reading, profile)
        self.weighing.machine_read(reading, profile)
        self._feed.put(replace(self.state, machine=reading, profile=profile))

    def _guarded(self, guards: Mapping[str, GuardState]) -> None:
        self._feed.put(replace(self.state, guards=guards))

    def _checking(self, checking: bool) -> None:
        if checking != self.state.checking:
            self._feed.put(replace(self.state, checking=checking))

    def _downloading(self, downloads: tuple[Download, ...]) -> None:
        self._feed.put(replace(self.state, downloads=downloads))

    def _programs(self) -> frozenset[Program]:
        """Those that are in use here."""
        kinds = {each.snapshot.server.kind for each in self._watched.values() if each.snapshot.server}
        return frozenset({Program.LLMSTACK, *([Program.OLLAMA] if HostKind.OLLAMA in kinds else [])})

    def _released(self, releases: tuple[Release, ...]) -> None:
        self._feed.put(replace(self.state, releases=releases))

    async def _update_by_itself(self) -> None:
        from llmstack_tui.core.auto_update import update_by_itself  # noqa: PLC0415

        await update_by_itself(self.state, self.downloads, self._journal)

    def _happened(self, event_id: int) -> None:
        self.guarding.happened()
        self._feed.put(replace(self.state, last_event_id=event_id))

    def _listed_anew(self, urls: frozenset[str]) -> None:
        """Another program changed what is installed there, perhaps: do not wait for the next look at it."""
        for url in urls & self._watched.keys():
            self._watched[url].poller.refresh()

    def _noticed(self, notice: str) -> None:
        self._feed.put(replace(self.state, notices=(*self.state.notices, notice)[-_MOST_NOTICES:]))
        self._journal.event(EventKind.NOTICE, quoted(notice))
