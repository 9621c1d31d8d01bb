"""Checks over real HTTP: who is asked how often, and what comes out."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.kinds import HostKind
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.structs import replace
from llmstack_tui.hosts.types import ModelDetails
from llmstack_tui.registry.client import Registry as Client
from llmstack_tui.registry.http import HttpTimeouts
from llmstack_tui.store.store import Store
from llmstack_tui.updates.checker import Checker
from llmstack_tui.updates.rules import Change, LeftAlone, Update, UpdateState
from tests.support.registry.faults import Fault, busy, html
from tests.support.registry.server import serving
from tests.support.waiting import settle
from tests.updates.hosts import BOX, HOST, LONG_AGO, Shows, model, put
from tests.updates.samples import rewritten

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from llmstack_tui.hosts.types import Model
    from tests.support.registry.server import Registry

STALE, CURRENT, LOCAL, UNKNOWN = (
    UpdateState.STALE,
    UpdateState.CURRENT,
    UpdateState.LOCAL,
    UpdateState.UNKNOWN,
)
OLLAMA = HostKind.OLLAMA


@asynccontextmanager
async def checking(
    *installed: Model,
    shows: Shows | None = None,
    folder: Path | None = None,
    store: Store | None = None,
    kind: HostKind | None = HostKind.BUILTIN,
) -> AsyncIterator[Checker]:
    """A checker of one host with these models; ``folder`` is the built-in engine's."""
    checker = Checker(
        show=shows or Shows(),
        folders=(folder,) if folder else (),
        keep=(lambda write: write(store)) if store else lambda _: None,
        registry=Client(timeouts=HttpTimeouts(max_wait_s=1)),
    )
    try:
        if store:
            await checker.recall(store)
        checker.look(HOST, installed, kind)
        yield checker
    finally:
        await checker.aclose()


def states(checker: Checker, host: str = HOST) -> list[UpdateState]:
    return [update.state for update in checker.updates(host).values()]


async def test_what_is_up_to_date_costs_one_question_and_no_manifest(registry: Registry) -> None:
    version = registry.publish("tiny", b"weights")
    async with checking(model(registry.listed("tiny"), version.digest)) as checker:
        await checker.check()
        assert states(checker) == [CURRENT]
    assert [asked.method for asked in registry.asked] == ["HEAD"]


async def test_a_new_version_is_compared_once(registry: Registry) -> None:
    old = registry.publish("tiny", b"weights", pushed_at_s=1)
    new = registry.publish("tiny", b"new weights")
    shows = Shows(tiny=ModelDetails(name="tiny", weights_digest=old.weights.digest[7:]))
    async with checking(model(registry.listed("tiny"), old.digest), shows=shows) as checker:
        await checker.check()
        await checker.check()
        (update,) = checker.updates(HOST).values()
    assert (update.state, update.changed, update.download) == (STALE, (Change.WEIGHTS,), new.size)
    assert update.at_most
    assert [asked.method for asked in registry.asked] == ["HEAD", "GET", "HEAD"]
    assert len(shows.asked) == 1


async def test_a_registry_without_a_digest_in_its_head_is_asked_for_the_manifest_if_it_changed(
    registry: Registry,
) -> None:
    registry.faults = [Fault(method="HEAD", status=405)]
    version = registry.publish("tiny", b"weights")
    async with checking(model(registry.listed("tiny"), version.digest)) as checker:
        await checker.check()
        assert states(checker) == [CURRENT], "it has no HEAD at all"
        registry.faults = [
            Fault(method="HEAD", headers={"ollama-content-digest": "", "Docker-Content-Digest": ""})
        ]
        registry.ollama_headers = False
        registry.forget()
        await checker.check()
        await checker.check()
        assert states(checker) == [CURRENT]
    tags = [asked.headers.get("if-none-match") for asked in registry.asked if asked.method == "GET"]
    assert tags == [f'"{version.digest}"'] * 2


async def test_a_name_on_two_hosts_is_asked_for_once(registry: Registry) -> None:
    old = registry.publish("tiny", b"weights", pushed_at_s=1)
    new = registry.publish("tiny", b"new weights")
    async with checking(model(registry.listed("tiny"), new.digest)) as checker:
        checker.look(
            BOX, (model(registry.listed("tiny").upper().replace(":LATEST", ":latest"), old.digest),), OLLAMA
        )
        await checker.check()
        assert (states(checker), states(checker, BOX)) == ([CURRENT], [STALE])
    assert len(registry.requests(method="HEAD")) == 1


