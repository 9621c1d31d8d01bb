"""Whether a model fits: its estimate, compared with the room of a machine."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.languages import later

if TYPE_CHECKING:
    from llmstack_tui.fit.memory import Estimate

_TIGHT = 0.9


class Fit(StrEnum):
    """Whether there is room for a model. The values are shown, in the language of the moment."""

    NOW = later("fits now")
    ALONE = later("fits alone")  # once the models that are loaded have left
    PARTLY = later("partly on the CPU")
    NO = later("does not fit")


class Room(Struct, frozen=True, kw_only=True):
    """The room for models, in bytes. None is unknown.

    Attributes:
        budget: for all models together.
        taken: by the loaded models.
        free: not used by any program now.
        overflow: main memory beside a graphics card, where the rest of a model runs slowly.
        allowed: the user's limit for all models together; a single model may take more. None is no limit.
    """

    budget: int | None
    taken: int = 0
    free: int | None = None
    overflow: int = 0
    allowed: int | None = None


class Verdict(Struct, frozen=True, kw_only=True):
    """Whether a model fits.

    Attributes:
        tight: it fits, but takes more than nine tenths of the budget.
        left: bytes of the budget that it leaves; negative if it exceeds the budget.
    """

    fit: Fit
    tight: bool
    left: int


class Fitted(Struct, frozen=True):
    """An estimate, and the verdict for this machine; None is unknown."""

    estimate: Estimate
    verdict: Verdict | None


def verdict(estimate: Estimate | None, room: Room) -> Verdict | None:
    """Whether a model fits; None if not known."""
    if estimate is None or room.budget is None:
        return None
    total, budget = estimate.total, max(room.budget, 0)
    together = budget if room.allowed is None else min(room.allowed, budget)
    now = together - room.taken if room.free is None else min(together - room.taken, room.free)
    if total <= now:
        fit = Fit.NOW
    elif total <= budget:
        fit = Fit.ALONE
    elif total <= budget + room.overflow:
        fit = Fit.PARTLY
    else:
        fit = Fit.NO
    fits = fit in {Fit.NOW, Fit.ALONE}
    return Verdict(fit=fit, tight=fits and total > _TIGHT * budget, left=budget - total)
