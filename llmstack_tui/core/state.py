"""What a screen shows, as frozen values."""

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
    """One host: what it told last, and the state of each of its models.

    Attributes:
        speeds: by the model's name, the last answer of ours that was timed, in whichever session.
        updates: by the model's name, whether it is up to date; empty until that was first worked out.
        fits: by the model's name, what it would take here; empty of hosts elsewhere.
    """

    snapshot: Snapshot
    models: tuple[ModelStatus, ...]
    speeds: Mapping[str, Speed] = field(default_factory=dict)
    updates: Mapping[str, Update] = field(default_factory=dict)
    fits: Mapping[str, Fitted] = field(default_factory=dict)


class StackState(Struct, frozen=True):
    """All that a screen shows, at one moment.

    Attributes:
        machine: the newest reading of this machine, None until it was first read.
        profile: what this machine is good for, worked out from the first reading.
        notices: what the user should know about the program's own affairs, oldest first: one sentence each;
            the newest ones of a long session.
        checking: whether registries are being asked for newer versions.
        downloads: the pulls asked for, in their order, and then those that are over, newest first.
        releases: the newest versions of programs, as far as they are known.
        guards: by the URLs of their hosts, what the guards are up to; empty until they were first there.
        last_event_id: rises when there is something new to be had from `Stack.events`.
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
    guards: Mapping[str, GuardState] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether a server has answered or failed, or what it listed in an earlier session is there."""
        snapshots = (host.snapshot for host in self.hosts)
        return any(each.read_at is not None or each.is_old for each in snapshots)


def same_where_equal(before: tuple[HostState, ...], now: tuple[HostState, ...]) -> tuple[HostState, ...]:
    """``now``, with the very values of before where they are made of the very same parts."""
    if len(before) != len(now):
        return now
    kept = tuple(old if _is_same(old, new) else new for old, new in zip(before, now, strict=True))
    return before if all(map(operator.is_, before, kept)) else kept


def _is_same(one: HostState, other: HostState) -> bool:
    return all(
        getattr(one, name) is getattr(other, name) or not (getattr(one, name) or getattr(other, name))
        for name in HostState.__struct_fields__
    )
