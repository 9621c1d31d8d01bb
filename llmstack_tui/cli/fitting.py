"""What the models of servers would take, or take, for commands that list them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from llmstack_tui.base.structs import replace
from llmstack_tui.cli import output
from llmstack_tui.cli.machine import this_machine
from llmstack_tui.cli.servers import state_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llmstack_tui.cli.options import Invocation
    from llmstack_tui.fit.memory import Estimate, Request
    from llmstack_tui.fit.shapes import Subjects
    from llmstack_tui.fit.verdict import Verdict
    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import Model, RunningModel, Snapshot
    from llmstack_tui.store.tables.figures import Measured

# A list does not wait longer for what models are made of; the others are told by their size.
_PATIENCE_S = 1.0
_AT_ONCE = 8

Key = tuple[str, str]
"""A model: the URL of its host, and its name there."""


class Fitting(NamedTuple):
    """None is unknown."""

    estimate: Estimate | None = None
    verdict: Verdict | None = None

    def document(self) -> dict[str, object]:
        """As `ls` writes it."""
        return {
            "state": self.verdict.fit.value if self.verdict else None,
            "estimate": self.estimate.total if self.estimate else None,
            "basis": self.estimate.basis.value if self.estimate else None,
        }


def usual_request(call: Invocation) -> Request:
    """What the engine does where nobody asks for something else."""
    from llmstack_tui.config.engine import EngineOptions
    from llmstack_tui.fit import shapes

    return shapes.usual_request(EngineOptions.read(call.settings.engine, call.environ))


async def fittings(
    call: Invocation, hosts: Sequence[Host], snapshots: Sequence[Snapshot]
) -> Mapping[Key, Fitting]:
    """Of each installed model, as the engine would load it; one that is loaded, as it is."""
    from llmstack_tui.base.address import is_loopback
    from llmstack_tui.fit.memory import estimate
    from llmstack_tui.fit.room import room_of
    from llmstack_tui.fit.verdict import verdict

    models = [
        (snapshot.url, model) for snapshot in snapshots for model in snapshot.installed if not model.is_cloud
    ]
    if not models:
        return {}
    reading, profile = await asyncio.to_thread(this_machine, call)
    subjects, took = await _subjects(call, hosts, models, profile), await loads(models)
    loaded = {
        (snapshot.url, each.digest): each
        for snapshot in snapshots
        if is_loopback(snapshot.url)
        for each in snapshot.running
    }
    found: dict[Key, Fitting] = {}
    for url, model in models:
        running = loaded.get((url, model.digest))
        others = sum(each.size or 0 for each in loaded.values() if each is not running)
        room = room_of(profile, reading, others, allowed=call.settings.guard.allowed)
        if running is not None and room.free is not None:
            # It has what it needs.
            room = replace(room, free=room.free + (running.size or 0))
        subject = subjects.known(url, model) or subjects.by_size(model)
        request = _as_loaded(subject.request(usual_request(call)), running)
        known = estimate(subject.weights, subject.shape, request, took.get((url, model.digest), ()))
        # Of another machine's room nothing is known.
        found[url, model.name] = Fitting(known, verdict(known, room) if is_loopback(url) else None)
    return found


async def reckoned(
    call: Invocation, hosts: Sequence[Host], snapshots: Sequence[Snapshot]
) -> Mapping[Key, int]:
    """Bytes that each loaded model should take, by host and digest; never what was measured."""
    from llmstack_tui.fit.memory import estimate

    loaded = {(snapshot.url, each.digest): each for snapshot in snapshots for each in snapshot.running}
    models = [
        (snapshot.url, model)
        for snapshot in snapshots
        for model in snapshot.installed
        if (snapshot.url, model.digest) in loaded
    ]
    if not models:
        return {}
    _, profile = await asyncio.to_thread(this_machine, call)
    subjects = await _subjects(call, hosts, models, profile)
    found: dict[Key, int] = {}
    for url, model in models:
        subject = subjects.known(url, model) or subjects.by_size(model)
        request = _as_loaded(subject.request(usual_request(call)), loaded[url, model.digest])
        if (known := estimate(subject.weights, subject.shape, request)) is not None:
            found[url, model.digest] = known.total
    return found


def _as_loaded(usual: Request, running: RunningModel | None) -> Request:
    context = running.context_length if running is not None else None
    return replace(usual, context_length=context) if context else usual


async def _subjects(
    call: Invocation, hosts: Sequence[Host], models: Sequence[tuple[str, Model]], profile: Profile
) -> Subjects:
    from llmstack_tui.fit.room import repacked_on
    from llmstack_tui.fit.shapes import Subjects
    from llmstack_tui.library.folders import model_folders

    folders = await asyncio.to_thread(model_folders, call.environ)
    subjects = Subjects(folders, repacked_on(profile))
    await _look(subjects, {host.url: host for host in hosts}, models)
    return subjects


async def _look(subjects: Subjects, hosts: Mapping[str, Host], models: Sequence[tuple[str, Model]]) -> None:
    """At as many as there is time for."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def look(url: str, model: Model) -> None:
        async with turns:
            await subjects.look(url, model, hosts[url].show)

    tasks = [asyncio.create_task(look(url, model)) for url, model in models]
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=_PATIENCE_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def loads(models: Sequence[tuple[str, Model]]) -> Mapping[Key, tuple[Measured, ...]]:
    """What loads took, by host and digest, as far as that is on record."""
    from llmstack_tui.store.errors import StoreError
    from llmstack_tui.store.store import Store

    file = state_file()
    if not models or file is None or not file.exists():
        return {}
    try:
        async with await Store.open(file, on_notice=output.say) as store:
            return {
                (url, model.digest): await store.measured.history(url, model.digest)
                for url, model in models
                if model.digest
            }
    except StoreError as error:
        output.say(str(error))
        return {}