async def test_cloud_models_are_never_asked_for_and_local_ones_once(registry: Registry) -> None:
    cloud = model(registry.listed("cloud"), "c" * 64, remote_host="https://ollama.com")
    mine = model(registry.listed("mine"), "d" * 64)
    async with checking(cloud, mine, model("no name at all/", "e" * 64)) as checker:
        await checker.check()
        assert states(checker) == [UpdateState.CLOUD, LOCAL, UNKNOWN]
        assert len(registry.asked) == 1
        await checker.check()
        assert len(registry.asked) == 1
        # Until it is another one.
        newer = datetime.now(UTC) + timedelta(seconds=5)
        checker.look(HOST, (replace(mine, modified_at=newer, digest="f" * 64),), OLLAMA)
        await checker.check()
        assert len(registry.asked) == 2


async def test_what_a_registry_had_once_is_asked_for_each_time(registry: Registry) -> None:
    """It was taken away, or the registry was begun anew: that is no model that was made here."""
    old = registry.publish("tiny", b"weights", pushed_at_s=1)
    async with checking(model(registry.listed("tiny"), old.digest)) as checker:
        await checker.check()
        registry.withdraw("tiny")
        for _ in range(2):
            await checker.check()
            (update,) = checker.updates(HOST).values()
            assert (update.state, update.reason) == (
                LOCAL,
                (Sentence("version.not_in_registry_any_more"),),
            )
        registry.publish("tiny", b"new weights", pushed_at_s=2**31)
        await checker.check()
        assert states(checker) == [STALE]


async def test_what_was_made_on_this_machine_is_never_asked_for(registry: Registry, tmp_path: Path) -> None:
    version = registry.publish("tiny", b"weights")
    made = rewritten(version.manifest, end=b"\n")
    put(tmp_path, registry.listed("tiny:latest"), made)
    from_disk = model(registry.listed("tiny:latest"), _digest(made))
    async with checking(from_disk, folder=tmp_path) as checker:
        await checker.check()
        assert states(checker) == [LOCAL]
    assert registry.asked == []


async def test_an_installed_model_whose_folder_may_be_read(registry: Registry, tmp_path: Path) -> None:
    """Pulled by an old Ollama, copied since: new times, and bytes that are not the registry's."""
    old = registry.publish("tiny", b"weights", template="T1", parameters={"a": 1}, pushed_at_s=1)
    put(tmp_path, registry.listed("tiny:latest"), rewritten(old.manifest), old)
    listed = model(
        registry.listed("tiny:latest"), _digest(rewritten(old.manifest)), modified_at=datetime.now(UTC)
    )
    shows = Shows()
    async with checking(listed, shows=shows, folder=tmp_path) as checker:
        await checker.check()
        assert states(checker) == [CURRENT]
        new = registry.publish("tiny", b"weights", template="T2", parameters={"a": 1}, pushed_at_s=2)
        await checker.check()
        (update,) = checker.updates(HOST).values()
    assert (update.state, update.changed, update.at_most) == (STALE, (Change.TEMPLATE,), False)
    assert update.download == new.layer("template").size + new.layer("config").size
    assert shows.asked == []


async def test_a_folder_that_has_another_version_does_not_speak_for_the_host(
    registry: Registry, tmp_path: Path
) -> None:
    old = registry.publish("tiny", b"weights", pushed_at_s=1)
    put(tmp_path, registry.listed("tiny:latest"), old.manifest, old)
    registry.publish("tiny", b"new weights")
    async with checking(model(registry.listed("tiny:latest"), "f" * 64), folder=tmp_path) as checker:
        await checker.check()
        (update,) = checker.updates(HOST).values()
    assert (update.state, update.at_most) == (STALE, True)


async def test_what_the_engine_has_is_not_there_for_an_ollama_with_the_same_model(
    registry: Registry, tmp_path: Path
) -> None:
    """Both pulled it; the newer version's weights are still in the engine's folder from before."""
    old = registry.publish("tiny", b"weights", pushed_at_s=1)
    new = registry.publish("tiny", b"new weights")
    listed = model(registry.listed("tiny:latest"), old.digest)
    put(tmp_path, listed.name, old.manifest, old)
    put(tmp_path, f"{listed.name}-before", new.manifest, new)
    async with checking(listed, folder=tmp_path, kind=None) as checker:

        async def found() -> tuple[int | None, bool]:
            await checker.check()
            (update,) = checker.updates(HOST).values()
            assert update.changed == (Change.WEIGHTS,)
            return update.download, update.at_most

        assert await found() == (new.size, True), "nobody said yet what it is"
        checker.look(HOST, (listed,), OLLAMA)
        assert await found() == (new.size, True)
        checker.look(HOST, (listed,), HostKind.BUILTIN)
        assert await found() == (0, False)


