"""What commands need to know to say what the guard does, or would do."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct, field

from llmstack_tui.cli.output import say
from llmstack_tui.cli.servers import state_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.cli.options import Invocation
    from llmstack_tui.config import GuardSettings
    from llmstack_tui.guard.rules.watch import Rules
    from llmstack_tui.guard.types import LoadedModel, Situation
    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.hardware.readings import MachineReading
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import RunningModel, Snapshot
    from llmstack_tui.store.tables.activations import Activation
    from llmstack_tui.store.tables.preferences import ModelPreference

# Two looks over a limit are a reason to act, and what moved in both of the last two looks is busy.
_LOOKS, _APART_S = 3, 1.0


class Remembered(Struct, frozen=True):
    """What is on record, by the URLs of the hosts."""

    held: bool = False
    wishes: Mapping[str, Mapping[str, ModelPreference]] = field(default_factory=dict)
    active: Mapping[str, Sequence[Activation]] = field(default_factory=dict)


async def remembered(urls: Sequence[str]) -> Remembered:
    """Nothing where there is no record, or none that can be read: then a note says why."""
    from llmstack_tui.guard.preferences import HELD
    from llmstack_tui.store.errors import StoreError
    from llmstack_tui.store.store import Store

    path = state_file()
    if path is None or not path.exists():
        return Remembered()
    try:
        async with await Store.open(path, on_notice=say) as store:
            return Remembered(
                await store.screen.recall(HELD, default=False, kind=bool),
                {url: await store.preferences.of(url) for url in urls},
                {url: await store.activations.active(url) for url in urls},
            )
    except StoreError as error:
        say(str(error))
        return Remembered()


def off(call: Invocation, host: Host) -> Sentences:
    """Why a host is not guarded, empty where it may be."""
    from llmstack_tui.guard.rules.limits import why_off

    return why_off(call.settings.guard, host, may_act=call.settings.may_act(host.url))


def rules_of(settings: GuardSettings, url: str, profile: Profile, known: Remembered) -> Rules:
    from llmstack_tui.guard.rules.limits import rules

    return rules(settings, url, profile, known.wishes.get(url, {}), held=known.held)


async def is_guarded(url: str) -> bool:
    """Whether some program guards the host now."""
    from llmstack_tui.base.address import server_id
    from llmstack_tui.store.locks import Locks

    locks = Locks(state_file(), "guard")
    try:
        return not await locks.hold({server_id(url)})
    finally:
        locks.release()


class _Observed:
    """One host at a few looks.

    Args:
        off: why it is not guarded.
        limit: °C, as in the settings.
    """

    def __init__(
        self,
        host: Host,
        first: Snapshot,
        *,
        rules: Rules,
        off: Sentences,
        reading: MachineReading,
        active: Sequence[Activation],
        limit: int | None,
    ) -> None:
        from llmstack_tui.base.names import model_key
        from llmstack_tui.guard.rules.watch import Watch
        from llmstack_tui.guard.types import Situation
        from llmstack_tui.lifecycle.activity import Activity
        from llmstack_tui.lifecycle.load_request import OURS
        from llmstack_tui.lifecycle.process_usage import Processors

        self.situation = Situation(host=host.url)
        self._host, self._first, self._rules, self._off = host, first, rules, off
        self._reading, self._limit = reading, limit
        self._loads = {model_key(each.model): each for each in active if each.loaded_at is not None}
        self._ours = {key for key, each in self._loads.items() if each.asked_by in OURS}
        self._processors, self._activity, self._watch = Processors(host.url), Activity(), Watch()

    async def running(self) -> tuple[RunningModel, ...]:
        return await self._processors.timed(await self._host.running())

    def looked(self, running: tuple[RunningModel, ...], elsewhere: tuple[LoadedModel, ...]) -> None:
        from llmstack_tui.base.address import is_loopback
        from llmstack_tui.base.names import model_key
        from llmstack_tui.base.structs import replace
        from llmstack_tui.guard.rules.limits import heat
        from llmstack_tui.guard.rules.watch import Look, looked
        from llmstack_tui.lifecycle.activity import observed

        now_s, now = time.monotonic(), datetime.now(UTC)
        snapshot = replace(self._first, running=running, read_at=now_s)
        self._activity = observed(self._activity, snapshot, now)
        look = Look(
            read_at_s=now_s,
            host=self._host.url,
            running=running,
            installed=self._first.installed,
            activity=self._activity,
            heat=heat(self._reading, self._limit, now_s) if is_loopback(self._host.url) else (),
            idle_s={each.name: _idle_s(each.name, snapshot, self._loads, now) for each in running},
            elsewhere=elsewhere,
        )
        self._watch, self.situation = looked(
            self._watch, look, self._rules, lambda each: model_key(each.name) in self._ours
        )

    @property
    def holds(self) -> tuple[LoadedModel, ...]:
        from llmstack_tui.guard.rules.victims import seen_by_neighbours

        return seen_by_neighbours(self.situation.loaded, is_guarded=not self._off)


async def situations(
    call: Invocation,
    hosts: Sequence[Host],
    snapshots: Sequence[Snapshot],
    *,
    rules: Mapping[str, Rules],
    reading: MachineReading,
    known: Remembered,
) -> Mapping[str, Situation]:
    """What is so on each host that answered, from a few looks, by their URLs.

    Raises:
        HostError: when one does not answer any more.
    """
    from llmstack_tui.base.structs import replace
    from llmstack_tui.guard.rules.victims import neighbours

    by_url = {host.url: host for host in hosts}
    all_observed = {
        each.url: _Observed(
            by_url[each.url],
            each,
            rules=rules[each.url],
            off=off(call, by_url[each.url]),
            reading=reading,
            active=known.active.get(each.url, ()),
            limit=call.settings.guard.temperature_limit,
        )
        for each in snapshots
    }

    def elsewhere(url: str) -> tuple[LoadedModel, ...]:
        return tuple(model for other in neighbours(url, all_observed) for model in all_observed[other].holds)

    for number in range(_LOOKS):
        if number:
            await asyncio.sleep(_APART_S)
        found = await asyncio.gather(*(each.running() for each in all_observed.values()))
        for (url, each), running in zip(all_observed.items(), found, strict=True):
            each.looked(running, elsewhere(url))
    # Each decides from the same looks.
    return {url: replace(each.situation, elsewhere=elsewhere(url)) for url, each in all_observed.items()}


def _idle_s(name: str, snapshot: Snapshot, loads: Mapping[str, Activation], now: datetime) -> float:
    from llmstack_tui.base.names import model_key
    from llmstack_tui.lifecycle.activity import idle_time

    running = next(each for each in snapshot.running if each.name == name)
    load = loads.get(model_key(name))
    keep_alive: timedelta | None = load.keep_alive if load else None
    idle = idle_time(running, now, keep_alive=keep_alive, loaded_at=load.loaded_at if load else None)
    return idle.total_seconds() if idle is not None else 0.0
