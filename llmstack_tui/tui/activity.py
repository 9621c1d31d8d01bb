"""What happened, newest first: the acts of the user, and what was seen to change without them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from llmstack_tui.hosts.types import HostKind
from llmstack_tui.lifecycle.states import ModelState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from llmstack_tui.hosts.types import ServerVersion
    from llmstack_tui.stack import StackState

LIMIT = 500


class Kind(StrEnum):
    """How an event ended; each has a word, so that nothing is said by colour alone."""

    DONE = "done"
    NOTE = "note"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the activity. ``detail`` is what else there is to know, for who opens the line."""

    at: datetime
    kind: Kind
    text: str
    detail: str = ""


class Activity:
    """The last `LIMIT` events."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=LIMIT)

    def add(self, event: Event) -> None:
        self._events.appendleft(event)

    def newest(self, count: int) -> tuple[Event, ...]:
        return tuple(islice(self._events, count))

    def __len__(self) -> int:
        return len(self._events)


def server_name(server: ServerVersion | None) -> str:
    """What a server is called on the screen."""
    if server is None:
        return "Server"
    return {HostKind.OLLAMA: "Ollama", HostKind.BUILTIN: "Built-in engine", HostKind.OPENAI: "Server"}[
        server.kind
    ]


def server_phrase(server: ServerVersion | None) -> str:
    """The same at the beginning of a sentence."""
    name = server_name(server)
    return (
        name if server is not None and server.kind is HostKind.OLLAMA else f"The {name[0].lower()}{name[1:]}"
    )


def changes(before: StackState, after: StackState) -> Iterator[str]:
    """What other clients, keep-alive times and networks did between two states: one sentence each.

    What we did ourselves is left out: its own act says it, and better.
    """
    ours = {(act.host, act.model) for state in (before, after) for act in state.acts}
    old_hosts = {host.snapshot.url: host for host in before.hosts}
    for host in after.hosts:
        old = old_hosts.get(host.snapshot.url)
        if old is None or old.snapshot.read_at is None:
            continue
        name = server_phrase(host.snapshot.server)
        if old.snapshot.reachable != host.snapshot.reachable:
            yield f"{name} is back." if host.snapshot.reachable else f"{name} is not reachable."
        if not host.snapshot.reachable:
            continue
        old_models = {model.name: model.state for model in old.models}
        new_models = {model.name: model.state for model in host.models}
        for model in (*new_models, *(gone for gone in old_models if gone not in new_models)):
            if (host.snapshot.url, model) in ours:
                continue
            was = old_models.get(model) is ModelState.ACTIVE
            is_now = new_models.get(model) is ModelState.ACTIVE
            if is_now and not was:
                yield f"{model} was loaded by another client."
            elif was and not is_now:
                yield f"{model} left memory: its time was up, or another client stopped it."
