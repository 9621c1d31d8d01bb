"""Why the guard decides as it does, in sentences. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.text import excerpt
from llmstack_tui.guard.rules import wording
from llmstack_tui.guard.rules.excess import Taken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstack_tui.guard.situation import Limits, LoadedModel, Situation, Wanted


def too_much(stay: Sequence[LoadedModel], limits: Limits, host: str) -> str:
    """What is over the limits of a host, or of its machine."""
    taken, parts = Taken(stay, limits), []
    if taken.is_too_many(host):
        parts.append(f"{wording.are_loaded(taken.counts[host])} and the limit is {limits.max_loaded}.")
    if taken.is_too_much and limits.memory_budget is not None:
        others = f"{there}," if (there := _of_others(stay, host)) else ""
        parts.append(
            f"The models take {wording.size(taken.size)} of {limits.memory_word}{others} and may take "
            f"{wording.size(limits.memory_budget)}."
        )
    return " ".join(parts)


def unused(model: LoadedModel, first: LoadedModel) -> str:
    """Why this one; ``first`` is the least recently used of all that are there."""
    of = "" if first is model else " of those that may be stopped"
    return f"This one was used least recently{of}: {wording.lasted(model.idle_s)} ago."


def asked(stay: Sequence[LoadedModel], situation: Situation, wanted: Wanted) -> str:
    """Why one more model needs room."""
    limits, coming = situation.limits, situation.coming
    taken, parts = Taken(stay, limits, wanted, coming), []
    if taken.is_too_many(wanted.host):
        more = f", {wording.models(coming)} more {'is' if coming == 1 else 'are'} coming," if coming else ""
        count = taken.counts[wanted.host] - 1 - coming
        parts.append(f"{wording.are_loaded(count)}{more} and the limit is {limits.max_loaded}.")
    if taken.is_too_much and limits.memory_budget is not None:
        parts.append(
            f"The models take {wording.size(taken.size - (wanted.size or 0))} of "
            f"{limits.memory_word}{_of_others(stay, wanted.host)}, this one about "
            f"{wording.size(wanted.size or 0)}, and all together may take "
            f"{wording.size(limits.memory_budget)}."
        )
    return " ".join(parts)


def kept(models: Sequence[LoadedModel]) -> str:
    """Why these cannot make room."""
    groups: dict[str, list[str]] = {}
    for each in models:
        word = "pinned" if each.pinned else "in use" if each.busy or each.idle_s <= 0 else "not to be stopped"
        groups.setdefault(word, []).append(excerpt(each.name))
    parts = [
        f"{wording.listed(names)} {'is' if len(names) == 1 else 'are'} {word}"
        for word, names in groups.items()
    ]
    return f"{'; '.join(parts)}."


def yields(model: LoadedModel) -> str:
    """A model of another server of this machine is the one to go."""
    at = f" at {excerpt(model.host)}" if model.host else ""
    return f"{excerpt(model.name)}{at} was used less recently and goes first."


def _of_others(stay: Sequence[LoadedModel], host: str) -> str:
    size = sum(each.size or 0 for each in stay if each.host != host)
    if not size:
        return ""
    part = "all" if all(each.host != host for each in stay) else wording.size(size)
    return f", {part} of it on other servers of this machine"
