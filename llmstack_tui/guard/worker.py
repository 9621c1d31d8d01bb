"""Acts on what the policy decides for one host. Only through the lifecycle, which cuts no request."""

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
from llmstack_tui.guard.rules.watch import Rules, Watch, looked
from llmstack_tui.guard.types import Cause, GuardState, Renew, Situation, Stop, Warn
from llmstack_tui.hosts.errors import HostError
from llmstack_tui.lifecycle.actions import Departure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence

    from llmstack_tui.base.sentences import Sentence, Sentences
    from llmstack_tui.guard.rules.watch import Look
    from llmstack_tui.guard.types import Admission, Decision, LoadedModel, Wanted
    from llmstack_tui.hosts.types import RunningModel
    from llmstack_tui.lifecycle.journal import Journal
    from llmstack_tui.lifecycle.monitor import HostMonitor
    from llmstack_tui.lifecycle.worker import Lifecycle

# So long another program's guard has to stop what is its own to stop: half a minute of looks.
_PATIENT_LOOKS = 15
_FOR_EVER = timedelta(seconds=-1)


class Guard:
    """The guard of one host. It decides at each look, and acts while it leads.

    Args:
        renew: tells the server that a model is to stay, by its name and for a reason; whether it could.
        on_change: is called when `state` is another one.

    Attributes:
        monitor: of the host.
        beside: the guards of the other hosts of the same machine.
        rules: what the user wants there.
        off: why it must not act; empty where it may.
        leads: no other program guards this host; None until that is known.
        ours: the keys of the names of models that we loaded.
        pinned: the names behind the pins of the rules, as they were written.
    """

    def __init__(
        self,
        monitor: HostMonitor,
        lifecycle: Lifecycle,
        journal: Journal,
        *,
        renew: Callable[[str, Sentences], Awaitable[bool]],
        on_change: Callable[[], None],
    ) -> None:
        self.rules = Rules()
        self.off: Sentences = ()
        self.leads: bool | None = None
        self.ours: Collection[str] = frozenset()
        self.pinned: frozenset[str] = frozenset()
        self.state = GuardState()
        self.situation = Situation()
        self.monitor = monitor
        self.beside: Sequence[Guard] = ()
        self._host = monitor.host
        self._lifecycle = lifecycle
        self._journal = journal
        self._renew_pin = renew
        self._on_change = on_change
        self._watch = Watch()
        self._look: Look | None = None
        self.seen: frozenset[tuple[str, str]] = frozenset()
        self._stopping: dict[str, float] = {}
        self._told: set[tuple[str, str]] = set()
        self._renewed: dict[str, datetime | None] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def looked(self, look: Look) -> None:
        """Take note of a look that succeeded, and do what follows from it."""
        self._look = look = replace(look, asked={**self._stopping, **look.asked})
        self.seen = frozenset((each.name, each.digest) for each in self.situation.loaded)
        self._watch, self.situation = looked(self._watch, look, self.rules, self._is_ours)
        decisions = decide(self.situation)
        if self.leads and not self.off:
            self._act(decisions, look)
        self.show(decisions)

    def show(self, decisions: tuple[Decision, ...] | None = None) -> None:
        """Bring `state` up to date with what was set here."""
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
        )
        if state != self.state:
            self.state = state
            self._on_change()

    def elsewhere(self, *, once: bool = False) -> tuple[LoadedModel, ...]:
        """What the other hosts of the same machine hold, as far as they answer: of the others nobody knows.

        What another program guards is waited for in vain for half a minute at most; then nobody counts on it.

        Args:
            once: also what only the last look has found, which may err.
        """
        is_patient = self.situation.looks_over < _PATIENT_LOOKS
        return tuple(
            model if not guard.off and (guard.leads or is_patient) else replace(model, spared=True)
            for guard in self._answering()
            for model in guard.situation.loaded
            if once or (model.name, model.digest) in guard.seen
        )

    def cooled_elsewhere_s(self) -> float | None:
        """Seconds since one of those hosts gave up a model for the heat; None where none did."""
        cooled = [each.cooled_s for each in self._answering()]
        return min((seconds for seconds in cooled if seconds is not None), default=None)

    @property
    def cooled_s(self) -> float | None:
        """Seconds since it stopped a model for the heat; None where it has not."""
        watch = self._watch
        return None if watch.heat_stop_s is None else watch.awake_s - watch.heat_stop_s

    def keep_alive(self, model: str, *, always: bool = False) -> timedelta | None:
        """What a load asks for, so that the server keeps the promise when nobody guards.

        None leaves it to the server: where nothing is guarded, but for a pinned model.

        Args:
            always: also where nothing is guarded.
        """
        key = model_key(model)
        if key in self.rules.pins:
            return _FOR_EVER
        if self.off and not always:
            return None
        idle_s = self.rules.idle_limits_s.get(key, self.rules.idle_limit_s)
        return _FOR_EVER if idle_s is None else timedelta(seconds=idle_s)

    def admit(self, wanted: Wanted, coming: Collection[str] = ()) -> Admission:
        """Whether one more model may be loaded, by the last look and today's rules.

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

    def insist(self, model: str) -> None:
        """A person wants this one loaded, though it is known that the limits will not hold."""
        self._watch = self._watch.insisted(model)

    async def make_room(self, stops: Sequence[Stop]) -> None:
        """Stop these of its host, as the user has agreed to; without those that are in use by now.

        Raises:
            HostError: when the server will not or cannot.
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
        return [each for each in self.beside if each.monitor.snapshot.error is None]

    async def aclose(self) -> None:
        """What was asked of the server stays asked; nobody waits for it any more."""
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
                self._begin(self._stop(decision, look.read_at_s), f"guard: stop {decision.model}")
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
            departure = await self._lifecycle.deactivate(
                self._host, self._name(stop), asked_by=Actor.GUARD, reason=stop.reason
            )
            stayed = departure is Departure.KEPT
        except HostError:  # It is on record; and the next look shows the state.
            stayed = True
        finally:
            del self._stopping[key]
        if stayed:
            self._watch = self._watch.stayed(stop.model)

    async def _renew(self, renew: Renew, look: Look) -> None:
        """Once for each time that another client has set."""
        ends = {each.name: each.expires_at for each in look.running if each.digest == renew.digest}
        if renew.model in self._renewed and self._renewed[renew.model] == ends.get(renew.model):
            return
        self._renewed[renew.model] = ends.get(renew.model)
        with suppress(HostError):  # It is on record; and the next look shows the state.
            await self._renew_pin(renew.model, renew.reason)

    def _name(self, stop: Stop) -> str:
        """A name by which the server knows the model: the listed one may have been removed."""
        installed = self._look.installed if self._look else ()
        names = [each.name for each in installed if each.digest == stop.digest]
        return stop.model if stop.model in names or not names else names[0]

    # --- what is shown ---

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