# --- failures ---


def kind(update: Update) -> str:
    (problem,) = update.problems
    return problem.kind


async def test_one_registry_that_is_down_hides_nothing_and_is_not_asked_for_every_model(
    registry: Registry,
) -> None:
    version = registry.publish("tiny", b"weights")
    with serving() as gone:
        pass
    broken = [model(gone.listed(f"m{number}"), "a" * 64) for number in range(50)]
    with serving() as failing:
        failing.faults = [Fault(status=500)]
        ill = [model(failing.listed(f"m{number}"), "a" * 64) for number in range(50)]
        async with checking(*broken, *ill, model(registry.listed("tiny"), version.digest)) as checker:
            await checker.check()
            updates = checker.updates(HOST)
        assert len(failing.asked) == 3
    assert updates[registry.listed("tiny")].state is CURRENT
    assert kind(updates[broken[-1].name]) == "registry.unreachable"
    assert kind(updates[ill[-1].name]) == "registry.failed"


async def test_one_that_breaks_down_in_the_middle_is_left(registry: Registry) -> None:
    versions = [registry.publish(f"m{number}", b"weights") for number in range(200)]
    models = [model(registry.listed(f"m{number}"), each.digest) for number, each in enumerate(versions)]
    registry.faults = [Fault(status=500, path=f"/m{number}/") for number in range(10, 200)]
    async with checking(*models) as checker:
        await checker.check()
        assert states(checker)[:10] == [CURRENT] * 10
        assert states(checker)[10:] == [UNKNOWN] * 190
    assert len(registry.asked) < 50


async def test_a_model_that_fails_alone_is_alone(registry: Registry) -> None:
    versions = [registry.publish(f"m{number}", b"weights") for number in range(30)]
    models = [model(registry.listed(f"m{number}"), each.digest) for number, each in enumerate(versions)]
    registry.faults = [Fault(status=401, path=f"/m{number}/") for number in range(20)]
    async with checking(*models) as checker:
        await checker.check()
        assert states(checker) == [UNKNOWN] * 20 + [CURRENT] * 10
    assert len(registry.asked) == 30


async def test_a_registry_that_wants_to_be_left_alone_is(registry: Registry) -> None:
    models = [model(registry.listed(f"m{number}"), "a" * 64) for number in range(50)]
    registry.faults = [busy(retry_after="600")]
    async with checking(*models) as checker:
        await checker.check()
        await checker.check()
        assert kind(checker.updates(HOST)[models[-1].name]) == "registry.busy"
    assert len(registry.asked) == 1


@pytest.mark.parametrize("fault", [html(), Fault(status=429), Fault(method="GET", body=b'{"layers": []}')])
async def test_an_old_answer_stands_when_there_is_no_new_one(registry: Registry, fault: Fault) -> None:
    old = registry.publish("tiny", b"weights", pushed_at_s=1)
    registry.publish("tiny", b"new weights", pushed_at_s=2)
    async with checking(model(registry.listed("tiny"), old.digest, modified_at=None)) as checker:
        await checker.check()
        before = checker.updates(HOST)[registry.listed("tiny")]
        registry.publish("tiny", b"newest weights")
        registry.faults = [fault]
        await checker.check()
        after = checker.updates(HOST)[registry.listed("tiny")]
    assert after.problems
    assert replace(after, problems=()) == before
    assert before.state is STALE


# --- what is kept ---


async def test_what_was_learnt_is_there_at_the_next_start(registry: Registry, tmp_path: Path) -> None:
    old = registry.publish("tiny", b"weights", pushed_at_s=1)
    registry.publish("tiny", b"new weights")
    listed = model(registry.listed("tiny"), old.digest)
    path = tmp_path / "state.db"
    async with await Store.open(path) as store, checking(listed, store=store) as checker:
        await checker.check()
        before = checker.updates(HOST)
    registry.forget()
    async with await Store.open(path) as store, checking(listed, store=store) as checker:
        assert checker.unasked() == frozenset()
        await checker.renew()
        assert checker.updates(HOST) == before
        assert states(checker) == [STALE]
    assert registry.asked == []


