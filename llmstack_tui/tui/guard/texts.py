"""The dashboard's texts about the guard. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import listed, plural
from llmstack_tui.base.text import brief
from llmstack_tui.core.wording import text
from llmstack_tui.guard.types import Consent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.core.state import StackState
    from llmstack_tui.guard.types import Stop
    from llmstack_tui.lifecycle.actions import Act
    from llmstack_tui.tui.shell import View

ANSWER = "models.guard_others"
"""The id of the key that opens the choice."""

_MOST_NAMED = 2
_NOW = {
    Consent.ASK: "Until you choose, the guard asks before it unloads the first one.",
    Consent.YES: "Now it unloads them, too, to keep the limits.",
    Consent.NO: "Now it leaves them alone.",
}


def proposed(state: StackState | None) -> tuple[Stop, ...]:
    """What the guards of this dashboard would do, if the user allowed it."""
    guards = state.guards.values() if state is not None else ()
    return tuple(stop for guard in guards for stop in guard.proposed)


def banner(view: View) -> str:
    """What the guard would unload and why, as long as it has to ask first; "" if there is nothing."""
    if not (stops := proposed(view.state)):
        return ""
    names = [brief(stop.model, 40) for stop in stops]
    if len(names) > _MOST_NAMED:
        names[_MOST_NAMED - 1 :] = [f"{len(names) - _MOST_NAMED + 1} more"]
    whose = plural(len(stops), "Another program loaded it", "Other programs loaded them")
    return (
        f"The guard would unload {listed(names)}: {text(stops[0].reason[0])} "
        f"{whose}. Press {view.keys[ANSWER]} to choose; until then it only watches."
    )


def choice_text(stops: tuple[Stop, ...], others: Consent, hosts: Mapping[str, str], hold: str) -> str:
    """The text of the question whether models of other programs may be unloaded.

    Args:
        stops: what the guard would unload now.
        others: the present answer.
        hosts: the names of the hosts by URL, where they are to be told.
        hold: the key of the hold.
    """
    lines = [stop_text(stop, hosts) for stop in stops]
    if lines:
        lines += ["", "The guard has unloaded nothing yet."]
    else:
        lines = [_NOW[others]]
    return "\n".join(
        [
            *lines,
            "",
            "May the guard unload models that other programs loaded? A request is never cut, and what a "
            "program loaded for ever goes last.",
            "",
            f"{hold} has it unload nothing at all. The choice is kept, and can be changed at any time.",
        ]
    )


def stop_text(stop: Act | Stop, others: Mapping[str, str]) -> str:
    """Which model is unloaded and why.

    Args:
        others: the names, by URL, of the hosts that are to be told.
    """
    at = f" at {brief(others[stop.host], 60)}" if stop.host in others else ""
    return f"{brief(stop.model, 60)}{at}: {text(*stop.reason)}"
