"""Pins: how they are put on record, and whether a model that is loaded may be told to stay. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.names import model_key
from llmstack_tui.lifecycle.states import ModelState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.store.tables.activations import Activation

# Under which key of the store it stands that nothing is to be stopped.
HELD = "guard.held"
OURS = frozenset({Actor.USER, Actor.CLI, Actor.GUARD})


def load_of(status: ModelStatus, active: Iterable[Activation]) -> Activation | None:
    """How we loaded a model that is idle: so, and only so, it may be asked for again without being reloaded.

    None where it is not loaded or busy, where another program loaded it, or with another context since.
    """
    running = status.running
    if running is None or status.busy or status.state is not ModelState.ACTIVE:
        return None
    keys = {model_key(status.name), model_key(running.name)}
    load = next((each for each in active if model_key(each.model) in keys), None)
    if load is None or load.asked_by not in OURS:
        return None
    return load if load.context_length in (None, running.context_length) else None
