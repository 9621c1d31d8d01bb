"""What to stop, what to warn of, and whether one more model may be loaded. Pure.

A model that is pinned or shows a sign of activity is never asked to leave, and no more are asked than it
takes. Where several could go, the one goes that was used least recently.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from llmstack_tui.frozen import replace
from llmstack_tui.guard import wording
from llmstack_tui.guard.situation import Allow, Ask, Cause, Nothing, Refuse, Stop, Warn
from llmstack_tui.hosts.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from llmstack_tui.guard.situation import Admission, Decision, Limits, LoadedModel, Situation, Wanted

# One look may err: a server lists a model twice while it loads it anew, or nothing at all for a moment.
LOOKS = 2
# A server needs some seconds to end a model; one that takes longer than this hangs.
STUCK_S = 60.0
_HOT_S = 10.0
_COOLING_S = 60.0


def decide(situation: Situation) -> tuple[Decision, ...]:
    """What to do now; at least one decision, and the same ones for the same situation."""
    warnings = tuple(_warnings(situation))
    if situation.held:
        return *warnings, Nothing("Everything is held: nothing is stopped until that is taken back.")
    stops = tuple(_idle_stops(situation))
    leaving = {(stop.model, stop.digest) for stop in stops}
    stay = _staying(situation, leaving)
    if situation.looks_over >= LOOKS:
        stops += _limit_stops(stay, situation.limits)
    if not stops and situation.heat:
        stops = _heat_stops(stay, situation)
    return (*stops, *warnings) or (Nothing(_at_rest(stay, situation)),)


def admit(situation: Situation, wanted: Wanted) -> Admission:
    """Whether a model that is not loaded may be, and what would have to go."""
    if situation.heat:
        return Refuse(f"{situation.heat}: nothing is loaded until it has cooled down.")
    stay, limits = _staying(situation), situation.limits
    if limits.max_loaded is not None:
        limits = replace(limits, max_loaded=limits.max_loaded - situation.coming)
    if situation.held or not is_over(stay, limits, wanted):
        return Allow()
    victims, enough = _victims(stay, limits, wanted)
    reason = _why_asked(stay, situation, wanted)
    if not enough:
        kept = [each for each in stay if each not in victims]
        reason += f" {_why_kept(kept)}" if kept else ""
    cause = Cause.COUNT if _over(stay, limits, wanted)[0] > 0 else Cause.MEMORY
    first, makes_room = _least(stay), f"It makes room for {printable(wanted.name)}."
    stops = (Stop(each.name, each.digest, cause, f"{makes_room} {_unused(each, first)}") for each in victims)
    return Ask(tuple(stops), enough, reason)


def is_over(loaded: Iterable[LoadedModel], limits: Limits, wanted: Wanted | None = None) -> bool:
    """Whether more is loaded than the limits allow. What leaves already does not count."""
    return any(
        over > 0 for over in _over([each for each in loaded if each.leaving_s is None], limits, wanted)
    )


def may_go(model: LoadedModel, limits: Limits) -> bool:
    """Whether a model may be asked to leave at all."""
    shows_nothing = not model.busy and model.idle_s > 0
    is_theirs = not model.ours and not limits.others
    return shows_nothing and not (model.pinned or model.spared or model.leaving_s is not None or is_theirs)


def _last_used(model: LoadedModel) -> tuple[float, str, str]:
    return model.sign_at_s, model.name, model.digest


def _least(stay: Sequence[LoadedModel]) -> LoadedModel | None:
    return min(stay, key=_last_used, default=None)


def _staying(situation: Situation, leaving: Iterable[tuple[str, str]] = ()) -> list[LoadedModel]:
    return [
        each
        for each in situation.loaded
        if each.leaving_s is None and (each.name, each.digest) not in leaving
    ]


# --- idle ---


def _idle_stops(situation: Situation) -> Iterable[Stop]:
    for each in situation.loaded:
        limit_s = each.idle_limit_s
        if limit_s is not None and each.idle_s >= limit_s and may_go(each, situation.limits):
            reason = f"It was idle for {wording.lasted(each.idle_s)}; the limit is {wording.lasted(limit_s)}."
            yield Stop(each.name, each.digest, Cause.IDLE, reason)


# --- limits ---


def _over(stay: Sequence[LoadedModel], limits: Limits, wanted: Wanted | None = None) -> tuple[float, float]:
    """How many models, and bytes, there are too many; not above zero where there is room.

    A model that is alone may take more than the budget: whoever loaded it wanted just that.
    """
    (count, size), (most, budget) = _taken(stay, wanted), _bounds(limits)
    return count - most, size - budget if count > 1 else -inf


def _taken(stay: Sequence[LoadedModel], wanted: Wanted | None) -> tuple[int, int]:
    count = len(stay) + (wanted is not None)
    return count, sum(each.size or 0 for each in stay) + (wanted.size or 0 if wanted else 0)


def _bounds(limits: Limits) -> tuple[float, float]:
    most, budget = limits.max_loaded, limits.memory_budget
    return inf if most is None else most, inf if budget is None else budget


def _victims(
    stay: Sequence[LoadedModel], limits: Limits, wanted: Wanted | None = None
) -> tuple[list[LoadedModel], bool]:
    """Those that have to go, none in vain, the least recently used first; and whether that is enough."""
    (count, size), (most, budget) = _taken(stay, wanted), _bounds(limits)
    chosen: list[LoadedModel] = []
    for each in sorted(stay, key=_last_used):
        if count <= most and (size <= budget or count <= 1):
            break
        if (count > most or each.size) and may_go(each, limits):
            chosen.append(each)
            count, size = count - 1, size - (each.size or 0)
    # What was chosen before a large one may not be needed any more.
    for index in reversed(range(len(chosen))):
        more = chosen[index].size or 0
        if count < most and (size + more <= budget or count < 1 or not more):
            del chosen[index]
            count, size = count + 1, size + more
    return chosen, count <= most and (size <= budget or count <= 1)


def _limit_stops(stay: Sequence[LoadedModel], limits: Limits) -> tuple[Stop, ...]:
    count_over, _ = _over(stay, limits)
    victims, _ = _victims(stay, limits)
    first, why = _least(stay), _too_many(stay, limits)
    cause = Cause.COUNT if count_over > 0 else Cause.MEMORY
    return tuple(Stop(each.name, each.digest, cause, f"{why} {_unused(each, first)}") for each in victims)


def _too_many(stay: Sequence[LoadedModel], limits: Limits) -> str:
    count_over, size_over = _over(stay, limits)
    parts = []
    if count_over > 0:
        parts.append(f"{wording.are_loaded(len(stay))} and the limit is {limits.max_loaded}.")
    if size_over > 0 and limits.memory_budget is not None:
        taken = sum(each.size or 0 for each in stay)
        parts.append(
            f"The models take {wording.size(taken)} of {limits.memory_word} and may take "
            f"{wording.size(limits.memory_budget)}."
        )
    return " ".join(parts)


def _unused(model: LoadedModel, first: LoadedModel | None) -> str:
    """Why this one; ``first`` is the least recently used of all that are there."""
    of = "" if first is model else " of those that may be stopped"
    return f"This one was used least recently{of}: {wording.lasted(model.idle_s)} ago."


def _why_asked(stay: Sequence[LoadedModel], situation: Situation, wanted: Wanted) -> str:
    limits, coming = situation.limits, situation.coming
    count_over, size_over = _over(stay, limits, wanted)
    parts = []
    if count_over + coming > 0:
        more = f", {wording.models(coming)} more {'is' if coming == 1 else 'are'} coming," if coming else ""
        parts.append(f"{wording.are_loaded(len(stay))}{more} and the limit is {limits.max_loaded}.")
    if size_over > 0 and limits.memory_budget is not None:
        taken = wording.size(sum(each.size or 0 for each in stay))
        more = wording.size(wanted.size or 0)
        parts.append(
            f"The models take {taken} of {limits.memory_word}, this one about {more}, and all together may "
            f"take {wording.size(limits.memory_budget)}."
        )
    return " ".join(parts)


def _why_kept(kept: Sequence[LoadedModel]) -> str:
    """Why these cannot make room."""
    groups: dict[str, list[str]] = {}
    for each in kept:
        word = "pinned" if each.pinned else "in use" if each.busy or each.idle_s <= 0 else "not to be stopped"
        groups.setdefault(word, []).append(printable(each.name))
    parts = [
        f"{wording.listed(names)} {'is' if len(names) == 1 else 'are'} {word}"
        for word, names in groups.items()
    ]
    return f"{'; '.join(parts)}."


# --- heat ---


def _heat_stops(stay: Sequence[LoadedModel], situation: Situation) -> tuple[Stop, ...]:
    has_waited = situation.heat_stop_s is None or situation.heat_stop_s >= _COOLING_S
    if situation.hot_for_s < _HOT_S or not has_waited:
        return ()
    could = [each for each in stay if may_go(each, situation.limits)]
    if not could:
        return ()
    least = min(could, key=_last_used)
    return (Stop(least.name, least.digest, Cause.HEAT, f"{situation.heat}. {_unused(least, _least(stay))}"),)


# --- what else is told ---


def _warnings(situation: Situation) -> Iterable[Warn]:
    limit = situation.limits.max_loaded
    for each in situation.loaded:
        left_s = each.leaving_s
        if left_s is not None and not each.busy and min(left_s, each.idle_s) >= STUCK_S:
            yield Warn(
                ("stuck", each.name),
                f"{printable(each.name)} was asked to leave {wording.lasted(left_s)} ago, shows no sign of a "
                "request, and is still in memory. If it stays, restart the server.",
            )
    pinned = [each for each in situation.loaded if each.pinned]
    if limit is not None and len(pinned) > limit:
        names = wording.listed([printable(each.name) for each in pinned])
        yield Warn(
            ("pins", names),
            f"{names} are pinned, and the limit is {limit}: the limit cannot be kept. Unpin one, or raise "
            "guard.max_loaded.",
        )


def _at_rest(stay: Sequence[LoadedModel], situation: Situation) -> str:
    limits = situation.limits
    if is_over(stay, limits):
        why = _too_many(stay, limits)
        if situation.looks_over < LOOKS:
            return f"{why} It is looked at once more before anything is stopped."
        return f"{why} All of them are pinned, in use or not to be stopped."
    if situation.heat:
        return f"{situation.heat}: no model is loaded until it has cooled down."
    if not stay:
        return "No model is loaded."
    limit = "" if limits.max_loaded is None else f", and the limit is {limits.max_loaded}"
    return f"{wording.are_loaded(len(stay))}{limit}. None was idle for too long."
