"""From what is known of a model to the line that shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.tui import figures
from llmstack_tui.tui.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from llmstack_tui.lifecycle.acts import Act
    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.stack import StackState
    from llmstack_tui.tui.marks import Marks

Key = tuple[str, str]
"""A model on the screen: the URL of its host, and its name there."""

_TICKING = frozenset({ModelState.ACTIVE, ModelState.LOADING, ModelState.STOPPING})


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """One line of the list, as text.

    Attributes:
        memory: the server's own figure.
        old: the server is away, and this is what it said last.
        searched: what a filter looks in, in lower case; it is not drawn.
        size_bytes, memory_bytes: what the list is sorted by; None is unknown or nothing.
    """

    key: Key
    state: ModelState
    mark: str
    name: str
    quantization: str
    size: str
    memory: str
    word: str
    leaves: str
    old: bool = False
    searched: str = field(default="", compare=False, repr=False)
    size_bytes: int | None = field(default=None, compare=False, repr=False)
    memory_bytes: int | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Moment:
    """When a row is drawn: the wall clock for what the server says, monotonic seconds for what we did."""

    now: datetime
    monotonic_s: float


def model_row(
    status: ModelStatus, act: Act | None, moment: Moment, marks: Marks, *, old: bool = False
) -> ModelRow:
    """The line of one model; ``act`` is what is under way with it."""
    model, running, state = status.model, status.running, status.state
    shown = state is ModelState.ACTIVE or state is ModelState.STOPPING
    name = clean(status.name, limit=400)
    family = clean((model.family if model else None) or "", limit=40)
    quantization = clean((model.quantization if model else None) or "", limit=40)
    word = _word(status, act, moment)
    size = model.size if model and state is not ModelState.CLOUD else None
    memory = running.size if running and shown else None
    return ModelRow(
        key=(status.host, status.name),
        state=state,
        mark=mark_of(state, marks),
        name=name,
        quantization=quantization,
        size="" if state is ModelState.CLOUD else figures.bytes_text(size),
        memory=figures.bytes_text(memory) if shown else "",
        word=word,
        # Without the server nobody knows: a request may have put it off.
        leaves=figures.left_text(running.expires_at, moment.now) if shown and running and not old else "",
        old=old,
        # No word of a filter has a line end in it, so none is found across two of these.
        searched="\n".join((name, family, quantization, word)).casefold(),
        size_bytes=size,
        memory_bytes=memory,
    )


def mark_of(state: ModelState, marks: Marks) -> str:
    match state:
        case ModelState.ACTIVE:
            return marks.active
        case ModelState.LOADING:
            return marks.loading
        case ModelState.STOPPING:
            return marks.stopping
        case ModelState.CLOUD:
            return marks.cloud
        case ModelState.INACTIVE:
            return marks.inactive


def _word(status: ModelStatus, act: Act | None, moment: Moment) -> str:
    if act is not None and status.state in {ModelState.LOADING, ModelState.STOPPING}:
        return f"{status.state} {max(0.0, moment.monotonic_s - act.started_at_s):.0f}s"
    if status.state is ModelState.ACTIVE and status.busy:
        return "active, busy"
    return str(status.state)


class Rows:
    """Makes the lines of the list, and makes again only those that can have changed."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._made: Mapping[Key, tuple[ModelStatus, ModelRow]] = {}

    def make(self, state: StackState, moment: Moment) -> tuple[ModelRow, ...]:
        under_way = {(act.host, act.model): act for act in state.acts}
        made: dict[Key, tuple[ModelStatus, ModelRow]] = {}
        for host in state.hosts:
            old = host.snapshot.error is not None
            for status in host.models:
                key = (status.host, status.name)
                known = self._made.get(key)
                if known and status.state not in _TICKING and known[1].old == old and known[0] == status:
                    made[key] = known
                else:
                    act = under_way.get(key)
                    made[key] = (status, model_row(status, act, moment, self._marks, old=old))
        self._made = made
        return tuple(row for _, row in made.values())
