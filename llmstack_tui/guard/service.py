"""The guards of all hosts: which program guards, what each guard knows, and admission of more models."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from llmstack_tui.base.address import is_loopback, server_id
from llmstack_tui.base.durations import ENDLESS
from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.names import model_key
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.guard.admission import AdmissionControl
from llmstack_tui.guard.preferences import SPARED_S, GuardPreferences
from llmstack_tui.guard.rules.limits import consent, heat, neighbours, rules, why_off
from llmstack_tui.guard.rules.watch import Look, Rules
from llmstack_tui.guard.types import Consent, PinEffect
from llmstack_tui.guard.worker import Guard
from llmstack_tui.hosts.errors import Refused
from llmstack_tui.hosts.service import Service
from llmstack_tui.lifecycle.actions import ActKind, because
from llmstack_tui.lifecycle.activity import idle_time
from llmstack_tui.lifecycle.load_request import own_load, repeatable
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import timedelta

    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.config.settings import GuardSettings
    from llmstack_tui.fit.service import FitService
    from llmstack_tui.guard.types import GuardState, Situation
    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.hardware.readings import MachineReading
    from llmstack_tui.hosts.types import Snapshot
    from llmstack_tui.lifecycle.journal import Journal
    from llmstack_tui.lifecycle.monitor import HostMonitor
    from llmstack_tui.lifecycle.worker import Lifecycle
    from llmstack_tui.store.session import StoreSession


# Seconds between two attempts of a passive guard to become the active one.
TAKE_OVER_S = 3.0


class GuardService(Service):
    """Guards the hosts while `run` runs.

    Args:
        settings: None guards nothing.
        may_act: whether anything may be changed on the host at this URL.
        fit: tells how much memory a model will take.
        on_change: called when `states` has changed.
        take_over_s: seconds between two attempts to get the lock of a host that another program guards.
        unanswered: whether models that other programs loaded may be unloaded, as long as neither the settings
            nor the user say so.

    Attributes:
        settings: in force now.
        admissions: decides whether one more model may be loaded.
    """

    def __init__(
        self,
        monitors: Mapping[str, HostMonitor],
        session: StoreSession,
        lifecycle: Lifecycle,
        journal: Journal,
        *,
        settings: GuardSettings | None,
        may_act: Callable[[str], bool],
        fit: FitService,
        on_change: Callable[[], None],
        take_over_s: float = TAKE_OVER_S,
        unanswered: Consent = Consent.ASK,
    ) -> None:
        self._monitors = monitors
        self._session = session
        self._preferences = GuardPreferences(session, journal)
        self._lifecycle = lifecycle
        self.settings = settings
        self._may_act = may_act
        self._locks = session.locks("guard")
        self._fit = fit
        self._take_over_s = take_over_s
        self._unanswered = unanswered
        self._guards = {
            url: Guard(
                each,
                lifecycle,
                journal,
                renew=partial(self._renew_keep_alive, url, asked_by=Actor.GUARD),
                heed=partial(self._heed, url),
                on_change=on_change,
            )
            for url, each in monitors.items()
        }
        self._reading: MachineReading | None = None
        self._profile: Profile | None = None
        self._heat: Sentences = ()
        self._from_record = False
        self._news = asyncio.Event()
        for url, guard in self._guards.items():
            guard.neighbours = [self._guards[each] for each in neighbours(url, self._guards)]
        self.admissions = AdmissionControl(self._guards, fit, settings, self._insist)
        self._renew()

    # --- commands and questions ---

    def use(self, settings: GuardSettings) -> None:
        """Put new settings into force."""
        self.settings = self.admissions.settings = settings
        self._fit.allow(settings.allowed)
        self._check_heat()
        self._renew()

    @property
    def states(self) -> Mapping[str, GuardState]:
        """The guards' states by the URLs of their hosts; empty until the preferences were read."""
        return {url: guard.state for url, guard in self._guards.items()} if self.admissions.is_on else {}

    def situation(self, host_url: str) -> Situation:
        """The situation that the guard of a host decides on, from the last polls."""
        return self._guards[host_url].situation

    def off(self, host_url: str) -> Sentences:
        """Why a host is not guarded; empty if it is."""
        if self.settings is None:
            return (Sentence("guard.none"),)
        return why_off(self.settings, self._monitors[host_url].host, may_act=self._may_act(host_url))

    async def is_guarded(self, host_url: str) -> bool:
        """Whether any program guards the host now.

        Raises:
            StoreError: that cannot be known, as the lock cannot be made.
        """
        try:
            is_free = await self._locks.hold({server_id(host_url)})
            if self._locks.trouble is not None:
                raise self._locks.trouble
            return not is_free
        finally:
            self._locks.release()

    @property
    def is_held(self) -> bool:
        return self._preferences.held

    def hold(self, held: bool) -> None:
        """Switch hold on or off: while on, no guard unloads anything, not even those of other programs."""
        if held != self._preferences.held:
            self._preferences.hold(held)
            self._renew()

    def is_pinned(self, host_url: str, model: str) -> bool:
        return self._preferences.is_pinned(host_url, model)

    async def pin(self, host_url: str, model: str, *, pinned: bool = True) -> PinEffect:
        """Pin or unpin a model. If llmstack loaded it, its keep-alive is set to match.

        To pin one for a person is `ModelActions.pin`, which loads it, too.

        Raises:
            Refused: nothing may be changed there.
        """
        if not self._may_act(host_url):
            raise Refused("guard.not_pinned_there", host=host_url)
        await self._preferences.pin(host_url, model, pinned=pinned)
        self._renew()
        status = self._monitors[host_url].status(model)
        running = status.running if status is not None else None
        if status is None or running is None or status.state is ModelState.STOPPING:
            return PinEffect.NOT_LOADED
        if await self._renew_keep_alive(host_url, model, because("pinned" if pinned else "unpinned")):
            return PinEffect.KEPT
        if running.expires_at is None or running.expires_at - datetime.now(UTC) > ENDLESS:
            return PinEffect.KEPT
        is_own = own_load(status, self._preferences.loads(host_url)) is not None
        return PinEffect.IN_USE if is_own and status.busy else PinEffect.THEIRS

    async def answer(self, host_url: str, others: Consent) -> None:
        """Say whether models on a host that other programs loaded may be unloaded.

        Raises:
            Refused: the settings decide, or nothing may be changed there.
        """
        if self.settings is None or not self._may_act(host_url):
            raise Refused("guard.not_answered_there", host=host_url)
        if self.settings.others is not None:
            raise Refused(
                "guard.decided_by_settings", setting=str(self.settings.others).lower(), host=host_url
            )
        await self._preferences.answer(host_url, others)
        self._renew()

    async def set_idle_limit(self, host_url: str, model: str, length: timedelta | None) -> timedelta:
        """Set how long a model may be idle, None for as long as the settings say.

        Returns:
            The limit in force now; zero or less is for ever.

        Raises:
            Refused: nothing may be changed there.
        """
        if self.settings is None or not self._may_act(host_url):
            raise Refused("guard.not_set_there", host=host_url)
        limit = await self._preferences.set_idle_limit(host_url, model, length, self.settings)
        self._renew()
        return limit

    def keep_alive(self, host_url: str, model: str) -> timedelta | None:
        """The keep-alive to load a model with, so that it leaves in time even if no guard runs.

        None, where nothing is guarded, leaves it to the server.
        """
        return self._guards[host_url].keep_alive(model)

    # --- running ---

    async def prepare(self, *, from_record: bool = False) -> None:
        """Read the preferences and put them into force; nothing is unloaded yet.

        Args:
            from_record: also count idle time from the recorded loads, and models that a single look found on
                other hosts. Only for a command that looks once: an active guard must not act on either.
        """
        self._from_record = from_record
        await self._preferences.read(self._monitors)
        self.admissions.is_on = True
        self._renew()

    async def run(self) -> None:
        """Guard the hosts that no other program guards, until cancelled."""
        if self.settings is None:
            return
        try:
            await self.prepare()
            while True:
                self._renew()
                wanted = {url for url in self._guards if not self.off(url)}
                led = await self._locks.hold({server_id(url) for url in wanted})
                with suppress(StoreError):  # The program is ending.
                    await self._session.report(self._locks.trouble)
                for url, guard in self._guards.items():
                    guard.leads = url in wanted and server_id(url) in led
                self._renew()
                await self._pause()
        finally:
            self.admissions.is_on = False
            for guard in self._guards.values():
                await guard.aclose()
            self._locks.release()

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if not self.admissions.is_on or snapshot.error is not None or snapshot.read_at is None:
            return
        url, guard = snapshot.url, self._guards[snapshot.url]
        now = [act for act in self._lifecycle.acts if act.host == url]
        recent = self._lifecycle.recent(url)
        stops = [act for act in recent if act.kind is ActKind.DEACTIVATE]
        # Not on record yet where it is read from.
        guard.ours |= {model_key(act.model) for act in recent if act.kind is ActKind.ACTIVATE}
        guard.looked(
            Look(
                read_at_s=snapshot.read_at,
                host=url,
                elsewhere=guard.elsewhere(once=self._from_record),
                cooled_s=guard.cooled_elsewhere_s(),
                running=snapshot.running,
                installed=snapshot.installed,
                activity=guard.monitor.activity,
                used={*guard.monitor.used, *(act.model for act in now if act.kind is ActKind.ACTIVATE)},
                asked={
                    model_key(act.model): act.started_at_s for act in now if act.kind is ActKind.DEACTIVATE
                },
                let_go={model_key(act.model) for act in stops},
                heat=self._heat if is_loopback(url) else (),
                idle_s=self._idle_before(snapshot) if self._from_record else {},
            )
        )

    def on_reading(self, reading: MachineReading, profile: Profile) -> None:
        self._reading = reading
        self._check_heat()
        if profile is not self._profile:
            self._profile = profile
            self._renew()

    def on_event(self, event_id: int) -> None:
        """React to a new event: another program may have changed a preference."""
        self._news.set()

    # --- helpers ---

    async def _pause(self) -> None:
        """Wait until it is time to try the locks again or there is a new event; then read the preferences."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._take_over_s):
                await self._news.wait()
        if self._news.is_set():
            self._news.clear()
            await self._preferences.read(self._monitors)

    def _check_heat(self) -> None:
        limit = self.settings.temperature_limit if self.settings else None
        self._heat = heat(self._reading, limit, time.monotonic())

    def _renew(self) -> None:
        """Hand the present settings, preferences and profile to the guards."""
        for url, guard in self._guards.items():
            preferences = self._preferences.of(url)
            guard.off = self.off(url)
            guard.leads = guard.leads if not guard.off else False
            guard.pinned = frozenset(each.model for each in preferences.values() if each.pinned)
            guard.ours = self._preferences.ours(url)
            guard.insist(self._preferences.news(url))
            guard.use(self._rules(self.settings, url) if self.settings else Rules())
            if self.admissions.is_on:
                guard.show()

    def _rules(self, settings: GuardSettings, host_url: str) -> Rules:
        said = self._preferences
        others = consent(settings.others, said.others(host_url), unanswered=self._unanswered)
        return rules(settings, host_url, self._profile, said.of(host_url), held=said.held, others=others)

    async def _insist(self, host_url: str, models: Sequence[str]) -> None:
        """Spare models that the user wants over the limits. The guards of other programs hear of it, too."""
        self._guards[host_url].insist(dict.fromkeys(models, SPARED_S))
        self._preferences.insist(host_url, models)
        with suppress(StoreError):  # A notice reports it; nobody else guards by what cannot be kept.
            await self._session.kept()

    async def _heed(self, host_url: str) -> None:
        """Put into force what the user told another program since."""
        await self._preferences.read((host_url,))
        self._renew()

    async def _renew_keep_alive(
        self, host_url: str, model: str, reason: Sentences, *, asked_by: Actor | None = None
    ) -> bool:
        """Set the keep-alive of a loaded model, unless that would reload it; whether it was set.

        Raises:
            HostError: the server refused or failed.
        """
        status = self._monitors[host_url].status(model)
        await self._heed(host_url)
        load = None if status is None else repeatable(status, self._preferences.loads(host_url))
        if load is None:
            return False
        await self._lifecycle.activate(
            self._monitors[host_url].host,
            model,
            # Even where nothing is guarded: otherwise an unpinned model would stay for ever.
            keep_alive=self._guards[host_url].keep_alive(model, always=True) if self.settings else None,
            context_length=load.context_length,
            asked_by=asked_by,
            reason=reason,
            again=True,
            # That a user pins or unpins a model is on record.
            is_part=asked_by is None,
        )
        return True

    def _idle_before(self, snapshot: Snapshot) -> dict[str, float]:
        """For how many seconds each model was idle before the first look, from the record of its load."""
        loads = {model_key(each.model): each for each in self._preferences.loads(snapshot.url)}
        found, now = {}, datetime.now(UTC)
        for running in snapshot.running:
            load = loads.get(model_key(running.name))
            idle = idle_time(
                running,
                now,
                keep_alive=load.keep_alive if load else None,
                loaded_at=load.loaded_at if load else None,
            )
            if idle is not None:
                found[running.name] = idle.total_seconds()
        return found
