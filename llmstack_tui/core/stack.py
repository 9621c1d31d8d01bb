"""The core of the dashboard and of the command line: hosts, services, and the state composed of them.

`Stack` opens services on first use. The dashboard calls `follow`, which polls the hosts and runs all
services; a command calls `look` once, and then the services that it needs.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Self

from llmstack_tui.base import lazy
from llmstack_tui.base.kinds import ON_DISK, EventKind
from llmstack_tui.core.options import Permissions, StackOptions, StackParts
from llmstack_tui.core.records import Records
from llmstack_tui.core.services import SERVICES, Handed, OnDemand, Services
from llmstack_tui.core.state import HostState, StackState, same_where_equal
from llmstack_tui.lifecycle.journal import Journal
from llmstack_tui.lifecycle.monitor import HostMonitor
from llmstack_tui.lifecycle.worker import Lifecycle
from llmstack_tui.store.session import StoreSession

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine, Sequence
    from types import TracebackType

    from llmstack_tui.base.sentences import Sentence
    from llmstack_tui.core.actions import ModelActions
    from llmstack_tui.core.providers import HostProviders
    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.hardware.readings import MachineReading
    from llmstack_tui.hardware.service import MachineService
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.service import Service
    from llmstack_tui.lifecycle.states import ModelStatus

# The machine is read after the first list, or after this many seconds without one.
_MACHINE_AFTER_S = 1.0
# So many hosts are asked as often as the options say. More share that pace: a request takes 1 to 3 ms.
_HOSTS_AT_FULL_PACE = 3
# For instance, a disk that fills up again and again gives a notice each time.
_MOST_NOTICES = 20


class Stack(OnDemand, Handed):
    """Hosts and their services, to be used within ``async with``. It closes the hosts that it is given.

    Attributes:
        monitors: the hosts, by URL.
        permissions: what may be done on each host.
        records: reads what is stored.
        session: the store, while it is open.
        journal: writes events and activations.
        lifecycle: loads and unloads.
        defect: the exception that ended a service, if any.
    """

    def __init__(self, hosts: Sequence[Host], options: StackOptions | None = None) -> None:
        options = options or StackOptions()
        super().__init__(options)
        # Set when the state has to be composed again, and when the stack is closed.
        self._changed = asyncio.Event()
        self._changed.set()
        self._state = StackState(())
        self._is_closed = False
        self.defect: BaseException | None = None
        pace = max(1.0, len(hosts) / _HOSTS_AT_FULL_PACE)
        self.monitors = {
            host.url: HostMonitor(
                host,
                acts=lambda: self.lifecycle.acts,
                on_snapshot=self._polled,
                on_change=self._changed.set,
                running_every_s=options.running_every_s * pace,
                installed_every_s=options.installed_every_s * pace,
                processes=options.processes,
            )
            for host in hosts
        }
        self._hosts = {host.url: host for host in hosts}
        self.permissions = Permissions(self._hosts, read_only=options.read_only, look_only=options.look_only)
        self.session = StoreSession(
            options.state_file,
            on_notice=self._noticed,
            on_event=self._on_event,
            on_installed=self._installed_elsewhere,
            installed_kinds=ON_DISK,
        )
        self.records = Records(self.session)
        self.journal = Journal(self.session.write, asked_by=options.actor)
        self.lifecycle = Lifecycle(
            on_change=lambda url: self.monitors[url].renew(),
            settle=self.settle,
            patience_s=options.stop_patience_s,
            journal=self.journal,
            asked_by=options.actor,
        )
        self._parts = StackParts(
            options, self.monitors, self.permissions, self.session, self.lifecycle, self.journal, self.settle
        )
        self._services = Services(
            self._parts,
            on_change=self._changed.set,
            on_checked=self._update_automatically,
            prepare=self.prepare,
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._visible = True
        self._notices: tuple[Sentence, ...] = ()
        self._last_event_id = 0
        self._is_following = False

    # --- services, each opened on first use ---

    @cached_property
    def actions(self) -> ModelActions:
        """The actions on models."""
        from llmstack_tui.core.actions import ModelActions  # noqa: PLC0415

        return ModelActions(
            self._parts,
            admitted=self._services.admitted,
            guard=lambda: self.guard,
            fit=lambda: self.fit,
            disk=lambda: self.disk,
        )

    @cached_property
    def providers(self) -> HostProviders:
        """The one way to ask the models of the hosts."""
        from llmstack_tui.core.providers import HostProviders  # noqa: PLC0415

        return HostProviders(self._parts, self.actions.activate, self._services.admitted)

    @cached_property
    def machine(self) -> MachineService:
        """This machine; its readings are in the state."""
        from llmstack_tui.hardware.service import MachineService  # noqa: PLC0415

        return MachineService(
            on_reading=self._machine_read,
            on_notice=self._noticed,
            machine=self._options.machine,
            models=self._options.models_folder,
            profile=self._options.profile,
            every_s=self._options.machine_every_s,
            visible=self._visible,
        )

    # --- lifetime ---

    async def __aenter__(self) -> Self:
        return self

    def follow(self) -> None:
        """Poll the hosts and run all services until the stack is closed."""
        from llmstack_tui.lifecycle.recall import follow  # noqa: PLC0415

        self._is_following = True
        for url, monitor in self.monitors.items():
            self._start(f"poll {url}", monitor.poller.run())
            self._start(f"remember {url}", follow(self.session, monitor))
        self._start("state file", self.session.run())
        self._start("machine", self._run_machine())
        self._start("services", self._run_services())

    def work(self, *services: Service) -> None:
        """Run these services until the stack is closed, without `follow`."""
        for service in services:
            self._start(type(service).__name__, service.run())

    async def prepare(self, host_url: str | None = None) -> None:
        """Tell a guard that does not run, and is not off at ``host_url``, what it must know for a load."""
        if self._is_following or (host_url is not None and self.guard.off(host_url)):
            return
        if not self.guard.admissions.is_on:
            await asyncio.gather(self.machine.read_once(), self.guard.prepare(from_record=True))
        await self.look()

    async def look(self, host_url: str | None = None) -> None:
        """Poll every host once, or only one. If a host does not answer, its snapshot has the error."""
        asked = (each.poller.poll() for url, each in self.monitors.items() if host_url in (None, url))
        await asyncio.gather(*asked)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.lifecycle.aclose()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        on_demand = filter(None, map(self.__dict__.get, ("catalog", "chats")))
        for each in (*self._services.open.values(), *on_demand):
            await each.aclose()
        self.journal.close()
        await self.session.aclose()  # Last, so that the others can write until then.
        for host in self._hosts.values():
            await host.aclose()
        self._is_closed = True
        self._changed.set()
        if self.defect is not None and error is None:
            raise self.defect

    # --- the state ---

    @property
    def state(self) -> StackState:
        """The newest state. It is composed on demand, so that many changes at once make one state."""
        if self._changed.is_set():
            self._changed.clear()
            self._state = self._compose()
        return self._state

    async def watch(self) -> AsyncGenerator[StackState, None]:
        """The present state, then each new one until the stack closes. A slow reader gets only the newest.

        Raises:
            BaseException: the exception that ended a service.
        """
        seen: StackState | None = None
        while not self._is_closed:
            if self.defect is not None:
                raise self.defect
            if (state := self.state) is not seen:
                seen = state
                yield state
            else:
                await self._changed.wait()

    def refresh(self) -> None:
        """Poll every host now."""
        for monitor in self.monitors.values():
            monitor.poller.refresh()

    def set_visible(self, visible: bool) -> None:
        """While the screen is not visible, poll less often; when it becomes visible, poll at once."""
        self._visible = visible
        if "machine" in self.__dict__:
            self.machine.set_visible(visible)
        for monitor in self.monitors.values():
            monitor.poller.visible = visible

    # --- for services and actions ---

    @property
    def read_only(self) -> bool:
        """Whether nothing may be changed on any host."""
        return self.permissions.read_only

    @read_only.setter
    def read_only(self, read_only: bool) -> None:
        self.permissions.read_only = read_only

    @property
    def look_only(self) -> frozenset[str]:
        """The URLs of the hosts on which nothing may be changed."""
        return self.permissions.look_only

    def status(self, host_url: str, model: str) -> ModelStatus | None:
        return self.monitors[host_url].status(model)

    async def settle(self, host: Host) -> None:
        """Return when the state shows the change just made on a host."""
        if self._is_following:
            await self.monitors[host.url].poller.refreshed()

    # --- helpers ---

    def _start(self, name: str, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.append(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Keep the exception of a task that failed, for `watch` to raise."""
        if not task.cancelled() and (defect := task.exception()) is not None:
            self.defect = self.defect or defect
            self._changed.set()

    async def _first_list(self) -> None:
        """Return when the first list has been drawn: importing the services would delay it."""
        async with aclosing(self.watch()) as states:
            async for state in states:
                if any(each.snapshot.was_polled for each in state.hosts):
                    break
        await asyncio.sleep(self._options.services_after_s)

    async def _run_machine(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_MACHINE_AFTER_S):
                await self._first_list()
        await lazy.load(".hardware.service")
        await self.machine.run()

    async def _run_services(self) -> None:
        await self._first_list()
        for name in self._services.due:
            await lazy.load(SERVICES[name])
            service: Service = getattr(self._services, name)
            self._start(name, service.run())

    def _polled(self, monitor: HostMonitor) -> None:
        snapshot = monitor.snapshot
        self.lifecycle.observe(snapshot)
        if self._is_following:  # A command looks too seldom to tell what other programs did in between.
            ours = {act.model for act in self.lifecycle.recent(snapshot.url)}
            self.journal.look(snapshot, monitor.used | ours)
            self.journal.timed(*monitor.told_speeds())
        for service in self._services.open.values():
            service.on_snapshot(snapshot)

    def _compose(self) -> StackState:
        """Compose the state from the monitors and the open services."""
        services, opened = self._services, self._services.open
        updates = services.updates if "updates" in opened else None
        fit = services.fit if "fit" in opened else None
        reading, profile = services.reading or (None, None)
        hosts = (
            HostState(
                each.snapshot,
                each.models,
                each.speeds,
                updates.updates.get(url, {}) if updates else {},
                fit.fits.get(url, {}) if fit else {},
            )
            for url, each in self.monitors.items()
        )
        return StackState(
            # Unchanged hosts stay the same objects, so that a screen can compare them by identity.
            hosts=same_where_equal(self._state.hosts, tuple(hosts)),
            acts=self.lifecycle.acts,
            machine=reading,
            profile=profile,
            notices=self._notices,
            last_event_id=self._last_event_id,
            checking=updates is not None and updates.is_checking,
            downloads=services.downloads.downloads if "downloads" in opened else (),
            releases=services.releases.releases if "releases" in opened else (),
            held=services.releases.held if "releases" in opened else "",
            guards=services.guard.states if "guard" in opened else {},
        )

    def _machine_read(self, reading: MachineReading, profile: Profile) -> None:
        self._services.reading = (reading, profile)
        for service in self._services.open.values():
            service.on_reading(reading, profile)
        self._changed.set()

    def _on_event(self, event_id: int) -> None:
        self._last_event_id = event_id
        for service in self._services.open.values():
            service.on_event(event_id)
        self._changed.set()

    def _installed_elsewhere(self, urls: frozenset[str]) -> None:
        """Poll these hosts now: another program may have changed their installed models."""
        for url in urls & self.monitors.keys():
            self.monitors[url].poller.refresh()

    def _noticed(self, notice: Sentence) -> None:
        self._notices = (*self._notices, notice)[-_MOST_NOTICES:]
        self.journal.event(EventKind.NOTICE, notice)
        self._changed.set()

    async def _update_automatically(self) -> None:
        from llmstack_tui.core.auto_update import update_automatically  # noqa: PLC0415

        await update_automatically(self.state, self.downloads, self.journal)
