"""What is said of acts, for the record. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.text import excerpt
from llmstack_tui.lifecycle.actions import ActEnd
from llmstack_tui.lifecycle.changes import EventKind

if TYPE_CHECKING:
    from llmstack_tui.hosts.errors import HostError
    from llmstack_tui.lifecycle.actions import Act

_MOST_DETAIL = 2000
_ENDS = {
    ActEnd.LOADED: "{} is active after {}.",
    ActEnd.GONE: "{} has left memory.",
    ActEnd.LEAVING: "{} leaves as soon as its running request has ended.",
    ActEnd.KEPT: "{} stays: another client has asked for it meanwhile.",
    ActEnd.SUPERSEDED: "{} had not left yet when something else was asked of it.",
}
_ENDS_OF_THE_GUARD = {
    ActEnd.LOADED: "{} was told to stay by the guard.",
    ActEnd.GONE: "{} was stopped by the guard.",
    ActEnd.LEAVING: "{} was asked to leave by the guard, and does as soon as its running request has ended.",
}
_DONE = {
    EventKind.ACTIVATE: "loaded",
    EventKind.DEACTIVATE: "stopped",
    EventKind.REMOVE: "removed",
    EventKind.IMPORT: "added",
    EventKind.COPY: "copied",
    EventKind.RENAME: "renamed",
    EventKind.CREATE: "created",
    EventKind.PULL: "pulled",
    EventKind.UPDATE: "updated",
}
_DOING = {
    EventKind.ACTIVATE: "Loading",
    EventKind.DEACTIVATE: "Stopping",
    EventKind.REMOVE: "Removing",
    EventKind.IMPORT: "Adding",
    EventKind.COPY: "Copying",
    EventKind.RENAME: "Renaming",
    EventKind.CREATE: "Creating",
    EventKind.PULL: "Pulling",
    EventKind.UPDATE: "Updating",
}


def ended(act: Act, end: ActEnd, seconds: float, error: HostError | None) -> str:
    """What came of a load or a stop; empty where there is nothing to say."""
    kind = EventKind(act.kind.value)
    if error is not None:
        return failed(kind, act.model, error)
    if end is ActEnd.CANCELLED:
        return cancelled(kind, act.model)
    # A figure and its unit are not broken over two lines.
    took = f"{seconds:.{1 if seconds < 9.95 else 0}f}\N{NO-BREAK SPACE}s"
    by_guard = act.asked_by is Actor.GUARD
    template = (_ENDS | _ENDS_OF_THE_GUARD if by_guard else _ENDS).get(end)
    return template.format(excerpt(act.model), took) if template else ""


def done(kind: EventKind, model: str) -> str:
    return f"{excerpt(model)} was {_DONE[kind]}."


def failed(kind: EventKind, model: str, why: HostError | str) -> str:
    return f"{excerpt(model)} was not {_DONE[kind]}: {why}"


def cancelled(kind: EventKind, model: str) -> str:
    return f"{_DOING[kind]} {excerpt(model)} was cancelled."


def left_pull(kind: EventKind, model: str, kept: str) -> str:
    return f"{_DOING[kind]} {excerpt(model)} was cancelled: {kept}"


def paused(kind: EventKind, model: str) -> str:
    return f"{_DOING[kind]} {excerpt(model)} was paused: what came is kept."


def goes_on(kind: EventKind, model: str) -> str:
    return f"{_DOING[kind]} {excerpt(model)} goes on: llmstack ended before it was done."


def said(error: HostError | None) -> dict[str, object]:
    """What an error has to say beside its sentence."""
    if error is None:
        return {}
    detail = excerpt(error.detail, _MOST_DETAIL)
    return {"error": error.title, **({"detail": detail} if detail else {})}
