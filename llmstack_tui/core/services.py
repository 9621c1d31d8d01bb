"""The services of a stack. Each is opened on first use, and from then on hears of snapshots and events.

A service is one entry in `SERVICES`, and one property that opens it.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from llmstack_tui.base.kinds import Capability
from llmstack_tui.base.sentences import QUOTED
from llmstack_tui.hosts.errors import Refused
from llmstack_tui.hosts.service import Service

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import timedelta

    from llmstack_tui.catalog.service import CatalogService
    from llmstack_tui.chat.service import ChatService
    from llmstack_tui.core.options import StackOptions, StackParts
    from llmstack_tui.downloads.queue import DownloadQueue
    from llmstack_tui.editors.service import EditorService
    from llmstack_tui.fit.service import FitService
    from llmstack_tui.guard.service import GuardService
    from llmstack_tui.guard.types import Confirm
    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.hardware.readings import MachineReading
    from llmstack_tui.library.disk import DiskService
    from llmstack_tui.updates.releases import ReleaseChecker
    from llmstack_tui.updates.service import UpdateService

_S = TypeVar("_S", bound=Service)

# In the order in which the dashboard starts them; each with its module, which is imported in a thread.
SERVICES = {
    "fit": ".fit.service",
    "updates": ".updates.service",
    "downloads": ".downloads.queue",
    "guard": ".guard.service",
    "releases": ".updates.releases",
}


class Services:
    """The services that are open, and how to open the others.

    Args:
        on_change: called when what a service shows has changed.
        on_checked: awaited after each scheduled check for newer versions.
        prepare: awaited before the guard decides on a load of a host; see `Stack.prepare`.

    Attributes:
        open: the open services by name, in the order in which they were opened.
        reading: the newest reading of this machine, and its profile; None before the first.
    """

    def __init__(
        self,
        parts: StackParts,
        *,
        on_change: Callable[[], None],
        on_checked: Callable[[], Awaitable[None]],
        prepare: Callable[[str], Awaitable[None]],
    ) -> None:
        self._parts = parts
        self._options = parts.options
        self._hosts = {url: monitor.host for url, monitor in parts.monitors.items()}
        self._on_change = on_change
        self._on_checked = on_checked
        self._prepare = prepare
        self.open: dict[str, Service] = {}
        self.reading: tuple[MachineReading, Profile] | None = None

    @property
    def due(self) -> tuple[str, ...]:
        """The names of the services that the dashboard runs."""
        return tuple(name for name in SERVICES if name != "releases" or self._options.releases is not None)

    @cached_property
    def updates(self) -> UpdateService:
        from llmstack_tui.updates.service import UpdateService  # noqa: PLC0415

        return self._opened(
            "updates",
            UpdateService(
                self._hosts,
                self._parts.session,
                every=self._options.check_every,
                folders=self._options.model_folders,
                on_change=self._on_change,
                on_checked=self._on_checked if self._options.automatic else None,
            ),
        )

    @cached_property
    def releases(self) -> ReleaseChecker:
        from llmstack_tui.updates.releases import ReleaseChecker  # noqa: PLC0415

        addresses = self._options.releases or {}
        checker = ReleaseChecker(
            self._parts.session, addresses=addresses, held=self._options.held, on_change=self._on_change
        )
        return self._opened("releases", checker)

    @cached_property
    def downloads(self) -> DownloadQueue:
        from llmstack_tui.downloads.queue import DownloadQueue  # noqa: PLC0415

        return self._opened(
            "downloads",
            DownloadQueue(
                self._hosts,
                self._parts.session,
                self._parts.lifecycle,
                self._parts.journal,
                allowed=partial(self._parts.permissions.allowed, capability=Capability.PULL, act=True),
                settle=self._parts.settle,
                admitted=self.admitted,
                on_change=self._on_change,
                parallel=self._options.parallel_pulls,
                folders=self._options.model_folders,
                patient=self._options.patient_pulls,
                only_own=self._options.only_own_pulls,
            ),
        )

    @cached_property
    def fit(self) -> FitService:
        from llmstack_tui.fit.service import FitService  # noqa: PLC0415

        return self._opened(
            "fit",
            FitService(
                self._hosts,
                self._parts.session,
                folders=self._options.model_folders,
                usual=self._options.usual,
                allowed=self._options.guard.allowed if self._options.guard else None,
                on_change=self._on_change,
            ),
        )

    @cached_property
    def guard(self) -> GuardService:
        from llmstack_tui.guard.service import GuardService  # noqa: PLC0415
        from llmstack_tui.guard.types import Consent  # noqa: PLC0415

        return self._opened(
            "guard",
            GuardService(
                self._parts.monitors,
                self._parts.session,
                self._parts.lifecycle,
                self._parts.journal,
                settings=self._options.guard,
                may_act=self._parts.permissions.may_act,
                fit=self.fit,
                on_change=self._on_change,
                take_over_s=self._options.guard_take_over_s,
                unanswered=Consent.ASK if self._options.guard_asks else Consent.YES,
            ),
        )

    @asynccontextmanager
    async def admitted(
        self, host_url: str, model: str, confirm: Confirm | None = None, *, in_place: bool = False
    ) -> AsyncIterator[timedelta | None]:
        """Make room for a model, which is loaded within; as `AdmissionControl.admitted`.

        Every load that this program asks for comes through here, so that one rule holds for all of them.

        Raises:
            Refused: it may not be loaded now.
            Declined: the user does not want it.
            HostError: a model could not be unloaded.
        """
        from llmstack_tui.guard.admission import NotAdmitted  # noqa: PLC0415

        await self._prepare(host_url)
        try:
            admissions = self.guard.admissions
            async with admissions.admitted(host_url, model, confirm, in_place=in_place) as keep_alive:
                yield keep_alive
        except NotAdmitted as error:
            raise Refused(QUOTED, text=error.reason, host=host_url) from None

    def _opened(self, name: str, service: _S) -> _S:
        """Add a service to those that hear of snapshots and events, and tell it the newest."""
        self.open[name] = service
        for monitor in self._parts.monitors.values():
            service.on_snapshot(monitor.snapshot)
        if self.reading is not None:
            service.on_reading(*self.reading)
        return service


class Handed:
    """The services that hear of what happens, as a stack hands them to both faces: opened on first use."""

    _services: Services

    @property
    def updates(self) -> UpdateService:
        """Which models have a newer version; the verdicts are in the state."""
        return self._services.updates

    @property
    def releases(self) -> ReleaseChecker:
        """Which programs have a newer version, as the state has it."""
        return self._services.releases

    @property
    def downloads(self) -> DownloadQueue:
        """The queue of pulls; their progress is in the state."""
        return self._services.downloads

    @property
    def fit(self) -> FitService:
        """Estimates of the memory that models take; they are in the state."""
        return self._services.fit

    @property
    def guard(self) -> GuardService:
        """Pins and limits of loaded models; the guards' decisions are in the state."""
        return self._services.guard


class OnDemand:
    """The services that hear of nothing: each is made when it is first asked for."""

    def __init__(self, options: StackOptions) -> None:
        self._options = options

    @cached_property
    def catalog(self) -> CatalogService:
        """Models worth having, and what registries tell of models that are not installed."""
        from llmstack_tui.catalog.service import CatalogService  # noqa: PLC0415

        return CatalogService(online_url=self._options.online_url)

    @cached_property
    def chats(self) -> ChatService:
        """Talks, which are kept in a file beside the state."""
        from llmstack_tui.chat.service import ChatService  # noqa: PLC0415

        state = self._options.state_file
        return ChatService(state.with_name("chats.db") if isinstance(state, Path) else state)

    @cached_property
    def disk(self) -> DiskService:
        """The disk use of the folders of models on this machine."""
        from llmstack_tui.library.disk import DiskService  # noqa: PLC0415

        return DiskService(self._options.models_folder, self._options.model_folders)

    @cached_property
    def editors(self) -> EditorService:
        """The settings with which editors and agents use a model, and a test of them."""
        from llmstack_tui.editors.service import EditorService  # noqa: PLC0415

        return EditorService(self._options.keys)
