"""What blind votes say of models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmstack_tui.chat.types import Vote


class VoteTally(Struct, frozen=True, kw_only=True):
    """How often a model was voted the best of those beside it, and how often none was."""

    model: str
    votes: int
    won: int
    even: int


def tally(votes: Iterable[Vote]) -> tuple[VoteTally, ...]:
    """One for each model, the one with the largest part of its votes won first."""
    found: dict[str, VoteTally] = {}
    for vote in votes:
        for model in dict.fromkeys(vote.models):
            before = found.get(model, VoteTally(model=model, votes=0, won=0, even=0))
            found[model] = VoteTally(
                model=model,
                votes=before.votes + 1,
                won=before.won + (vote.winner == model),
                even=before.even + (vote.winner is None),
            )
    return tuple(sorted(found.values(), key=lambda each: (-each.won / each.votes, -each.votes, each.model)))
