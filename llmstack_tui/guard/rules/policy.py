"""Decides what to unload, what to warn of, and whether one more model may be loaded. Pure.

A model that is pinned or shows a sign of activity is never asked to leave, and no more models are asked than
necessary. Of several candidates on this machine, the least recently used goes first; those that another
program loaded to stay for ever go last. As long as the user has not said whether models of other programs may
be unloaded, a guard that would unload one unloads nothing, and proposes it.

Each server has its own limit of models; the memory budget is shared by all servers of the machine. The guard
of each server works out the same victims from all models loaded on the machine, and asks only those on its
own server. So two guards never unload two models where one is enough.
"""

from __future__ import annotations

from collections import Counter
from math import inf
from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.guard.types import (
    Allow,
    Ask,
    Cause,
    Consent,
    Nothing,
    Propose,
    Refuse,
    Renew,
    Stop,
    Warn,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from llmstack_tui.base.sentences import Param, Sentences
    from llmstack_tui.guard.types import Admission, Decision, Limits, LoadedModel, Situation, Wanted

# One look may be wrong: while a server reloads a model it may list it twice, or list nothing for a moment.
LOOKS = 2
# A server takes some seconds to unload a model; if it takes longer than this, it hangs.
STUCK_S = 60.0
_HOT_S = 10.0
_COOLING_S = 60.0
# A pin is renewed when the keep-alive of another client has nearly ended and the model is idle. A model that
# has no time left was asked to leave: it is not renewed.
RENEWED_S, _NO_TIME_S = 60.0, 5.0
HOLDING = (Sentence("guard.holding"),)
COOLING = Sentence("guard.cooling")
_Key = tuple[str, str, str]


def decide(situation: Situation) -> tuple[Decision, ...]:
    """Decide what to do now: at least one decision, and always the same for the same situation."""
    others: tuple[Decision, ...] = (*_renewals(situation), *_warnings(situation))
    if situation.held:
        return *others, Nothing(HOLDING)
    stops = tuple(_idle_stops(situation))
    stay = _staying(situation, {_key(stop) for stop in stops})
    if situation.looks_over >= LOOKS:
        stops += _limit_stops(stay, situation)
    if not stops and situation.heat:
        stops = _heat_stops(stay, situation)
    # Models on other servers of this machine are left to the guards of those.
    own = tuple(stop for stop in stops if stop.host == situation.host)
    if any(stop.asks for stop in own):
        return *others, *(Propose(stop) for stop in own if stop.asks)
    return (*own, *others) or (Nothing(_why_nothing(stay, situation)),)


def admit(situation: Situation, wanted: Wanted) -> Admission:
    """Whether a model may be loaded, and what would be unloaded for it, also from other servers."""
    if refused := refusal(situation):
        return Refuse(refused)
    stay, limits = _staying(situation), situation.limits
    totals = Totals(stay, limits, wanted, situation.coming)
    if situation.held or not totals.is_over(wanted.host):
        return Allow()
    cause = Cause.COUNT if totals.is_too_many(wanted.host) else Cause.MEMORY
    go = victims(stay, totals)
    enough = not totals.is_over(wanted.host)
    reason = tuple(_no_room(stay, situation, wanted))
    if not enough:
        concerned = stay if totals.is_too_much else [each for each in stay if each.host == wanted.host]
        reason += _kept([each for each in concerned if each not in go])
    room = Sentence("guard.makes_room", {"model": wanted.name})
    stops = (_stop(each, cause, (room, *why)) for each, why in _in_turn(go, stay))
    return Ask(tuple(stops), enough, reason)


def _in_turn(
    go: Iterable[LoadedModel], stay: Iterable[LoadedModel]
) -> Iterable[tuple[LoadedModel, Sentences]]:
    """Pair each model that goes with the reason why it is chosen, once those before it have gone."""
    left = list(stay)
    for each in go:
        yield each, _chosen(each, left)
        left.remove(each)


def refusal(situation: Situation) -> Sentences:
    """Why no model may be loaded now; empty if one may."""
    return (*situation.heat, COOLING) if situation.heat else ()


def _stop(model: LoadedModel, cause: Cause, reason: Sentences) -> Stop:
    if model.shares:
        reason += (Sentence("guard.shares", {"models": model.shares}),)
    return Stop(model.name, model.digest, cause, reason, model.host, model.consent is Consent.ASK)


def _key(each: LoadedModel | Stop) -> _Key:
    return each.host, each.model if isinstance(each, Stop) else each.name, each.digest


def _machine(situation: Situation) -> tuple[LoadedModel, ...]:
    return *situation.loaded, *situation.elsewhere


def _staying(situation: Situation, leaving: Collection[_Key] = ()) -> list[LoadedModel]:
    return [each for each in _machine(situation) if each.leaving_s is None and _key(each) not in leaving]


def _idle_stops(situation: Situation) -> Iterable[Stop]:
    for each in _machine(situation):
        limit_s = each.idle_limit_s
        if limit_s is not None and each.idle_s >= limit_s and may_go(each):
            reason = Sentence("guard.idle", {"idle_s": each.idle_s, "limit_s": limit_s})
            yield _stop(each, Cause.IDLE, (reason,))


def _limit_stops(stay: Sequence[LoadedModel], situation: Situation) -> tuple[Stop, ...]:
    limits = situation.limits
    before, go = Totals(stay, limits), victims(stay, Totals(stay, limits))
    why = {host: tuple(_too_much(stay, limits, host)) for host in {each.host for each in go}}
    return tuple(
        _stop(
            each,
            Cause.COUNT if before.is_too_many(each.host) else Cause.MEMORY,
            (*why[each.host], *least),
        )
        for each, least in _in_turn(go, stay)
    )


def _heat_stops(stay: Sequence[LoadedModel], situation: Situation) -> tuple[Stop, ...]:
    has_waited = situation.heat_stop_s is None or situation.heat_stop_s >= _COOLING_S
    could = [each for each in stay if may_go(each)]
    if situation.hot_for_s < _HOT_S or not has_waited or not could:
        return ()
    least = min(could, key=last_used)
    return (_stop(least, Cause.HEAT, (*situation.heat, *_chosen(least, stay))),)


def _renewals(situation: Situation) -> Iterable[Renew]:
    for each in situation.loaded:
        is_idle = not each.busy and each.idle_s > 0 and each.leaving_s is None
        if not each.pinned or not is_idle:
            continue
        if each.fresh:
            yield Renew(each.name, each.digest, (Sentence("guard.now_idle"),))
        elif _NO_TIME_S <= (each.lapses_s or 0) <= RENEWED_S:
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


def _why_nothing(stay: Sequence[LoadedModel], situation: Situation) -> Sentences:
    limits, host = situation.limits, situation.host
    own = [each for each in stay if each.host == host]
    if is_over(stay, limits, host=host):
        why = tuple(_too_much(stay, limits, host))
        if situation.looks_over < LOOKS:
            return *why, Sentence("guard.check_again")
        if go := victims(stay, Totals(stay, limits)):
            return *why, _yields(go[0])
        return *why, Sentence("guard.none_can_go")
    if situation.heat:
        return *situation.heat, COOLING
    if not own:
        return (Sentence("guard.none_loaded"),)
    loaded = Sentence("guard.loaded", {"count": len(own)})
    if limits.max_loaded is not None:
        loaded = Sentence("guard.loaded_of", {"count": len(own), "limit": limits.max_loaded})
    return loaded, Sentence("guard.none_idle")


class Totals:
    """Number and size of models, checked against the limits.

    Args:
        stay: the models to count.
        wanted: one more model; then only the limit of its own server is checked.
        coming: how many more are about to be loaded on that server.

    Attributes:
        counts: of models, by host.
        size: bytes of all models.
    """

    def __init__(
        self, stay: Sequence[LoadedModel], limits: Limits, wanted: Wanted | None = None, coming: int = 0
    ) -> None:
        self.counts = Counter(each.host for each in stay)
        self.size = sum(each.size or 0 for each in stay)
        if wanted is not None:
            self.counts[wanted.host] += 1 + coming
            self.size += wanted.size or 0
        most, budget = limits.max_loaded, limits.memory_budget
        self._host = None if wanted is None else wanted.host
        self._most: float = inf if most is None else most
        self._budget: float = inf if budget is None else budget

    def is_too_many(self, host: str) -> bool:
        return self._host in (None, host) and self.counts[host] > self._most

    @property
    def is_too_much(self) -> bool:
        """Whether the memory budget is exceeded. A single model may exceed it: it was loaded on purpose."""
        return self.size > self._budget and self.counts.total() > 1

    def is_over(self, host: str) -> bool:
        """Whether the limit of a host, or the budget of its machine, is exceeded."""
        return self.is_too_many(host) or self.is_too_much

    def remove(self, model: LoadedModel) -> None:
        self.counts[model.host] -= 1
        self.size -= model.size or 0

    def has_room(self, model: LoadedModel) -> bool:
        """Whether a model that was removed could be added again within the limits."""
        size = model.size or 0
        fits = self.size + size <= self._budget or self.counts.total() < 1 or not size
        return fits and (self._host not in (None, model.host) or self.counts[model.host] < self._most)

    def add(self, model: LoadedModel) -> None:
        self.counts[model.host] += 1
        self.size += model.size or 0


def is_over(
    loaded: Iterable[LoadedModel], limits: Limits, wanted: Wanted | None = None, *, host: str = ""
) -> bool:
    """Whether the limit of a host, or of its machine, is exceeded; models that are leaving do not count."""
    return Totals([each for each in loaded if each.leaving_s is None], limits, wanted).is_over(host)


def may_go(model: LoadedModel) -> bool:
    """Whether a model may be asked to leave at all, once the user has been asked where that is needed."""
    is_idle = not model.busy and model.idle_s > 0
    is_kept = model.pinned or model.spared or model.consent is Consent.NO
    return is_idle and not is_kept and model.leaving_s is None


def last_used(model: LoadedModel) -> tuple[bool, float, str, str, str]:
    """The sort key by which models go: the least recently used first, those that are to last after all."""
    return model.lasting, model.sign_at_s, model.name, model.digest, model.host


def victims(stay: Sequence[LoadedModel], totals: Totals) -> list[LoadedModel]:
    """The models that have to go, no more than necessary, the least recently used first.

    Args:
        totals: the totals of ``stay``, perhaps with one more; the victims are removed from it.
    """
    chosen: list[LoadedModel] = []
    for each in sorted(stay, key=last_used):
        helps = totals.is_too_many(each.host) or (totals.is_too_much and each.size)
        if helps and may_go(each):
            chosen.append(each)
            totals.remove(each)
    # A small model chosen first may be unnecessary once a large one goes.
    for index in reversed(range(len(chosen))):
        if totals.has_room(chosen[index]):
            totals.add(chosen.pop(index))
    return chosen


def _too_much(stay: Sequence[LoadedModel], limits: Limits, host: str) -> Iterator[Sentence]:
    """Which limits of a host, or of its machine, are exceeded."""
    totals = Totals(stay, limits)
    if totals.is_too_many(host):
        yield Sentence("guard.too_many", {"count": totals.counts[host], "limit": limits.max_loaded})
    if totals.is_too_much:
        figures: dict[str, Param] = {"taken": totals.size, "budget": limits.memory_budget}
        yield Sentence("guard.too_much", {**figures, "memory": limits.memory_word})
        yield from _elsewhere(stay, host)


def _chosen(model: LoadedModel, left: Sequence[LoadedModel]) -> Sentences:
    """Why ``model`` is chosen among those that are left, whether the others may go or not."""
    if model.lasting:
        return (Sentence("guard.last_to_go"),)
    earlier = [each for each in left if each.sign_at_s < model.sign_at_s]
    kind = "guard.longest_idle"
    if earlier:
        is_lasting = all(each.lasting for each in earlier)
        kind = "guard.longest_idle_not_lasting" if is_lasting else "guard.longest_idle_of_those"
    return (Sentence(kind, {"idle_s": model.idle_s}),)


def _no_room(stay: Sequence[LoadedModel], situation: Situation, wanted: Wanted) -> Iterator[Sentence]:
    """Why one more model needs room."""
    limits, coming = situation.limits, situation.coming
    totals = Totals(stay, limits, wanted, coming)
    if totals.is_too_many(wanted.host):
        count = totals.counts[wanted.host] - 1 - coming
        yield Sentence("guard.too_many", {"count": count, "limit": limits.max_loaded})
        if coming:
            yield Sentence("guard.coming", {"count": coming})
    if totals.is_too_much:
        size = wanted.size or 0
        figures: dict[str, Param] = {
            "taken": totals.size - size,
            "size": size,
            "budget": limits.memory_budget,
        }
        yield Sentence("guard.no_room", {**figures, "memory": limits.memory_word})
        yield from _elsewhere(stay, wanted.host)


def _elsewhere(stay: Sequence[LoadedModel], host: str) -> Iterator[Sentence]:
    size = sum(each.size or 0 for each in stay if each.host != host)
    if size and all(each.host != host for each in stay):
        yield Sentence("guard.all_elsewhere")
    elif size:
        yield Sentence("guard.elsewhere", {"size": size})


def _kept(models: Sequence[LoadedModel]) -> Sentences:
    """Why these models cannot make room."""
    groups: dict[str, list[str]] = {}
    for each in models:
        why = "pinned" if each.pinned else "busy" if each.busy or each.idle_s <= 0 else "other"
        groups.setdefault(f"guard.kept_{why}", []).append(each.name)
    return tuple(Sentence(kind, {"models": tuple(names)}) for kind, names in groups.items())


def _yields(model: LoadedModel) -> Sentence:
    """That a model of another server on this machine goes first."""
    if not model.host:
        return Sentence("guard.yields", {"model": model.name})
    return Sentence("guard.yields_elsewhere", {"model": model.name, "host": model.host})
