"""How much too much is loaded, and what has to go for it. Pure.

The limit of models is one of each server, the memory budget one of the machine: its servers share it. Every
guard of the machine works out the same victims from all that is loaded there, and asks those of its own
server; so no two of them stop a model each where one is enough.
"""

from __future__ import annotations

from collections import Counter
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from llmstack_tui.guard.types import Limits, LoadedModel, Wanted


class Taken:
    """What models take together.

    Args:
        wanted: one more; then only its own server's limit of models counts.
        coming: how many more are coming to that server.
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
        """A model that is alone may take more than the budget: whoever loaded it wanted just that."""
        return self.size > self._budget and self.counts.total() > 1

    def is_over(self, host: str) -> bool:
        """Whether a host has more than it may, or its machine."""
        return self.is_too_many(host) or self.is_too_much

    def without(self, model: LoadedModel) -> None:
        self.counts[model.host] -= 1
        self.size -= model.size or 0

    def has_room(self, model: LoadedModel) -> bool:
        """Whether a model that was counted out may stay after all."""
        size = model.size or 0
        fits = self.size + size <= self._budget or self.counts.total() < 1 or not size
        return fits and (self._host not in (None, model.host) or self.counts[model.host] < self._most)

    def again(self, model: LoadedModel) -> None:
        self.counts[model.host] += 1
        self.size += model.size or 0


def is_over(
    loaded: Iterable[LoadedModel], limits: Limits, wanted: Wanted | None = None, *, host: str = ""
) -> bool:
    """Whether a host has more than it may, or its machine. What leaves already does not count."""
    return Taken([each for each in loaded if each.leaving_s is None], limits, wanted).is_over(host)


def may_go(model: LoadedModel, limits: Limits) -> bool:
    """Whether a model may be asked to leave at all."""
    shows_nothing = not model.busy and model.idle_s > 0
    is_theirs = not model.ours and not limits.others
    return shows_nothing and not (model.pinned or model.spared or model.leaving_s is not None or is_theirs)


def last_used(model: LoadedModel) -> tuple[float, str, str, str]:
    """Of two models the one with the lower goes first."""
    return model.sign_at_s, model.name, model.digest, model.host


def victims(stay: Sequence[LoadedModel], limits: Limits, taken: Taken) -> list[LoadedModel]:
    """Those that have to go, none in vain, the least recently used first.

    Args:
        taken: what ``stay`` takes, and perhaps one more; when it is left, what stays takes.
    """
    chosen: list[LoadedModel] = []
    for each in sorted(stay, key=last_used):
        helps = taken.is_too_many(each.host) or (taken.is_too_much and each.size)
        if helps and may_go(each, limits):
            chosen.append(each)
            taken.without(each)
    # What was chosen before a large one may not be needed any more.
    for index in reversed(range(len(chosen))):
        if taken.has_room(chosen[index]):
            taken.again(chosen.pop(index))
    return chosen
