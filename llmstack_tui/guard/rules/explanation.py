"""Explains for each loaded model why it would be unloaded now, or why not. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.guard.rules.policy import HOLDING, decide
from llmstack_tui.guard.types import Consent, Propose, Stop

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.guard.types import Decision, LoadedModel, Situation


class Explained(Struct, frozen=True):
    """One loaded model, whether it would be unloaded now, and why or why not.

    Attributes:
        proposed: it would be unloaded if the user allowed it, and stays until then.
    """

    model: LoadedModel
    stop: bool
    reason: Sentences
    proposed: bool = False


def explain(situation: Situation) -> tuple[tuple[Explained, ...], tuple[Decision, ...]]:
    """The explanation for each loaded model, and all decisions."""
    decisions = decide(situation)
    return tuple(_explained(each, decisions, situation) for each in situation.loaded), decisions


def general(decisions: tuple[Decision, ...]) -> tuple[Sentences, ...]:
    """The reasons of the decisions that concern the host as a whole."""
    return tuple(each.reason for each in decisions if not isinstance(each, Stop | Propose))


def _explained(model: LoadedModel, decisions: tuple[Decision, ...], situation: Situation) -> Explained:
    for each in decisions:
        stop = each.stop if isinstance(each, Propose) else each
        if isinstance(stop, Stop) and (stop.model, stop.digest) == (model.name, model.digest):
            return Explained(model, stop is each, stop.reason, stop is not each)
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
        (model.consent is Consent.NO, "guard.is_of_others"),
        (model.lasting, "guard.is_lasting"),
        (model.idle_limit_s is None, "guard.has_no_idle_limit"),
    )
    for holds, kind in reasons:
        if holds:
            return (Sentence(kind),)
    return (Sentence("guard.is_idle", {"idle_s": model.idle_s, "limit_s": model.idle_limit_s}),)
