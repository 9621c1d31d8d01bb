"""Explains for each loaded model why it would be unloaded now, or why not. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.guard.rules.policy import HOLDING, decide
from llmstack_tui.guard.types import Stop

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.guard.types import Decision, LoadedModel, Situation


class Explained(Struct, frozen=True):
    """One loaded model, whether it would be unloaded now, and why or why not."""

    model: LoadedModel
    stop: bool
    reason: Sentences


def explain(situation: Situation) -> tuple[tuple[Explained, ...], tuple[Decision, ...]]:
    """The explanation for each loaded model, and all decisions."""
    decisions = decide(situation)
    stops = {(each.model, each.digest): each.reason for each in decisions if isinstance(each, Stop)}
    return tuple(_explained(each, stops, situation) for each in situation.loaded), decisions


def general(decisions: tuple[Decision, ...]) -> tuple[Sentences, ...]:
    """The reasons of the decisions that concern the host as a whole."""
    return tuple(each.reason for each in decisions if not isinstance(each, Stop))


def _explained(
    model: LoadedModel, stops: dict[tuple[str, str], Sentences], situation: Situation
) -> Explained:
    reason = stops.get((model.name, model.digest))
    if reason is not None:
        return Explained(model, True, reason)
    return Explained(model, False, _unchanged(model, situation))


def _unchanged(model: LoadedModel, situation: Situation) -> Sentences:
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
