"""Turns the looks at a host into the situation that the policy decides on. Pure.

Only observed time counts: of a gap between two looks, no more than a slow poll can take. So a machine that
sleeps, or a clock that jumps, makes no model idle for longer. A model that is missing from a few looks and
then returns is the same model.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from msgspec import Struct, field

from llmstack_tui.base.durations import ENDLESS
from llmstack_tui.base.names import model_key
from llmstack_tui.base.structs import replace
from llmstack_tui.guard.rules.policy import is_over
from llmstack_tui.guard.types import Consent, Limits, LoadedModel, Situation

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.hosts.types import Model, RunningModel
    from llmstack_tui.lifecycle.activity import Activity

# Polls are 15 seconds apart at most: see the poller.
_LONGEST_GAP_S = 20.0
_MISSED_LOOKS = 3
# A model that stayed when asked to leave is busy, though it shows no sign: each time it is spared for longer.
_SPARED_S, _SPARED_AT_MOST_S = 30.0, 600.0
_Key = tuple[str, str]


class Look(Struct, frozen=True, kw_only=True):
    """What one look at a host found. Keys are those of `model_key`.

    Attributes:
        read_at_s: monotonic seconds.
        used: names of the models that our own requests used since the previous look.
        asked: by key, when our stops under way began, in monotonic seconds.
        heat: why the machine is too hot; empty if it is not.
        idle_s: by name, how long a model that is seen for the first time has been idle, if recorded.
        elsewhere: the models of other hosts on the same machine.
        cooled_s: seconds since a model of those hosts was unloaded because of heat; None if none was.
        let_go: keys of the models that we asked to leave since the previous look, or that are still leaving.
    """

    read_at_s: float
    host: str = ""
    running: tuple[RunningModel, ...] = ()
    installed: tuple[Model, ...] = ()
    activity: Activity
    used: Collection[str] = ()
    asked: Mapping[str, float] = field(default_factory=dict)
    heat: Sentences = ()
    idle_s: Mapping[str, float] = field(default_factory=dict)
    elsewhere: tuple[LoadedModel, ...] = ()
    cooled_s: float | None = None
    let_go: Collection[str] = ()


class Rules(Struct, frozen=True, kw_only=True):
    """The user's rules for a host. Keys are those of `model_key`.

    Attributes:
        pins: keys of the models that are never unloaded.
        idle_limit_s: for models without an entry in ``idle_limits_s``. None is for ever.
        idle_limits_s: by key. None is for ever.
        held: hold is on: nothing is unloaded.
        others: whether models that other programs loaded may be unloaded.
        on_card: the budget is one of VRAM, so only a model's part on a card counts.
    """

    limits: Limits = field(default_factory=Limits)
    pins: frozenset[str] = frozenset()
    idle_limit_s: float | None = None
    idle_limits_s: Mapping[str, float | None] = field(default_factory=dict)
    held: bool = False
    others: Consent = Consent.YES
    on_card: bool = False


class _Known(Struct, frozen=True, kw_only=True):
    """What is known of one loaded model.

    Attributes:
        sign_at_s: its last sign of activity, in seconds of `Watch.awake_s`.
        missed: consecutive looks that did not list it.
        lasted_as: its `_shape` when it was set to stay for ever; after a reload it would differ.
    """

    expires_at: datetime | None
    used_at: datetime | None
    used_at_s: float
    sign_at_s: float
    missed: int = 0
    lasted_as: tuple[int, int | None] | None = None


class Watch(Struct, frozen=True, kw_only=True):
    """What all looks so far have shown. Keys are those of `model_key`.

    Attributes:
        awake_s: observed seconds, see above.
        read_at_s: the last look, in monotonic seconds.
        looks_over: consecutive looks that found the limits exceeded.
        spared: by key, until when a model is not asked to leave, and for how long that is in all.
        staying: by key, the names of the pinned models that are loaded or were unloaded by others.
        fresh: keys of the models that were pinned since, and have not been seen to stay for ever yet.
    """

    awake_s: float = 0.0
    read_at_s: float | None = None
    known: Mapping[_Key, _Known] = field(default_factory=dict)
    looks_over: int = 0
    spared: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    hot_since_s: float | None = None
    heat_stop_s: float | None = None
    staying: Mapping[str, str] = field(default_factory=dict)
    fresh: frozenset[str] = frozenset()

    def pinned(self, keys: Collection[str]) -> Watch:
        """These models were pinned just now."""
        return replace(self, fresh=self.fresh.union(keys))

    def stayed(self, model: str) -> Watch:
        """The model was asked to leave and did not: spare it for a while."""
        key = model_key(model)
        _, before_s = self.spared.get(key, (0.0, 0.0))
        span_s = min(max(2 * before_s, _SPARED_S), _SPARED_AT_MOST_S)
        return replace(self, spared={**self.spared, key: (self.awake_s + span_s, span_s)})

    def insisted(self, model: str, for_s: float) -> Watch:
        """The user wants the model over the limits: spare it until there was time to use it."""
        return replace(self, spared={**self.spared, model_key(model): (self.awake_s + for_s, 0.0)})

    def spares(self, key: str) -> bool:
        """Whether the model is not to be asked to leave now."""
        return key in self.spared and self.spared[key][0] > self.awake_s

    def cooled(self) -> Watch:
        """A model was unloaded because of heat."""
        return replace(self, heat_stop_s=self.awake_s)


def looked(
    before: Watch, look: Look, rules: Rules, ours: Callable[[RunningModel], bool]
) -> tuple[Watch, Situation]:
    """The watch after one more successful look, and the situation that it shows.

    Args:
        ours: whether llmstack loaded a model.
    """
    gap_s = 0.0 if before.read_at_s is None else max(look.read_at_s - before.read_at_s, 0.0)
    awake_s = before.awake_s + min(gap_s, _LONGEST_GAP_S)
    used = {model_key(name) for name in look.used}
    names = _names(look)
    known: dict[_Key, _Known] = {
        key: replace(each, missed=each.missed + 1)
        for key, each in before.known.items()
        if each.missed < _MISSED_LOOKS
    }
    loaded, staying, fresh = [], dict(before.staying), before.fresh & rules.pins
    for running in look.running:
        key = (running.name, running.digest)
        answers_to = _answers_to(running, names)
        trace = look.activity.of(running)
        busy = bool(trace and trace.busy) or not used.isdisjoint(answers_to)
        each = _followed(known.get(key), running, busy=busy, awake_s=awake_s, look=look)
        is_pinned, is_ours, left_s = _is_pinned(answers_to, rules), ours(running), _left_s(running, look)
        if is_pinned:
            staying[model_key(running.name)] = running.name
        lasts = left_s > ENDLESS.total_seconds()
        if lasts:
            each = replace(each, lasted_as=_shape(running))
            fresh -= answers_to
        # What another program loaded for ever is idle for too long only if the user said so of it. A server
        # that knows no keep-alive was told nothing of the kind.
        is_lasting = lasts and not is_ours and running.expires_at is not None
        idle_limit_s = _idle_limit(rules, answers_to, None if is_lasting else rules.idle_limit_s)
        known[key] = each
        loaded.append(
            LoadedModel(
                name=running.name,
                digest=running.digest,
                size=running.size_vram if rules.on_card else running.size,
                sign_at_s=each.used_at_s,
                idle_s=0.0 if busy else awake_s - each.sign_at_s,
                busy=busy,
                pinned=is_pinned,
                ours=is_ours,
                consent=Consent.YES if is_ours else rules.others,
                lasting=is_lasting,
                leaving_s=_since(look, answers_to),
                spared=_is_spared(before, answers_to, awake_s) or _is_nameless(running, look, names),
                # One that cannot be seen at work is not known to be idle.
                idle_limit_s=idle_limit_s if running.shows_work else None,
                host=look.host,
                lapses_s=left_s if is_pinned and is_ours and _lapses(each, running, left_s) else None,
                shares=_shares(running, look),
                fresh=is_ours and not fresh.isdisjoint(answers_to),
            )
        )
    is_too_much = is_over((*loaded, *look.elsewhere), rules.limits, host=look.host)
    hot_since_s = (before.hot_since_s if before.hot_since_s is not None else awake_s) if look.heat else None
    watch = replace(
        before,
        awake_s=awake_s,
        read_at_s=look.read_at_s,
        known=known,
        looks_over=before.looks_over + 1 if is_too_much else 0,
        spared={
            name: (until_s, span_s)
            for name, (until_s, span_s) in before.spared.items()
            if until_s + span_s > awake_s
        },
        hot_since_s=hot_since_s,
        staying={name: each for name, each in staying.items() if name in rules.pins - {*look.let_go}},
        fresh=fresh,
    )
    there = {model_key(name) for name, _ in known}
    cooled_s = None if watch.heat_stop_s is None else awake_s - watch.heat_stop_s
    return watch, Situation(
        host=look.host,
        loaded=tuple(loaded),
        limits=rules.limits,
        looks_over=watch.looks_over,
        held=rules.held,
        heat=look.heat,
        hot_for_s=0.0 if hot_since_s is None else awake_s - hot_since_s,
        heat_stop_s=min((each for each in (cooled_s, look.cooled_s) if each is not None), default=None),
        elsewhere=look.elsewhere,
        lost=tuple(each for name, each in watch.staying.items() if name not in there),
    )


def _followed(
    before: _Known | None, running: RunningModel, *, busy: bool, awake_s: float, look: Look
) -> _Known:
    trace = look.activity.of(running)
    if before is None:
        idle_s = look.idle_s.get(running.name, 0.0)
        used_at_s = look.read_at_s if trace is None else trace.worked_at_s
        return _Known(
            expires_at=running.expires_at,
            used_at=running.used_at,
            used_at_s=min(used_at_s, look.read_at_s - idle_s),
            sign_at_s=awake_s - idle_s,
        )
    has_moved = (running.expires_at, running.used_at) != (before.expires_at, before.used_at)
    if busy or has_moved:
        return replace(
            before,
            expires_at=running.expires_at,
            used_at=running.used_at,
            used_at_s=look.read_at_s,
            sign_at_s=awake_s,
            missed=0,
        )
    return replace(before, missed=0)


def _left_s(running: RunningModel, look: Look) -> float:
    """Seconds until the model's keep-alive ends; infinite if no end is known."""
    trace = look.activity.of(running)
    return inf if trace is None or trace.due_at_s is None else trace.due_at_s - look.read_at_s


