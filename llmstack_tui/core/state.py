"""The state of a stack, as frozen values."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.base.sentences import Sentence
    from llmstack_tui.downloads.types import Download
    from llmstack_tui.fit.verdict import Fitted
    from llmstack_tui.guard.types import GuardState
    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.hardware.readings import MachineReading
    from llmstack_tui.hosts.types import Snapshot
    from llmstack_tui.lifecycle.actions import Act
    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.store.tables.figures import Speed
    from llmstack_tui.updates.programs import Release
    from llmstack_tui.updates.rules import Update


class HostState(Struct, frozen=True):
    """One host: its newest snapshot, and the state of each of its models.

    Attributes:
        speeds: the last timed answer to us, by model name, of this or an earlier session.
        updates: whether a model is up to date, by model name; empty before the first check.
        fits: the memory that a model takes, by model name; empty for a host on another machine.
    """

    snapshot: Snapshot
    models: tuple[ModelStatus, ...]
    speeds: Mapping[str, Speed] = field(default_factory=dict)
    updates: Mapping[str, Update] = field(default_factory=dict)
    fits: Mapping[str, Fitted] = field(default_factory=dict)


class StackState(Struct, frozen=True):
    """The state of everything at one moment.

    Attributes:
        acts: our loads and unloads under way.
        machine: the newest reading of this machine; None before the first.
        profile: the hardware profile, from the first reading.
        notices: messages about llmstack itself, one sentence each, oldest first; only the newest are kept.
        checking: registries are being asked for newer versions.
        downloads: the pulls under way or waiting, in order, then those that are over, newest first.
        releases: the newest known versions of programs.
        held: the version of Ollama with which the user stays on this machine; "" for none.
        guards: what the guards are doing, by the URLs of their hosts; empty until they run.
        last_event_id: rises when `Records.events` has something new.
    """

    hosts: tuple[HostState, ...]
    acts: tuple[Act, ...] = ()
    machine: MachineReading | None = None
    profile: Profile | None = None
    notices: tuple[Sentence, ...] = ()
    last_event_id: int = 0
    checking: bool = False
    downloads: tuple[Download, ...] = ()
    releases: tuple[Release, ...] = ()
    held: str = ""
    guards: Mapping[str, GuardState] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether a server has answered or failed, or its list of an earlier session is shown."""
        return any(host.snapshot.was_polled or host.snapshot.is_old for host in self.hosts)


def same_where_equal(before: tuple[HostState, ...], now: tuple[HostState, ...]) -> tuple[HostState, ...]:
    """``now``, with hosts taken from ``before`` where all their parts are the same objects."""
    if len(before) != len(now):
        return now
    kept = tuple(old if _is_same(old, new) else new for old, new in zip(before, now, strict=True))
    return before if all(map(operator.is_, before, kept)) else kept


def _is_same(one: HostState, other: HostState) -> bool:
    return all(
        getattr(one, name) is getattr(other, name) or not (getattr(one, name) or getattr(other, name))
        for name in HostState.__struct_fields__
    )