async def test_a_model_is_left_alone_for_one_version_or_for_good(registry: Registry, tmp_path: Path) -> None:
    old = registry.publish("tiny", b"weights", pushed_at_s=1)
    registry.publish("tiny", b"new weights", pushed_at_s=2)
    listed, name = model(registry.listed("tiny"), old.digest, modified_at=None), registry.listed("tiny")
    path = tmp_path / "state.db"
    async with await Store.open(path) as store, checking(listed, store=store) as checker:
        await checker.check()
        checker.leave_alone(HOST, name)
        assert checker.updates(HOST)[name].left_alone is LeftAlone.VERSION
    async with await Store.open(path) as store, checking(listed, store=store) as checker:
        await checker.check()
        assert not checker.updates(HOST)[name].is_wanted
        registry.publish("tiny", b"newest weights", pushed_at_s=3)
        await checker.check()
        assert checker.updates(HOST)[name].is_wanted
        checker.leave_alone(HOST, name, for_good=True)
        registry.publish("tiny", b"even newer weights", pushed_at_s=4)
        await checker.check()
        assert checker.updates(HOST)[name].left_alone is LeftAlone.FOR_GOOD
        checker.offer_again(HOST, name)
        assert checker.updates(HOST)[name].is_wanted


async def test_a_model_that_was_updated_is_current_without_another_question(registry: Registry) -> None:
    old = registry.publish("tiny", b"weights", pushed_at_s=1)
    new = registry.publish("tiny", b"new weights")
    async with checking(model(registry.listed("tiny"), old.digest)) as checker:
        await checker.check()
        registry.forget()
        checker.look(HOST, (model(registry.listed("tiny"), new.digest, modified_at=LONG_AGO),), OLLAMA)
        await checker.renew()
        assert states(checker) == [CURRENT]
        assert checker.unasked() == frozenset()
        added = registry.publish("big", b"weights")
        checker.look(HOST, (model(registry.listed("big"), added.digest),), OLLAMA)
        assert len(checker.unasked()) == 1
        await checker.check(checker.unasked())
        assert states(checker) == [CURRENT]
    assert len(registry.asked) == 1


async def test_what_was_pulled_since_its_registry_was_asked_is_asked_for_again(registry: Registry) -> None:
    """It may be newer than what the registry said then: not an old version, nor one that was changed."""
    old = registry.publish("tiny", b"weights", pushed_at_s=1)
    async with checking(model(registry.listed("tiny"), old.digest)) as checker:
        await checker.check()
        new = registry.publish("tiny", b"new weights")
        pulled = model(registry.listed("tiny"), new.digest, modified_at=datetime.now(UTC))
        checker.look(HOST, (pulled,), OLLAMA)
        await checker.renew()
        (update,) = checker.updates(HOST).values()
        assert (update.state, update.changed_here) == (UNKNOWN, False)
        assert update.reason == (Sentence("version.came_after"),)
        await checker.check(checker.unasked())
        assert states(checker) == [CURRENT]
        assert checker.unasked() == frozenset()


async def test_a_clock_that_goes_ahead_is_no_reason_to_ask_again_and_again(registry: Registry) -> None:
    registry.publish("tiny", b"weights", pushed_at_s=1)
    ahead = datetime.now(UTC) + timedelta(hours=1)
    async with checking(model(registry.listed("tiny"), "f" * 64, modified_at=ahead)) as checker:
        await checker.check()
        assert checker.unasked() == frozenset()


# --- the budget ---


async def test_two_hundred_models_are_asked_for_once_each_and_sixteen_at_a_time(registry: Registry) -> None:
    registry.delay_s = 0.02
    versions = [registry.publish(f"m{number}", b"weights") for number in range(200)]
    models = [model(registry.listed(f"m{number}"), each.digest) for number, each in enumerate(versions)]
    cloud = [model(registry.listed(f"c{number}"), "c" * 64, remote_host="x") for number in range(20)]
    async with checking(*models, *cloud) as checker:
        await asyncio.gather(checker.check(), checker.check())
        assert states(checker) == [CURRENT] * 200 + [UpdateState.CLOUD] * 20
    assert len(registry.asked) == 200
    assert registry.at_once <= 16


async def test_a_check_goes_on_when_its_caller_is_cancelled(registry: Registry) -> None:
    registry.delay_s = 0.05
    version = registry.publish("tiny", b"weights")
    async with checking(model(registry.listed("tiny"), version.digest)) as checker:
        first = asyncio.create_task(checker.check())
        await settle(1)
        first.cancel()
        await checker.check()
        assert states(checker) == [CURRENT]
    assert len(registry.asked) == 1


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
