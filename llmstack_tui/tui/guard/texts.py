"""The dashboard's texts about the guard. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.languages import later, later_n, tr, tr_n
from llmstack_tui.base.sentences import listed
from llmstack_tui.base.text import brief
from llmstack_tui.core.wording import text
from llmstack_tui.guard.types import Consent
from llmstack_tui.tui.draw.text import lines_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llmstack_tui.core.state import StackState
    from llmstack_tui.guard.types import Stop
    from llmstack_tui.lifecycle.actions import Act
    from llmstack_tui.tui.view import View

ANSWER = "models.guard_others"
"""The id of the key that opens the choice."""

_MOST_NAMED = 2
_NOW = {
    Consent.ASK: later("Until you choose, the guard asks before it unloads the first one."),
    Consent.YES: later("Now it unloads them, too, to keep the limits."),
    Consent.NO: later("Now it leaves them alone."),
}

PINNED = later_n("{model} is pinned.", "{count} models are pinned.")
UNPINNED = later_n("{model} is unpinned.", "{count} models are unpinned.")
GONE = later_n("{model} is not there any more.", "{count} models are not there any more.")
PINNED_ALREADY = later_n("{model} is pinned already.", "{count} models are pinned already.")
PINNED_AGAIN = later_n("{model} is pinned again.", "{count} models are pinned again.")
NOT_PINNED = later_n("{model} is not pinned any more.", "{count} models are not pinned any more.")
UNPINNED_AGAIN = later_n("{model} is unpinned again.", "{count} models are unpinned again.")
UNLOADED_AGAIN = later_n(
    "{model} is unpinned and unloaded again.", "{count} models are unpinned and unloaded again."
)
ACTIVE_ALREADY = later_n("{model} is active already.", "{count} models are active already.")
LOADING_ALREADY = later_n("{model} is loading already.", "{count} models are loading already.")
KEPT = later_n("{model} is kept in memory.", "{count} models are kept in memory.")
LOADED_AGAIN = later_n("{model} is loaded again.", "{count} models are loaded again.")


def said_text(groups: Mapping[tuple[str, str], Sequence[str]]) -> str:
    """What is said of each group of models, as ``{PINNED: ["a:1"]}``."""
    return lines_text([tr_n(*what, len(names), model=brief(names[0], 50)) for what, names in groups.items()])


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
        names[_MOST_NAMED - 1 :] = [tr("{count} more", count=len(names) - _MOST_NAMED + 1)]
    return tr_n(
        "The guard would unload {models}: {why} Another program loaded it. Press {key} to choose; until then "
        "it only watches.",
        "The guard would unload {models}: {why} Other programs loaded them. Press {key} to choose; until "
        "then it only watches.",
        len(stops),
        models=listed(names),
        why=text(stops[0].reason[0]),
        key=view.keys[ANSWER],
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
        lines += ["", tr("The guard has unloaded nothing yet.")]
    else:
        lines = [tr(_NOW[others])]
    question = tr(
        "May the guard unload models that other programs loaded? A request is never cut, and what a program "
        "loaded for ever goes last."
    )
    about = tr(
        "{key} has it unload nothing at all. The choice is kept, and can be changed at any time.", key=hold
    )
    return "\n".join([*lines, "", question, "", about])


def stop_text(stop: Act | Stop, others: Mapping[str, str]) -> str:
    """Which model is unloaded and why.

    Args:
        others: the names, by URL, of the hosts that are to be told.
    """
    model, why = brief(stop.model, 60), text(*stop.reason)
    if stop.host in others:
        return tr("{model} at {host}: {why}", model=model, host=brief(others[stop.host], 60), why=why)
    return f"{model}: {why}"
