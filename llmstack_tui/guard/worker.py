"""The guard of one host: carries out the policy's decisions through the lifecycle, which cuts no request."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.durations import ENDLESS
from llmstack_tui.base.kinds import Actor, EventKind
from llmstack_tui.base.names import model_key
from llmstack_tui.base.structs import replace
from llmstack_tui.guard.rules.policy import admit, decide
from llmstack_tui.guard.rules.watch import Rules, Watch, looked, reruled
from llmstack_tui.guard.types import Cause, GuardState, Renew, Situation, Stop, Warn
from llmstack_tui.hosts.errors import HostError
from llmstack_tui.lifecycle.actions import Departure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence

    from llmstack_tui.base.sentences import Sentence, Sentences
    from llmstack_tui.guard.rules.watch import Look
    from llmstack_tui.guard.types import Admission, Decision, LoadedModel, Wanted
    from llmstack_tui.hosts.types import RunningModel
    from llmstack_tui.lifecycle.journal import Journal
    from llmstack_tui.lifecycle.monitor import HostMonitor
    from llmstack_tui.lifecycle.worker import Lifecycle

# Another program's guard has half a minute of looks to unload models of its host.
_PATIENT_LOOKS = 15
_FOR_EVER = timedelta(seconds=-1)


class Guard:
    """The guard of one host. It decides at each look, and acts if it leads.

    Args:
        renew: sets the keep-alive of a pinned model again, given its name and the reason; whether it did.
        heed: puts into force what the user told another program since.
        on_change: called when `state` has changed.

    Attributes:
        monitor: of the host.
        neighbours: the guards of the other hosts on the same machine.
        rules: the user's rules for the host.
        off: why it must not act; empty if it may.
        leads: this program guards the host, and no other; None until that is known.
        ours: the keys (`model_key`) of the models that llmstack loaded.
        pinned: the names of the pinned models, as they were entered.
        state: to be shown.
        situation: found by the last look.
        seen: name and digest of the models that the look before the last one found.
    """

    def __init__(
        self,
        monitor: HostMonitor,
        lifecycle: Lifecycle,
        journal: Journal,
        *,
        renew: Callable[[str, Sentences], Awaitable[bool]],
        heed: Callable[[], Awaitable[None]],
        on_change: Callable[[], None],
    ) -> None:
        self.rules = Rules()
        self.off: Sentences = ()
        self.leads: bool | None = None
        self.ours: frozenset[str] = frozenset()
        self.pinned: frozenset[str] = frozenset()
        self.state = GuardState()
        self.situation = Situation()
        self.monitor = monitor
        self.neighbours: Sequence[Guard] = ()
        self._host = monitor.host
        self._lifecycle = lifecycle
        self._journal = journal
        self._renew_pin = renew
        self._heed = heed
        self._on_change = on_change
        self._watch = Watch()
        self._look: Look | None = None
        self.seen: frozenset[tuple[str, str]] = frozenset()
        self._stopping: dict[str, float] = {}
        self._told: set[tuple[str, str]] = set()
        self._renewed: dict[str, datetime | None] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def looked(self, look: Look) -> None:
        """Take note of a successful look, decide, and act."""
        self._look = look = replace(look, asked={**self._stopping, **look.asked})
        self.seen = frozenset((each.name, each.digest) for each in self.situation.loaded)
        self._watch, self.situation = looked(self._watch, look, self.rules, self._is_ours)
        decisions = decide(self.situation)
        if self.leads and not self.off:
            self._act(decisions, look)
        self.show(decisions)

    def use(self, rules: Rules) -> None:
        """Follow these rules from now on."""
        before, self.rules = self.rules, rules
        if self._look is None:
            return
        self._watch = self._watch.pinned(rules.pins - before.pins)
        if (rules.pins, rules.others, rules.held) != (before.pins, before.others, before.held):
            self.situation = replace(reruled(self.situation, self._look, rules), held=rules.held)
            self.show(decide(self.situation))

    def show(self, decisions: tuple[Decision, ...] | None = None) -> None:
        """Bring `state` up to date."""
        state = GuardState(
            limits=self.rules.limits,
            off=self.off,
            leads=self.leads,
            held=self.rules.held,
            heat=self.situation.heat,
            pinned=self.pinned,
            overridden=self._overridden(),
            renewed=frozenset() if self.off else self._lapsing(),
            decisions=self.state.decisions if decisions is None else decisions,
            others=self.rules.others,
        )
        if state != self.state:
            self.state = state
            self._on_change()

    def elsewhere(self, *, once: bool = False) -> tuple[LoadedModel, ...]:
        """The models of the other hosts on this machine, of those that answer.

        Models on a host that another program guards may be chosen to leave, until that program has not
        unloaded them for half a minute.

        Args:
            once: include models that only the last look has found, which may be wrong.
        """
        is_patient = self.situation.looks_over < _PATIENT_LOOKS
        return tuple(
            model if not guard.off and (guard.leads or is_patient) else replace(model, spared=True)
            for guard in self._answering()
            for model in guard.situation.loaded
            if once or (model.name, model.digest) in guard.seen
        )

    def cooled_elsewhere_s(self) -> float | None:
        """Seconds since a model of those hosts was unloaded because of heat; None if none was."""
        cooled = [each.cooled_s for each in self._answering()]
        return min((seconds for seconds in cooled if seconds is not None), default=None)

    @property
    def cooled_s(self) -> float | None:
        """Seconds since this guard unloaded a model because of heat; None if it did not."""
        watch = self._watch
        return None if watch.heat_stop_s is None else watch.awake_s - watch.heat_stop_s

    def keep_alive(self, model: str, *, always: bool = False) -> timedelta | None:
        """The keep-alive to load a model with, so that it leaves in time even if no guard runs.

        None, where nothing is guarded and the model is not pinned, leaves it to the server.

        Args:
            always: answer as if the host were guarded.
        """
        key = model_key(model)
        if key in self.rules.pins:
            return _FOR_EVER
        if self.off and not always:
            return None
        idle_s = self.rules.idle_limits_s.get(key, self.rules.idle_limit_s)
        return _FOR_EVER if idle_s is None else timedelta(seconds=idle_s)

    def admit(self, wanted: Wanted, coming: Collection[str] = ()) -> Admission:
        """Whether one more model may be loaded, by the last look and the present rules.

        Args:
            coming: names of other models that are about to be loaded.
        """
        listed = {model_key(each.name) for each in self.situation.loaded}
        others = {model_key(name) for name in coming} - listed - {model_key(wanted.name)}
        now = Situation(
            loaded=self.situation.loaded,
            heat=self.situation.heat,
            limits=self.rules.limits,
            held=self.rules.held,
            coming=len(others),
            elsewhere=self.elsewhere(once=True),
        )
        return admit(now, wanted)

    def insist(self, models: Mapping[str, float]) -> None:
        """Protect models that the user wants over the limits, each for so many seconds."""
        for model, for_s in models.items():
            self._watch = self._watch.insisted(model, for_s)

    async def make_room(self, stops: Sequence[Stop]) -> None:
        """Unload those of ``stops`` that are on this host, except models that are in use by now.

        Raises:
            HostError: the server refused or failed.
        """
        kept = {(each.name, each.digest) for each in self.situation.loaded if each.busy or each.pinned}
        await asyncio.gather(
            *(
                self._lifecycle.deactivate(self._host, self._name(stop), reason=stop.reason)
                for stop in stops
                if stop.host in ("", self._host.url) and (stop.model, stop.digest) not in kept
            )
        )

    def _answering(self) -> list[Guard]:
        return [each for each in self.neighbours if each.monitor.snapshot.error is None]

    async def aclose(self) -> None:
        """Stop waiting for requests to the server that are under way; they are not taken back."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- acting ---

    def _act(self, decisions: Sequence[Decision], look: Look) -> None:
        warnings: dict[tuple[str, str], Sentence] = {}
        for decision in decisions:
            if isinstance(decision, Stop):
                if decision.cause is Cause.HEAT:
                    self._watch = self._watch.cooled()
                self._begin(self._stop(decision, look.read_at_s), f"guard: unload {decision.model}")
            elif isinstance(decision, Renew):
                self._begin(self._renew(decision, look), f"guard: renew {decision.model}")
            elif isinstance(decision, Warn):
                (warnings[decision.about],) = decision.reason
        for about in warnings.keys() - self._told:
            model = about[1] if about[0] in ("stuck", "lost") else None
            self._journal.event(EventKind.NOTICE, warnings[about], host=self._host.url, model=model)
        self._told = set(warnings)

    def _begin(self, work: Coroutine[object, object, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _stop(self, stop: Stop, now_s: float) -> None:
        key = model_key(stop.model)
        self._stopping[key] = now_s
        try:
            # It may have been told so a moment ago, in another program.
            await self._heed()
            if self._watch.spares(key) or key in self.rules.pins:
                return
            departure = await self._lifecycle.deactivate(
                self._host, self._name(stop), asked_by=Actor.GUARD, reason=stop.reason
            )
            stayed = departure is Departure.KEPT
        except HostError:  # It is recorded, and the next look shows the state.
            stayed = True
        finally:
            del self._stopping[key]
        if stayed:
            self._watch = self._watch.stayed(stop.model)

    async def _renew(self, renew: Renew, look: Look) -> None:
        """Renew once for each keep-alive that another client has set."""
        ends = {each.name: each.expires_at for each in look.running if each.digest == renew.digest}
        if renew.model in self._renewed and self._renewed[renew.model] == ends.get(renew.model):
            return
        self._renewed[renew.model] = ends.get(renew.model)
        with suppress(HostError):  # It is recorded, and the next look shows the state.
            await self._renew_pin(renew.model, renew.reason)

    def _name(self, stop: Stop) -> str:
        """A name by which the server still knows the model: the listed one may have been removed."""
        installed = self._look.installed if self._look else ()
        names = [each.name for each in installed if each.digest == stop.digest]
        return stop.model if stop.model in names or not names else names[0]

    # --- for display ---

    def _is_ours(self, running: RunningModel) -> bool:
        return model_key(running.name) in self.ours

    def _lapsing(self) -> frozenset[str]:
        return frozenset(each.name for each in self.situation.loaded if each.lapses_s is not None)

    def _overridden(self) -> frozenset[str]:
        if self._look is None or not self.pinned:
            return frozenset()
        now = datetime.now(UTC)
        pinned = {each.name for each in self.situation.loaded if each.pinned}
        return frozenset(
            each.name
            for each in self._look.running
            if each.name in pinned and each.expires_at is not None and each.expires_at - now < ENDLESS
        )
