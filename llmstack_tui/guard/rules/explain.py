"""What the guard would do now, and why, for each model. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.guard.rules.policy import decide
from llmstack_tui.guard.rules.reasons import unchanged
from llmstack_tui.guard.situation import Stop

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.guard.situation import Decision, LoadedModel, Situation


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
    return Explained(model, False, unchanged(model, situation))
