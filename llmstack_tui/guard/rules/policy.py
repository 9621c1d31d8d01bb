"""What to stop, what to warn of, and whether one more model may be loaded. Pure.

A model that is pinned or shows a sign of activity is never asked to leave, and no more are asked than it
takes. Where several could go, the one goes that was used least recently, of all on this machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.guard.rules import reasons
from llmstack_tui.guard.rules.victims import Taken, is_over, last_used, may_go, victims
from llmstack_tui.guard.types import Allow, Ask, Cause, Nothing, Refuse, Renew, Stop, Warn

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from llmstack_tui.base.sentences import Param, Sentences
    from llmstack_tui.guard.types import Admission, Decision, LoadedModel, Situation, Wanted

# One look may err: a server lists a model twice while it loads it anew, or nothing at all for a moment.
LOOKS = 2
# A server needs some seconds to end a model; one that takes longer than this hangs.
STUCK_S = 60.0
_HOT_S = 10.0
_COOLING_S = 60.0
# A pin is renewed when the time of another client is nearly up: at most once for each time that it sets, and
# not while it is at work. What has no time left was asked to leave, which is another thing.
RENEWED_S, _NO_TIME_S = 60.0, 5.0
_Key = tuple[str, str, str]


def decide(situation: Situation) -> tuple[Decision, ...]:
    """What to do now; at least one decision, and the same ones for the same situation."""
    others: tuple[Decision, ...] = (*_renewals(situation), *_warnings(situation))
    if situation.held:
        return *others, Nothing(reasons.HOLDING)
    stops = tuple(_idle_stops(situation))
    stay = _staying(situation, {_key(stop) for stop in stops})
    if situation.looks_over >= LOOKS:
        stops += _limit_stops(stay, situation)
    if not stops and situation.heat:
        stops = _heat_stops(stay, situation)
    # What other servers of this machine have to give up, their guards see to.
    own = tuple(stop for stop in stops if stop.host == situation.host)
    return (*own, *others) or (Nothing(_at_rest(stay, situation)),)


def admit(situation: Situation, wanted: Wanted) -> Admission:
    """Whether a model that is not loaded may be, and what would have to go, also of other servers."""
    if refused := refusal(situation):
        return Refuse(refused)
    stay, limits = _staying(situation), situation.limits
    taken = Taken(stay, limits, wanted, situation.coming)
    if situation.held or not taken.is_over(wanted.host):
        return Allow()
    cause = Cause.COUNT if taken.is_too_many(wanted.host) else Cause.MEMORY
    go = victims(stay, limits, taken)
    enough = not taken.is_over(wanted.host)
    reason = reasons.no_room(stay, situation, wanted)
    if not enough:
        concerned = stay if taken.is_too_much else [each for each in stay if each.host == wanted.host]
        reason += reasons.kept([each for each in concerned if each not in go])
    room = Sentence("guard.makes_room", {"model": wanted.name})
    stops = (_stop(each, cause, (room, why)) for each, why in _longest_idle(go, stay))
    return Ask(tuple(stops), enough, reason)


def _longest_idle(
    go: Iterable[LoadedModel], stay: Iterable[LoadedModel]
) -> Iterable[tuple[LoadedModel, Sentence]]:
    """Why each of those that go is the one, when those before it have gone."""
    left = list(stay)
    for each in go:
        yield each, reasons.longest_idle(each, min(left, key=last_used))
        left.remove(each)


def refusal(situation: Situation) -> Sentences:
    """Why nothing may be loaded now at all; empty where it may."""
    return (*situation.heat, reasons.COOLING) if situation.heat else ()


def _stop(model: LoadedModel, cause: Cause, reason: Sentences) -> Stop:
    return Stop(model.name, model.digest, cause, reason, model.host)


def _key(each: LoadedModel | Stop) -> _Key:
    return each.host, each.model if isinstance(each, Stop) else each.name, each.digest


def _machine(situation: Situation) -> tuple[LoadedModel, ...]:
    return *situation.loaded, *situation.elsewhere


def _staying(situation: Situation, leaving: Collection[_Key] = ()) -> list[LoadedModel]:
    return [each for each in _machine(situation) if each.leaving_s is None and _key(each) not in leaving]


def _idle_stops(situation: Situation) -> Iterable[Stop]:
    for each in _machine(situation):
        limit_s = each.idle_limit_s
        if limit_s is not None and each.idle_s >= limit_s and may_go(each, situation.limits):
            reason = Sentence("guard.idle", {"idle_s": each.idle_s, "limit_s": limit_s})
            yield _stop(each, Cause.IDLE, (reason,))


def _limit_stops(stay: Sequence[LoadedModel], situation: Situation) -> tuple[Stop, ...]:
    limits = situation.limits
    before, go = Taken(stay, limits), victims(stay, limits, Taken(stay, limits))
    why = {host: reasons.too_much(stay, limits, host) for host in {each.host for each in go}}
    return tuple(
        _stop(
            each,
            Cause.COUNT if before.is_too_many(each.host) else Cause.MEMORY,
            (*why[each.host], least),
        )
        for each, least in _longest_idle(go, stay)
    )


def _heat_stops(stay: Sequence[LoadedModel], situation: Situation) -> tuple[Stop, ...]:
    has_waited = situation.heat_stop_s is None or situation.heat_stop_s >= _COOLING_S
    could = [each for each in stay if may_go(each, situation.limits)]
    if situation.hot_for_s < _HOT_S or not has_waited or not could:
        return ()
    least = min(could, key=last_used)
    why = reasons.longest_idle(least, min(stay, key=last_used))
    return (_stop(least, Cause.HEAT, (*situation.heat, why)),)


def _renewals(situation: Situation) -> Iterable[Renew]:
    for each in situation.loaded:
        is_idle = not each.busy and each.idle_s > 0 and each.leaving_s is None
        if each.pinned and is_idle and _NO_TIME_S <= (each.lapses_s or 0) <= RENEWED_S:
            reason = Sentence("guard.lapsing", {"left_s": each.lapses_s})
            yield Renew(each.name, each.digest, (reason,))


def _warnings(situation: Situation) -> Iterable[Warn]:
    limit = situation.limits.max_loaded
    for each in situation.loaded:
        left_s = each.leaving_s
        if left_s is not None and not each.busy and min(left_s, each.idle_s) >= STUCK_S:
            yield _warn("stuck", each.name, left_s=left_s)
    for name in situation.lost:
        yield _warn("lost", name)
    pinned = tuple(each.name for each in situation.loaded if each.pinned)
    if limit is not None and len(pinned) > limit:
        reason = Sentence("guard.too_many_pins", {"models": pinned, "limit": limit})
        yield Warn(("pins", ", ".join(pinned)), (reason,))


def _warn(kind: str, model: str, **params: Param) -> Warn:
    return Warn((kind, model), (Sentence(f"guard.{kind}", {"model": model, **params}),))


def _at_rest(stay: Sequence[LoadedModel], situation: Situation) -> Sentences:
    limits, host = situation.limits, situation.host
    own = [each for each in stay if each.host == host]
    if is_over(stay, limits, host=host):
        why = reasons.too_much(stay, limits, host)
        if situation.looks_over < LOOKS:
            return *why, Sentence("guard.check_again")
        if go := victims(stay, limits, Taken(stay, limits)):
            return *why, reasons.yields(go[0])
        return *why, Sentence("guard.none_can_go")
    if situation.heat:
        return *situation.heat, reasons.COOLING
    if not own:
        return (Sentence("guard.none_loaded"),)
    loaded = Sentence("guard.loaded", {"count": len(own)})
    if limits.max_loaded is not None:
        loaded = Sentence("guard.loaded_of", {"count": len(own), "limit": limits.max_loaded})
    return loaded, Sentence("guard.none_idle")


class Explained(Struct, frozen=True):
    """One loaded model, whether it would be stopped, and why or why not."""

    model: LoadedModel
    stop: bool
    reason: Sentences


def explain(situation: Situation) -> tuple[tuple[Explained, ...], tuple[Decision, ...]]:
    """Each loaded model, and all decisions of now."""
    decisions = decide(situation)
    stops = {(each.model, each.digest): each.reason for each in decisions if isinstance(each, Stop)}
    return tuple(_explained(each, stops, situation) for each in situation.loaded), decisions


def general(decisions: tuple[Decision, ...]) -> tuple[Sentences, ...]:
    """What is said of the host as a whole."""
    return tuple(each.reason for each in decisions if not isinstance(each, Stop))


def _explained(
    model: LoadedModel, stops: dict[tuple[str, str], Sentences], situation: Situation
) -> Explained:
    reason = stops.get((model.name, model.digest))
    if reason is not None:
        return Explained(model, True, reason)
    return Explained(model, False, reasons.unchanged(model, situation))
