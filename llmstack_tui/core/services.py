"""The services of a stack: each is opened when it is first asked for, and hears what happens from then on.

A capability with a service is one entry in `SERVICES`, and one property that opens it.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeVar

from llmstack_tui.base.kinds import Capability
from llmstack_tui.hosts.service import Service

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from llmstack_tui.core.options import Permissions, StackOptions
    from llmstack_tui.downloads.queue import DownloadQueue
    from llmstack_tui.fit.service import FitService
    from llmstack_tui.guard.service import GuardService
    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.hardware.readings import MachineReading
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import Snapshot
    from llmstack_tui.lifecycle.journal import Journal
    from llmstack_tui.lifecycle.monitor import HostMonitor
    from llmstack_tui.lifecycle.worker import Lifecycle
    from llmstack_tui.store.session import StoreSession
    from llmstack_tui.updates.releases import ReleaseChecker
    from llmstack_tui.updates.service import UpdateService

_S = TypeVar("_S", bound=Service)

# In the order in which a dashboard has them begin; each with the module that is imported for it, in a thread.
SERVICES = {
    "fit": ".fit.service",
    "updates": ".updates.service",
    "downloads": ".downloads.queue",
    "guard": ".guard.service",
    "releases": ".updates.releases",
}


class Services:
    """What the services stand on, and those that are open.

    Args:
        settle: returns when the state shows what was just done on a host.
        on_change: is called when what a service has to show is another than before.
        on_checked: is awaited after each check for newer versions that was due by itself.
    """

    def __init__(
        self,
        options: StackOptions,
        monitors: Mapping[str, HostMonitor],
        permissions: Permissions,
        session: StoreSession,
        *,
        lifecycle: Lifecycle,
        journal: Journal,
        settle: Callable[[Host], Awaitable[None]],
        on_change: Callable[[], None],
        on_checked: Callable[[], Awaitable[None]],
    ) -> None:
        self._options = options
        self._monitors = monitors
        self._hosts = {url: monitor.host for url, monitor in monitors.items()}
        self._permissions = permissions
        self._session = session
        self._lifecycle = lifecycle
        self._journal = journal
        self._settle = settle
        self._on_change = on_change
        self._on_checked = on_checked
        self._open: list[Service] = []
        self._reading: tuple[MachineReading, Profile] | None = None

    def opened(self, name: str) -> bool:
        """Whether the service of this name was asked for before."""
        return name in self.__dict__

    @property
    def due(self) -> tuple[str, ...]:
        """The names of those that a dashboard has at work."""
        return tuple(name for name in SERVICES if name != "releases" or self._options.releases is not None)

    @cached_property
    def updates(self) -> UpdateService:
        from llmstack_tui.updates.service import UpdateService  # noqa: PLC0415

        return self._opened(
            UpdateService(
                self._hosts,
                self._session,
                every=self._options.check_every,
                folders=self._options.model_folders,
                on_change=self._on_change,
                on_checked=self._on_checked if self._options.automatic else None,
            )
        )

    @cached_property
    def releases(self) -> ReleaseChecker:
        from llmstack_tui.updates.releases import ReleaseChecker  # noqa: PLC0415

        addresses = self._options.releases or {}
        return self._opened(ReleaseChecker(self._session, addresses=addresses, on_change=self._on_change))

    @cached_property
    def downloads(self) -> DownloadQueue:
        from llmstack_tui.downloads.queue import DownloadQueue  # noqa: PLC0415

        return self._opened(
            DownloadQueue(
                self._hosts,
                self._session,
                self._lifecycle,
                self._journal,
                allowed=partial(self._permissions.allowed, capability=Capability.PULL, act=True),
                settle=self._settle,
                on_change=self._on_change,
                parallel=self._options.parallel_pulls,
                lock=self._options.state_file,
                folders=self._options.model_folders,
                patient=self._options.patient_pulls,
                only_own=self._options.only_own_pulls,
            )
        )

    @cached_property
    def fit(self) -> FitService:
        from llmstack_tui.fit.service import FitService  # noqa: PLC0415

        return self._opened(
            FitService(
                self._hosts,
                self._session,
                folders=self._options.model_folders,
                usual=self._options.usual,
                allowed=self._options.guard.allowed if self._options.guard else None,
                on_change=self._on_change,
            )
        )

    @cached_property
    def guard(self) -> GuardService:
        from llmstack_tui.guard.service import GuardService  # noqa: PLC0415

        return self._opened(
            GuardService(
                self._monitors,
                self._session,
                self._lifecycle,
                self._journal,
                settings=self._options.guard,
                may_act=self._permissions.may_act,
                lock=self._options.state_file,
                fit=self.fit,
                on_change=self._on_change,
                take_over_s=self._options.guard_take_over_s,
            )
        )

    # --- what they hear ---

    def on_snapshot(self, snapshot: Snapshot) -> None:
        for service in self._open:
            service.on_snapshot(snapshot)

    def on_reading(self, reading: MachineReading, profile: Profile) -> None:
        self._reading = (reading, profile)
        for service in self._open:
            service.on_reading(reading, profile)

    def on_event(self, event_id: int) -> None:
        for service in self._open:
            service.on_event(event_id)

    async def aclose(self) -> None:
        for service in self._open:
            await service.aclose()

    def _opened(self, service: _S) -> _S:
        """It hears from now on what the others hear, and has heard what is known."""
        self._open.append(service)
        for monitor in self._monitors.values():
            service.on_snapshot(monitor.snapshot)
        if self._reading is not None:
            service.on_reading(*self._reading)
        return service
