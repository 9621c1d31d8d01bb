"""What changed on a host between two snapshots of it. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.names import model_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from llmstack_tui.hosts.types import RunningModel, Snapshot


class EventKind(StrEnum):
    """The kinds of events that are recorded."""

    ACTIVATE = "activate"
    DEACTIVATE = "deactivate"
    LOADED = "loaded"
    LEFT = "left"
    SERVER = "server"
    DIFFERENCE = "difference"
    REMOVE = "remove"
    IMPORT = "import"
    COPY = "copy"
    RENAME = "rename"
    CREATE = "create"
    PULL = "pull"
    UPDATE = "update"
    PIN = "pin"
    GUARD = "guard"
    NOTICE = "notice"
    FAILED = "failed"


# What changes the list of what is installed.
ON_DISK = frozenset(
    {
        EventKind.REMOVE,
        EventKind.IMPORT,
        EventKind.COPY,
        EventKind.RENAME,
        EventKind.CREATE,
        EventKind.PULL,
        EventKind.UPDATE,
    }
)


class Appeared(Struct, frozen=True):
    """A model is loaded that was not loaded before; ``is_ours`` where we asked for it."""

    running: RunningModel
    is_ours: bool


class Disappeared(Struct, frozen=True):
    """A model was loaded before and is not any more; ``is_ours`` where we asked for it."""

    running: RunningModel
    is_ours: bool


def between(before: Snapshot, after: Snapshot, ours: Collection[str]) -> Iterator[Appeared | Disappeared]:
    """What changed; both snapshots are of reads that succeeded.

    Args:
        ours: names of models that we did something to meanwhile. Another name with the same digest counts.
    """
    if before.running is after.running:
        return
    old, new = ({(each.name, each.digest): each for each in look.running} for look in (before, after))
    changed = old.keys() ^ new.keys()
    if not changed:
        return
    names = {model_key(name) for name in ours}
    installed = (*before.installed, *after.installed) if names else ()
    digests = {each.digest for each in installed if each.digest and model_key(each.name) in names}

    def is_ours(running: RunningModel) -> bool:
        known = {running.digest, *running.answers_for}
        return not digests.isdisjoint(known) or model_key(running.name) in names

    yield from (Disappeared(each, is_ours(each)) for key, each in old.items() if key in changed)
    yield from (Appeared(each, is_ours(each)) for key, each in new.items() if key in changed)
