"""Why the guard decides as it does. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.guard.rules.victims import Taken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llmstack_tui.base.sentences import Param, Sentences
    from llmstack_tui.guard.types import Limits, LoadedModel, Situation, Wanted

HOLDING = (Sentence("guard.holding"),)
COOLING = Sentence("guard.cooling")


def too_much(stay: Sequence[LoadedModel], limits: Limits, host: str) -> Sentences:
    """What is over the limits of a host, or of its machine."""
    return tuple(_too_much(stay, limits, host))


def _too_much(stay: Sequence[LoadedModel], limits: Limits, host: str) -> Iterator[Sentence]:
    taken = Taken(stay, limits)
    if taken.is_too_many(host):
        yield Sentence("guard.too_many", {"count": taken.counts[host], "limit": limits.max_loaded})
    if taken.is_too_much:
        figures: dict[str, Param] = {"taken": taken.size, "budget": limits.memory_budget}
        yield Sentence("guard.too_much", {**figures, "memory": limits.memory_word})
        yield from _elsewhere(stay, host)


def longest_idle(model: LoadedModel, first: LoadedModel) -> Sentence:
    """Why this one; ``first`` is the least recently used of all that are there."""
    kind = "guard.longest_idle" if first is model else "guard.longest_idle_of_those"
    return Sentence(kind, {"idle_s": model.idle_s})


def no_room(stay: Sequence[LoadedModel], situation: Situation, wanted: Wanted) -> Sentences:
    """Why one more model needs room."""
    return tuple(_no_room(stay, situation, wanted))


def _no_room(stay: Sequence[LoadedModel], situation: Situation, wanted: Wanted) -> Iterator[Sentence]:
    limits, coming = situation.limits, situation.coming
    taken = Taken(stay, limits, wanted, coming)
    if taken.is_too_many(wanted.host):
        count = taken.counts[wanted.host] - 1 - coming
        yield Sentence("guard.too_many", {"count": count, "limit": limits.max_loaded})
        if coming:
            yield Sentence("guard.coming", {"count": coming})
    if taken.is_too_much:
        size = wanted.size or 0
        figures: dict[str, Param] = {"taken": taken.size - size, "size": size, "budget": limits.memory_budget}
        yield Sentence("guard.no_room", {**figures, "memory": limits.memory_word})
        yield from _elsewhere(stay, wanted.host)


def _elsewhere(stay: Sequence[LoadedModel], host: str) -> Iterator[Sentence]:
    size = sum(each.size or 0 for each in stay if each.host != host)
    if size and all(each.host != host for each in stay):
        yield Sentence("guard.all_elsewhere")
    elif size:
        yield Sentence("guard.elsewhere", {"size": size})


def kept(models: Sequence[LoadedModel]) -> Sentences:
    """Why these cannot make room."""
    groups: dict[str, list[str]] = {}
    for each in models:
        why = "pinned" if each.pinned else "busy" if each.busy or each.idle_s <= 0 else "other"
        groups.setdefault(f"guard.kept_{why}", []).append(each.name)
    return tuple(Sentence(kind, {"models": tuple(names)}) for kind, names in groups.items())


def yields(model: LoadedModel) -> Sentence:
    """A model of another server of this machine is the one to go."""
    if not model.host:
        return Sentence("guard.yields", {"model": model.name})
    return Sentence("guard.yields_elsewhere", {"model": model.name, "host": model.host})


def unchanged(model: LoadedModel, situation: Situation) -> Sentences:
    """Why a loaded model stays."""
    if situation.held:
        return HOLDING
    if model.leaving_s is not None and not model.pinned:
        return (Sentence("guard.is_leaving", {"left_s": model.leaving_s}),)
    reasons = (
        (model.pinned, "guard.is_pinned"),
        (model.busy, "guard.is_busy"),
        (model.spared, "guard.is_spared"),
        (not model.ours and not situation.limits.others, "guard.is_of_others"),
        (model.idle_limit_s is None, "guard.has_no_idle_limit"),
    )
    for holds, kind in reasons:
        if holds:
            return (Sentence(kind),)
    return (Sentence("guard.is_idle", {"idle_s": model.idle_s, "limit_s": model.idle_limit_s}),)
