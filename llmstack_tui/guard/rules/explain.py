"""What the guard would do now, and why, for each model. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.guard.rules import wording
from llmstack_tui.guard.rules.policy import decide
from llmstack_tui.guard.situation import Stop

if TYPE_CHECKING:
    from llmstack_tui.guard.situation import Decision, LoadedModel, Situation


class Explained(Struct, frozen=True):
    """One loaded model, whether it would be stopped, and a sentence that says why or why not."""

    model: LoadedModel
    stop: bool
    reason: str


def explain(situation: Situation) -> tuple[tuple[Explained, ...], tuple[Decision, ...]]:
    """Each loaded model, and all decisions of now."""
    decisions = decide(situation)
    stops = {(each.model, each.digest): each.reason for each in decisions if isinstance(each, Stop)}
    return tuple(_explained(each, stops, situation) for each in situation.loaded), decisions


def general(decisions: tuple[Decision, ...]) -> tuple[str, ...]:
    """What is said of the host as a whole."""
    return tuple(each.reason for each in decisions if not isinstance(each, Stop))


def _explained(model: LoadedModel, stops: dict[tuple[str, str], str], situation: Situation) -> Explained:
    reason = stops.get((model.name, model.digest))
    if reason is not None:
        return Explained(model, True, reason)
    return Explained(model, False, _why_not(model, situation))


def _why_not(model: LoadedModel, situation: Situation) -> str:
    reasons = (
        (situation.held, "Everything is held."),
        (model.pinned, "It is pinned."),
        (model.leaving_s is not None, f"It was asked to leave {wording.lasted(model.leaving_s or 0)} ago."),
        (model.busy, "It is in use."),
        (
            model.spared,
            "It was loaded all the same a moment ago, stayed when it was asked, or cannot be stopped by its "
            "name.",
        ),
        (
            not model.ours and not situation.limits.others,
            "Another program loaded it, and guard.others is false.",
        ),
        (model.idle_limit_s is None, "It may be idle for ever."),
    )
    idle = f"It is idle, for {wording.lasted(model.idle_s)} as far as is known, and is stopped after "
    return next(
        (reason for is_so, reason in reasons if is_so), f"{idle}{wording.lasted(model.idle_limit_s or 0)}."
    )