def _shape(running: RunningModel) -> tuple[int, int | None] | None:
    """Values that change if the same version is loaded again; None if the server does not tell them."""
    return None if running.context_length is None else (running.context_length, running.size_vram)


def _lapses(known: _Known, running: RunningModel, left_s: float) -> bool:
    """Whether the keep-alive of this very load was endless and has an end now."""
    return (
        left_s <= ENDLESS.total_seconds()
        and known.lasted_as is not None
        and known.lasted_as == _shape(running)
    )


def reruled(situation: Situation, look: Look, rules: Rules) -> Situation:
    """The situation with the pins and the answer of now: they count at once, not from the next look on."""
    names = _names(look)
    pinned = {
        (each.name, each.digest) for each in look.running if _is_pinned(_answers_to(each, names), rules)
    }
    loaded = (
        replace(
            each,
            pinned=(each.name, each.digest) in pinned,
            consent=Consent.YES if each.ours else rules.others,
        )
        for each in situation.loaded
    )
    return replace(situation, loaded=tuple(loaded))


def _is_pinned(names: set[str], rules: Rules) -> bool:
    return not rules.pins.isdisjoint(names)


def _is_spared(watch: Watch, names: set[str], awake_s: float) -> bool:
    return any(name in watch.spared and watch.spared[name][0] > awake_s for name in names)


