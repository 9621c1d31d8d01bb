"""Who is asked before a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.tools.types import Effect, Permission

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from llmstack_tui.tools.types import Proposal


def must_ask(proposal: Proposal, folder: str, remembered: AbstractSet[Permission]) -> bool:
    """Whether a person has to say yes first. Reading in the folder that they opened needs none."""
    if proposal.effect in (Effect.NONE, Effect.READS):
        return False
    return remembered_by(proposal, folder) not in remembered


def remembered_by(proposal: Proposal, folder: str) -> Permission | None:
    """The permission that "always" gives; None for what is asked each time."""
    if not proposal.scope:
        return None
    return Permission(folder, proposal.call.name, proposal.scope)
