"""The guards of the hosts: what they need to know, and when they are there."""

from __future__ import annotations

import asyncio
import importlib
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.names import model_key
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.core.updating import DRAWN_AFTER_S
from llmstack_tui.core.wishes import Wishes
from llmstack_tui.hosts.errors import Refused
from llmstack_tui.lifecycle.actions import ActKind, because
from llmstack_tui.store.locks import Locks, place

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path

    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.config import GuardSettings
    from llmstack_tui.core.session import History
    from llmstack_tui.core.watched import WatchedHost
    from llmstack_tui.core.weighing import Weighing
    from llmstack_tui.guard.rules.watch import Rules
    from llmstack_tui.guard.situation import Admission, Stop
    from llmstack_tui.guard.state import GuardState
    from llmstack_tui.guard.worker import Guard
    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.hardware.readings import MachineReading
    from llmstack_tui.hosts.types import Snapshot
    from llmstack_tui.lifecycle.actions import Act
    from llmstack_tui.lifecycle.journal import Journal
    from llmstack_tui.lifecycle.worker import Lifecycle

# How often one that watches looks whether it can take over.
_TAKE_OVER_S = 3.0


class Guarding:
    """Has each host guarded within `run`; nothing is imported before the first list.

    Args:
        settings: None guards nothing.
        may_act: whether anything may be changed on the host at this URL.
        lock: the file beside which the locks are, by which one program guards a host; None has no others.
        weighing: what a model will take that is about to be loaded.
        on_change: is told the states of the guards, by the URLs of their hosts.
    """

    def __init__(
        self,
        watched: Mapping[str, WatchedHost],
        history: History,
        lifecycle: Lifecycle,
        journal: Journal,
        *,
        settings: GuardSettings | None,
        may_act: Callable[[str], bool],
        lock: Path | None,
        weighing: Weighing,
        on_change: Callable[[Mapping[str, GuardState]], None],
    ) -> None:
        self._watched = watched
        self._wishes = Wishes(history, journal)
        self._lifecycle = lifecycle
        self._journal = journal
        self._settings = settings
        self._may_act = may_act
        self._locks = Locks(lock, "guard")
        self._weighing = weighing
        weighing.allow(settings.allowed if settings else None)
        self._on_change = on_change
        self._guards: dict[str, Guard] = {}
        self._reading: MachineReading | None = None
        self._profile: Profile | None = None
        self._seen = asyncio.Event()
        self._news = asyncio.Event()

    # --- what is asked of it ---

    @property
    def settings(self) -> GuardSettings | None:
        return self._settings

    def use(self, settings: GuardSettings) -> None:
        """Other settings count from now on."""
        self._settings = settings
        self._weighing.allow(settings.allowed)
        self._renew()

    @property
    def is_held(self) -> bool:
        return self._wishes.held

    def hold(self, held: bool) -> None:
        """Stop nothing any more, anywhere, or take that back; other programs' guards hear of it."""
        if held != self._wishes.held:
            self._wishes.hold(held)
            self._renew()

    def is_pinned(self, host_url: str, model: str) -> bool:
        return self._wishes.is_pinned(host_url, model)

    async def pin(self, host_url: str, model: str, *, pinned: bool = True) -> bool:
        """Never stop this model, or no longer never; one that we loaded stays for ever, or its usual time.

        Returns:
            Whether its server was told so: not of one that is not loaded, that another program loaded, or
            that is at work.

        Raises:
            Refused: when nothing may be changed there.
        """
        if not self._may_act(host_url):
            raise Refused(f"{host_url} is only looked at: nothing is pinned there.", host=host_url)
        self._wishes.pin(host_url, model, pinned=pinned)
        await self._wishes.read(self._watched)
        self._renew()
        return await self._told_how_long(host_url, model, because("pinned" if pinned else "unpinned"))

    async def _told_how_long(
        self, host_url: str, model: str, reason: Sentences, *, asked_by: Actor | None = None
    ) -> bool:
        """Tell the server how long a model stays from now on, where that cannot load it anew; whether it was.

        Raises:
            HostError: when the server will not or cannot.
        """
        status = self._watched[host_url].status(model)
        load = await self._wishes.load_of(status) if status is not None else None
        if load is None:
            return False
        await self._lifecycle.activate(
            self._watched[host_url].host,
            model,
            # Also where nothing is guarded: what was told to stay for ever would do so for ever.
            keep_alive=self._carried(host_url, model, off=()),
            context_length=load.context_length,
            asked_by=asked_by,
            reason=reason,
            again=True,
        )
        return True

    def keep_alive(self, host_url: str, model: str) -> timedelta | None:
        """What an activation carries; None leaves it to the server, where nothing is guarded."""
        return self._carried(host_url, model, off=self._off(host_url))

    def _carried(self, host_url: str, model: str, *, off: Sentences) -> timedelta | None:
        if self._settings is None:
            return None
        from llmstack_tui.guard.rules.limits import carried  # noqa: PLC0415

        return carried(self._settings, model, self._wishes.of(host_url), off=off)

    async def admit(self, host_url: str, model: str, coming: Collection[str] = ()) -> Admission | None:
        """Whether the model may be loaded, and what would have to go; None where nothing is guarded.

        Args:
            coming: names of other models that are about to be loaded there.
        """
        guard = self._guards.get(host_url)
        status = self._watched[host_url].status(model)
        if guard is None or guard.off or (status is not None and status.running is not None):
            return None
        from llmstack_tui.guard.situation import Wanted  # noqa: PLC0415

        size, limits = None, guard.rules.limits
        if limits.memory_budget is not None and status is not None and status.model is not None:
            on_card = limits.memory_word == "VRAM"
            size = await self._weighing.to_come(host_url, status.model, on_card=on_card)
        beside = self._beside(host_url)
        elsewhere = tuple(
            model for each in beside for model in each.holds(patient=guard.is_patient, once=True)
        )
        return guard.admit(Wanted(model, size, host_url), coming, elsewhere)

    def refusal(self, host_url: str, model: str) -> Sentences:
        """Why nothing may be loaded now; empty where it may."""
        guard = self._guards.get(host_url)
        status = self._watched[host_url].status(model)
        if guard is None or guard.off or (status is not None and status.running is not None):
            return ()
        from llmstack_tui.guard.rules.policy import refusal  # noqa: PLC0415

        return refusal(guard.situation)

    def insist(self, host_url: str, model: str) -> None:
        """It is loaded though the limits will not hold: leave it alone until it could be used."""
        if (guard := self._guards.get(host_url)) is not None:
            guard.insist(model)

    async def make_room(self, host_url: str, stops: Sequence[Stop]) -> None:
        """Stop what was agreed to, also on other hosts of the same machine. Raises `HostError`."""
        hosts = {stop.host or host_url for stop in stops}
        guards = [guard for url, guard in self._guards.items() if url in hosts]
        await asyncio.gather(*(guard.make_room(stops) for guard in guards))

    # --- what it is told ---

    def looked(self, snapshot: Snapshot, used: frozenset[str], acts: Sequence[Act]) -> None:
        """Each new look at a host.

        Args:
            used: names of models that requests of ours used since the last one.
            acts: all that were under way since then.
        """
        if snapshot.read_at is not None or snapshot.error is not None:
            self._seen.set()
        guard = self._guards.get(snapshot.url)
        if guard is None or snapshot.error is not None or snapshot.read_at is None:
            return
        from llmstack_tui.guard.rules.limits import heat  # noqa: PLC0415
        from llmstack_tui.guard.rules.watch import Look  # noqa: PLC0415

        stops = [act for act in acts if act.host == snapshot.url and act.kind is ActKind.DEACTIVATE]
        now = [act for act in self._lifecycle.acts if act.host == snapshot.url]
        limit = self._settings.temperature_limit if self._settings else None
        is_here = is_loopback(snapshot.url)
        beside = self._beside(snapshot.url)
        guard.looked(
            Look(
                read_at_s=snapshot.read_at,
                host=snapshot.url,
                elsewhere=tuple(model for each in beside for model in each.holds(patient=guard.is_patient)),
                cooled_s=min((each.cooled_s for each in beside if each.cooled_s is not None), default=None),
                running=snapshot.running,
                installed=snapshot.installed,
                activity=self._watched[snapshot.url].activity,
                used={*used, *(act.model for act in now if act.kind is ActKind.ACTIVATE)},
                asked={
                    model_key(act.model): act.started_at_s for act in now if act.kind is ActKind.DEACTIVATE
                },
                let_go={model_key(act.model) for act in stops},
                heat=heat(self._reading, limit, time.monotonic()) if is_here else (),
            )
        )

    def _beside(self, url: str) -> list[Guard]:
        """Those of the other hosts of the same machine. What one holds that does not answer, nobody knows."""
        from llmstack_tui.guard.rules.machine import neighbours  # noqa: PLC0415

        others = neighbours(url, self._guards)
        return [self._guards[each] for each in others if self._watched[each].snapshot.error is None]

    def machine_read(self, reading: MachineReading, profile: Profile) -> None:
        self._reading = reading
        if profile is not self._profile:
            self._profile = profile
            self._renew()

    def happened(self) -> None:
        """Something new is on record, perhaps a wish that another program wrote."""
        self._news.set()

    # --- running ---

    async def run(self) -> None:
        """Until cancelled."""
        if self._settings is None:
            return
        await self._seen.wait()
        await asyncio.sleep(DRAWN_AFTER_S)
        for name in ("worker", "rules.limits", "rules.machine", "rules.pins"):
            await asyncio.to_thread(importlib.import_module, f"llmstack_tui.guard.{name}")
        from llmstack_tui.guard.worker import Guard  # noqa: PLC0415

        self._guards = {
            url: Guard(
                each.host,
                self._lifecycle,
                self._journal,
                renew=partial(self._told_how_long, url, asked_by=Actor.GUARD),
                on_change=self._tell,
            )
            for url, each in self._watched.items()
        }
        try:
            await self._wishes.read(self._watched)
            while True:
                self._renew()
                wanted = {url for url in self._guards if not self._off(url)}
                led = await self._locks.hold({place(url) for url in wanted})
                for url, guard in self._guards.items():
                    guard.leads = url in wanted and place(url) in led
                self._renew()
                await self._pause()
        finally:
            guards, self._guards = self._guards, {}
            for guard in guards.values():
                await guard.aclose()
            self._locks.release()

    async def _pause(self) -> None:
        """Until it is time to look who guards, or something new is on record, which is read."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_TAKE_OVER_S):
                await self._news.wait()
        if self._news.is_set():
            self._news.clear()
            await self._wishes.read(self._watched)

    def _off(self, url: str) -> Sentences:
        """Why a host is not guarded; empty where it is."""
        if self._settings is None:
            return (Sentence("guard.none"),)
        from llmstack_tui.guard.rules.limits import why_off  # noqa: PLC0415

        return why_off(self._settings, self._watched[url].host, may_act=self._may_act(url))

    def _renew(self) -> None:
        """What was set or read since counts from now on."""
        for url, guard in self._guards.items():
            guard.off = self._off(url)
            guard.leads = guard.leads if not guard.off else False
            guard.pinned = frozenset(wish.model for wish in self._wishes.of(url).values() if wish.pinned)
            guard.ours = self._wishes.ours(url)
            guard.rules = self._rules(url)
            guard.show()

    def _rules(self, url: str) -> Rules:
        from llmstack_tui.guard.rules.limits import rules  # noqa: PLC0415
        from llmstack_tui.guard.rules.watch import Rules  # noqa: PLC0415

        if self._settings is None:
            return Rules()
        wishes = self._wishes
        return rules(self._settings, url, self._profile, wishes.of(url), held=wishes.held)

    def _tell(self) -> None:
        self._on_change({url: guard.state for url, guard in self._guards.items()})