def _is_nameless(running: RunningModel, look: Look, names: Mapping[str, set[str]]) -> bool:
    """Whether the model was removed while it was loaded, so that no name is left to unload it by."""
    return bool(look.installed) and running.digest not in names and bool(running.digest)


def _names(look: Look) -> Mapping[str, set[str]]:
    """By digest, the keys of the names under which the loaded models are installed."""
    loaded = {digest for each in look.running for digest in (each.digest, *each.answers_for) if digest}
    names: dict[str, set[str]] = {}
    # Parsing a name takes microseconds, and a list may have a thousand.
    for model in look.installed:
        if model.digest in loaded:
            names.setdefault(model.digest, set()).add(model_key(model.name))
    return names


def _answers_to(running: RunningModel, names: Mapping[str, set[str]]) -> set[str]:
    """The keys of all names that this process answers to: names of equal models share one process."""
    found = {model_key(running.name)}
    for digest in (running.digest, *running.answers_for):
        found |= names.get(digest, set())
    return found


def _shares(running: RunningModel, look: Look) -> tuple[str, ...]:
    digests, key = {running.digest, *running.answers_for} - {""}, model_key(running.name)
    names = (each.name for each in look.installed if each.digest in digests)
    return tuple(name for name in names if model_key(name) != key)


def _since(look: Look, names: set[str]) -> float | None:
    began = [look.asked[name] for name in names if name in look.asked]
    return max(look.read_at_s - min(began), 0.0) if began else None


def _idle_limit(rules: Rules, names: set[str], usual_s: float | None) -> float | None:
    """The longest idle limit of any of its names, by default ``usual_s``; None is for ever."""
    limits = [rules.idle_limits_s.get(name, usual_s) for name in names]
    known = [limit for limit in limits if limit is not None]
    return max(known) if len(known) == len(limits) else None
