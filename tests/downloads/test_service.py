"""Pulls and updates that a stack does: a real engine, a real registry, and what stands in the state."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.config.settings import GuardSettings
from llmstack_tui.core.wording import text
from llmstack_tui.downloads.types import DownloadState, Why
from llmstack_tui.hosts.errors import Refused
from llmstack_tui.providers.types import Parameters
from llmstack_tui.store.locks import Locks
from llmstack_tui.store.store import Store
from llmstack_tui.updates.rules import UpdateState
from tests.support.asking import asking, first_text
from tests.support.engine_process import engine_process, killable_engine
from tests.support.gguf.models import ANSWER
from tests.support.registry import Fault, Registry
from tests.support.registry.faults import html
from tests.support.stack_pulls import (
    LATER,
    Engine,
    answer,
    digest,
    find,
    is_active,
    kinds,
    moving,
    over,
    pulled,
    seen,
    slow,
    status,
    update_stale,
    watching,
)
from tests.support.waiting import wait_for, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Literal


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    home = tmp_path_factory.mktemp("engine")
    with engine_process(home) as url:
        yield Engine(url, home / ".local/share/llmstack/models")


async def test_an_active_model_is_updated_and_started_again(
    engine: Engine, registry: Registry, tiny_model: Path
) -> None:
    url = engine.url
    registry.publish("whole", tiny_model, system="Terse.")
    name = registry.listed("whole")
    async with watching(engine) as stack:
        await pulled(stack, url, registry.name("whole"))
        await stack.actions.activate(url, name, keep_alive=timedelta(minutes=7), context_length=256)
        await stack.updates.check()
        assert await update_stale(stack) == ()
        new = registry.publish("whole", tiny_model, system="Terser.", pushed_at_s=LATER)
        await stack.updates.check()
        assert stack.state.hosts[0].updates[name].state is UpdateState.STALE
        (number,) = await update_stale(stack)
        done = await over(stack, number)
        assert (done.state, done.reason, done.why) == (DownloadState.DONE, (), Why.UPDATE)
        assert done.completed == done.total == new.size
        await wait_until(lambda: digest(stack, name) == new.digest)
        await wait_until(lambda: stack.state.hosts[0].updates[name].state is UpdateState.CURRENT)
        found = status(stack, name)
        assert found is not None
        assert found.running is not None
        assert found.running.context_length == 256
        (latest, _) = await stack.records.activations(url, name)
        assert (latest.keep_alive, latest.context_length) == (timedelta(minutes=7), 256)
        assert (await stack.actions.details(url, name)).system == "Terser."
        assert await answer(stack, url, name) == ANSWER
        expected = ["pull", "activate", "deactivate", "activate", "update"]
        assert await kinds(stack, name) == expected
        # There is nothing newer now: nothing is fetched, and nothing stopped.
        registry.forget()
        (number,) = await stack.downloads.update(url, [name])
        assert (await over(stack, number)).state is DownloadState.DONE
        assert not registry.requests("/data/blobs/")
        assert await kinds(stack, name) == [*expected, "update"]


async def test_a_registry_that_wants_a_token(engine: Engine, registry: Registry, tiny_model: Path) -> None:
    registry.wants_token = True
    registry.publish("token", tiny_model, system="Terse.")
    name = registry.listed("token")
    async with watching(engine) as stack:
        await pulled(stack, engine.url, registry.name("token"))
        new = registry.publish("token", tiny_model, system="Terser.", pushed_at_s=LATER)
        await stack.updates.check([name])
        assert stack.state.hosts[0].updates[name].state is UpdateState.STALE
        (number,) = await update_stale(stack)
        done = await over(stack, number)
        assert (done.state, done.reason) == (DownloadState.DONE, ())
        await wait_until(lambda: digest(stack, name) == new.digest)
        registry.faults = [Fault(path="/token", status=401, body=b"")]
        registry.token_uses = 0
        number = await stack.downloads.pull(engine.url, registry.name("token"))
        failed = await over(stack, number)
        assert failed.state is DownloadState.FAILED
        assert "it is private, or not there" in text(*failed.reason)


async def test_an_update_goes_on_after_a_cut_connection(
    engine: Engine, registry: Registry, tiny_model: Path, random_model: Path
) -> None:
    url = engine.url
    registry.publish("cut", random_model.read_bytes() + b"cut")
    name = registry.listed("cut")
    async with watching(engine) as stack:
        await pulled(stack, url, registry.name("cut"))
        await stack.actions.activate(url, name)
        new = registry.publish("cut", tiny_model.read_bytes() + b"cut", pushed_at_s=LATER)
        registry.faults = [Fault(path=f"/data/blobs/{new.weights.digest}", cut_after=100_000, times=2)]
        (number,) = await stack.downloads.update(url, [name])
        done = await over(stack, number)
        assert (done.state, done.reason) == (DownloadState.DONE, ())
        await wait_until(lambda: digest(stack, name) == new.digest and is_active(stack, name))
        assert await answer(stack, url, name) == ANSWER


ONLY_PROJECTOR = json.dumps(
    {
        "schemaVersion": 2,
        "config": {"digest": f"sha256:{'0' * 64}", "size": 2},
        "layers": [
            {
                "mediaType": "application/vnd.ollama.image.projector",
                "digest": f"sha256:{'1' * 64}",
                "size": 9,
            }
        ],
    }
).encode()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(path="manifests", status=401, body=b""), "does not show"),
        (Fault(path="manifests", status=404, body=b""), "has no model"),
        (html("manifests"), "answered with a web page"),
        (Fault(path="manifests", body=b'{"schemaVersion":2,"layers":[]}'), "has no config"),
        (Fault(path="manifests", body=b" " * 5_000_000), "as the manifest of"),
        (Fault(path="manifests", body=ONLY_PROJECTOR), "cannot be used here. It has no weights"),
        (Fault(path="/data/blobs/", corrupt=True), "did not match its digest"),
        (Fault(path="/data/blobs/", status=404, body=b""), "the model is broken there"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_pull_that_fails_leaves_the_old_version_active(
    engine: Engine, registry: Registry, tiny_model: Path, fault: Fault, words: str
) -> None:
    url, mark = engine.url, words.encode()
    old = registry.publish("kept", tiny_model.read_bytes() + mark)
    name = registry.listed("kept")
    async with watching(engine) as stack:
        await pulled(stack, url, registry.name("kept"))
        await stack.actions.activate(url, name)
        registry.publish("kept", tiny_model.read_bytes() + mark + b"new", pushed_at_s=LATER)
        registry.faults = [fault]
        (number,) = await stack.downloads.update(url, [name])
        failed = await over(stack, number)
        assert failed.state is DownloadState.FAILED
        assert words in text(*failed.reason)
        assert url not in text(*failed.reason)
        await wait_until(lambda: is_active(stack, name) and digest(stack, name) == old.digest)
        assert await answer(stack, url, name) == ANSWER
        (event, *_) = await stack.records.events(kinds=["failed"])
        assert event.sentence.params["reason"] == failed.reason
        registry.faults = []
        again = await stack.downloads.retry(number)
        assert (await over(stack, again)).state is DownloadState.DONE
        assert stack.state.downloads[0].id == again
        assert find(stack, number) is None
        await wait_until(lambda: is_active(stack, name) and digest(stack, name) != old.digest)


async def test_pause_go_on_and_cancel(engine: Engine, registry: Registry, tiny_model: Path) -> None:
    version = registry.publish("paused", tiny_model.read_bytes() + b"paused")
    registry.faults = [slow(version.weights.digest)]
    async with watching(engine) as stack:
        number = await stack.downloads.pull(engine.url, registry.name("paused"))
        with pytest.raises(Refused, match="pulled_already"):
            await stack.downloads.pull(engine.url, registry.name("paused"))
        running = await seen(stack, number, lambda each: each.speed is not None)
        assert moving(running)
        assert running.total == version.size
        assert running.left_s
        stack.downloads.pause(number)
        paused = await seen(stack, number, lambda each: each.state is DownloadState.PAUSED)
        assert (paused.speed, paused.reason) == (None, ())
        registry.forget()
        stack.downloads.resume(number)
        again = await seen(stack, number, moving)
        assert again.completed >= paused.completed // 2, "what came is kept"
        await stack.downloads.cancel(number, keep=True)
        cancelled = await over(stack, number)
        assert cancelled.state is DownloadState.CANCELLED
        assert await kinds(stack, registry.listed("paused")) == ["pull", "pull"]
        past = await stack.records.events(model=registry.listed("paused"))
        assert [event.sentence.kind for event in past] == ["pull.cancelled", "pull.paused"]
        # What waits for its turn can be paused and cancelled as well.
        registry.publish("other", tiny_model.read_bytes() + b"other")
        first = await stack.downloads.pull(engine.url, registry.name("paused"))
        other = await stack.downloads.pull(engine.url, registry.name("other"))
        await seen(stack, first, moving)
        await seen(stack, other, lambda each: each.state is DownloadState.WAITING)
        stack.downloads.pause(other)
        await seen(stack, other, lambda each: each.state is DownloadState.PAUSED)
        await stack.downloads.cancel(other, keep=False)
        assert (await over(stack, other)).state is DownloadState.CANCELLED
        parts = engine.models / "blobs"
        assert list(parts.glob("*-partial*"))
        await stack.downloads.cancel(first, keep=False)
        await over(stack, first)
        assert not list(parts.glob("*-partial*"))
        (event,) = await stack.records.events(1)
        assert event.sentence.params["kept"] == (Sentence("kept.complete"),)
        stack.downloads.forget_over()
        await wait_until(lambda: not stack.state.downloads)


async def test_a_paused_update_leaves_the_old_version_active(
    engine: Engine, registry: Registry, tiny_model: Path
) -> None:
    registry.publish("halfway", tiny_model)
    name = registry.listed("halfway")
    async with watching(engine) as stack:
        await pulled(stack, engine.url, registry.name("halfway"))
        await stack.actions.activate(engine.url, name)
        new = registry.publish("halfway", tiny_model.read_bytes() + b"halfway", pushed_at_s=LATER)
        registry.faults = [slow(new.weights.digest)]
        (number,) = await stack.downloads.update(engine.url, [name])
        await seen(stack, number, moving)
        await wait_until(lambda: not is_active(stack, name))
        stack.downloads.pause(number)
        await seen(stack, number, lambda each: each.state is DownloadState.PAUSED)
        await wait_until(lambda: is_active(stack, name))
        registry.faults = []
        stack.downloads.resume(number)
        assert (await over(stack, number)).state is DownloadState.DONE
        await wait_until(lambda: is_active(stack, name) and digest(stack, name) == new.digest)


@pytest.mark.parametrize("over_limit", ["ask", "stop"])
async def test_what_is_loaded_again_keeps_the_limit(
    engine: Engine, registry: Registry, tiny_model: Path, over_limit: Literal["ask", "stop"]
) -> None:
    updated, other = f"updated-{over_limit}", f"other-{over_limit}"
    for each in (updated, other):
        registry.publish(each, tiny_model.read_bytes() + each.encode())
    guard = GuardSettings(max_loaded=1, idle_stop=timedelta(0), over_limit=over_limit)
    async with watching(engine, guard=guard) as stack:
        for each in (updated, other):
            await pulled(stack, engine.url, registry.name(each))
        name, other = registry.listed(updated), registry.listed(other)
        await wait_until(lambda: stack.state.guards)
        # What the tests before left in memory.
        await stack.actions.stop_all(engine.url)
        await stack.actions.activate(engine.url, name)
        new = registry.publish(
            updated, tiny_model.read_bytes() + f"newer {over_limit}".encode(), pushed_at_s=LATER
        )
        registry.faults = [slow(new.weights.digest)]
        (number,) = await stack.downloads.update(engine.url, [name])
        await seen(stack, number, moving)
        await wait_until(lambda: not is_active(stack, name))
        await stack.actions.activate(engine.url, other)
        registry.faults = []
        done = await over(stack, number)
        assert done.state is DownloadState.DONE
        if over_limit == "ask":
            assert [each.kind for each in done.reason] == ["download.not_loaded_again"]
            assert "Nobody can be asked" in text(*done.reason)
            assert is_active(stack, other)
        else:
            assert done.reason == ()
            await wait_until(lambda: is_active(stack, name) and not is_active(stack, other))
        await stack.actions.stop_all(engine.url)


async def test_several_at_once(engine: Engine, registry: Registry, tiny_model: Path) -> None:
    for number in range(3):
        registry.publish(f"m{number}", tiny_model.read_bytes() + b"%d at once" % number)
    registry.faults = [slow()]
    async with watching(engine, parallel=2) as stack:
        numbers = [await stack.downloads.pull(engine.url, registry.name(f"m{number}")) for number in range(3)]
        await seen(stack, numbers[0], moving)
        await seen(stack, numbers[1], moving)
        assert [each.id for each in stack.state.downloads] == numbers
        third = find(stack, numbers[2])
        assert third is not None
        assert third.state is DownloadState.WAITING
        registry.faults = []
        for number in numbers:
            await stack.downloads.cancel(number, keep=False)
            await over(stack, number)


async def test_a_model_that_answers_is_waited_for(
    engine: Engine, registry: Registry, endless_model: Path
) -> None:
    registry.publish("busy", endless_model, parameters={"num_predict": 4000})
    name = registry.listed("busy")
    async with watching(engine, stop_patience_s=0.3) as stack:
        await pulled(stack, engine.url, registry.name("busy"))
        new = registry.publish("busy", endless_model, parameters={"num_predict": 4000, "seed": 1})
        chat = stack.providers.chat(engine.url, asking(name, parameters=Parameters(keep_alive_s=300)))
        assert await first_text(chat)
        (number,) = await stack.downloads.update(engine.url, [name])
        waiting = await seen(stack, number, lambda each: bool(each.reason))
        assert waiting.state is DownloadState.WAITING
        assert [each.kind for each in waiting.reason] == ["download.waits_for_request"]
        assert await first_text(chat), "the answer goes on"
        await chat.aclose()
        assert (await over(stack, number)).state is DownloadState.DONE
        await wait_until(lambda: digest(stack, name) == new.digest and is_active(stack, name))
        await stack.actions.deactivate(engine.url, name)


async def test_what_was_under_way_goes_on_with_the_next_program(
    engine: Engine, registry: Registry, tiny_model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "state.db"
    registry.publish("later", tiny_model)
    registry.publish("never", tiny_model.read_bytes() + b"never")
    name = registry.listed("later")
    async with watching(engine, path) as stack:
        await pulled(stack, engine.url, registry.name("later"))
        await stack.actions.activate(engine.url, name)
        new = registry.publish("later", tiny_model.read_bytes() + b"later", pushed_at_s=LATER)
        registry.faults = [slow(new.weights.digest)]
        (number,) = await stack.downloads.update(engine.url, [name])
        never = await stack.downloads.pull(engine.url, registry.name("never"))
        stack.downloads.pause(never)
        await seen(stack, never, lambda each: each.state is DownloadState.PAUSED)
        before = await seen(stack, number, moving)
    async with watching(engine, path, read_only=True) as stack:
        # One that may change nothing shows it, and does nothing.
        shown = await seen(stack, number, lambda each: each.state is DownloadState.WAITING)
        assert shown.completed >= before.completed // 2
        with pytest.raises(Refused):
            await stack.downloads.pull(engine.url, "tiny")
    registry.faults = []
    async with watching(engine, path) as stack:
        assert (await over(stack, number)).state is DownloadState.DONE
        await wait_until(lambda: is_active(stack, name) and digest(stack, name) == new.digest)
        assert any("resumed" in event.sentence.kind for event in await stack.records.events(model=name))
        found = find(stack, never)
        assert found is not None
        assert found.state is DownloadState.PAUSED
        assert not registry.requests("/never/blobs/")


async def test_what_was_stopped_is_started_again_before_the_program_ends(
    engine: Engine, registry: Registry, tiny_model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "state.db"
    old = registry.publish("left", tiny_model, system="Left.")
    registry.publish("last", tiny_model.read_bytes() + b"last")
    name = registry.listed("left")
    async with watching(engine, path) as stack:
        await pulled(stack, engine.url, registry.name("left"))
        await stack.actions.activate(engine.url, name, keep_alive=timedelta(minutes=9), context_length=256)
        new = registry.publish("left", tiny_model.read_bytes() + b"left", pushed_at_s=LATER)
        registry.faults = [slow(new.weights.digest)]
        assert not stack.downloads.stopped
        (number,) = await stack.downloads.update(engine.url, [name])
        last = await stack.downloads.pull(engine.url, registry.name("last"))
        before = await seen(stack, number, moving)
        await wait_until(lambda: not is_active(stack, name))
        assert [each.model for each in stack.downloads.stopped] == [name]
        assert [each.id for each in stack.downloads.under_way] == [number, last]
        await stack.downloads.start_again()
        assert stack.downloads.stopped == stack.downloads.under_way == ()
        await wait_until(lambda: is_active(stack, name) and digest(stack, name) == old.digest)
        found = status(stack, name)
        assert found is not None
        assert found.running is not None
        assert found.running.context_length == 256
        assert await answer(stack, engine.url, name) == ANSWER
        for left in (number, last):
            await seen(stack, left, lambda each: each.state is DownloadState.WAITING)
        # Nothing is begun any more, whatever is asked.
        stack.downloads.pause(last)
        await seen(stack, last, lambda each: each.state is DownloadState.PAUSED)
        stack.downloads.resume(last)
        await seen(stack, last, lambda each: each.state is DownloadState.WAITING)
        assert stack.downloads.under_way == ()
    registry.faults = []
    registry.forget()
    async with watching(engine, path) as stack:
        assert (await over(stack, number)).state is DownloadState.DONE
        assert (await over(stack, last)).state is DownloadState.DONE
        await wait_until(lambda: is_active(stack, name) and digest(stack, name) == new.digest)
        fetched = registry.blob_bytes_sent - len(tiny_model.read_bytes()) - len(b"last")
        assert fetched < new.size - before.completed // 2, "what came is kept"
        (latest, *_) = await stack.records.activations(engine.url, name)
        assert (latest.keep_alive, latest.context_length) == (timedelta(minutes=9), 256)
        await stack.actions.deactivate(engine.url, name)


async def test_two_programs_have_one_queue(
    engine: Engine, registry: Registry, tiny_model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "state.db"
    version = registry.publish("both", tiny_model.read_bytes() + b"both")
    registry.faults = [slow(version.weights.digest)]
    async with watching(engine, path) as one:
        async with watching(engine, path) as other:
            (number,) = await one.downloads.update(engine.url, [registry.name("both")])
            assert await other.downloads.update(engine.url, [registry.name("both")]) == (number,)
            await seen(one, number, moving)
            await seen(other, number, moving)
            assert len(registry.requests("/both/blobs/")) <= len(version.layers)
            other.downloads.pause(number)
            await seen(one, number, lambda each: each.state is DownloadState.PAUSED)
            await seen(other, number, lambda each: each.state is DownloadState.PAUSED)
            one.downloads.resume(number)
            await seen(other, number, moving)
        # Who did not run it is gone; who runs it goes on.
        await seen(one, number, moving)
        async with watching(engine, path) as third:
            await seen(third, number, moving)
            await third.downloads.cancel(number, keep=True)
            assert (await over(one, number)).state is DownloadState.CANCELLED
            assert (await over(third, number)).state is DownloadState.CANCELLED
            locks = Locks(path, "pulls")
            await wait_for(lambda: locks.hold({engine.url}), what="both let go of the host")
            locks.release()


async def test_the_other_program_goes_on_when_the_first_ends(
    engine: Engine, registry: Registry, tiny_model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "state.db"
    version = registry.publish("heir", tiny_model.read_bytes() + b"heir")
    registry.faults = [slow(version.weights.digest)]
    async with watching(engine, path) as other:
        async with watching(engine, path) as one:
            number = await one.downloads.pull(engine.url, registry.name("heir"))
            await seen(other, number, moving)
        registry.faults = []
        assert (await over(other, number)).state is DownloadState.DONE


async def test_a_disk_without_room_is_said_before_a_byte_comes(
    engine: Engine, registry: Registry, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.publish("evidence", tiny_model)
    version = registry.publish("large", tiny_model.read_bytes() + b"large")
    async with watching(engine) as stack:
        await pulled(stack, engine.url, registry.name("evidence"))
        usage = shutil.disk_usage(engine.models)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10**9 + 1000))
        registry.forget()
        number = await stack.downloads.pull(engine.url, registry.name("large"))
        waiting = await seen(stack, number, lambda each: bool(each.reason))
        assert waiting.state is DownloadState.WAITING
        assert waiting.total == version.size
        assert "kB more" in text(*waiting.reason)
        assert waiting.reason[-1] == Sentence("download.waits_for_room")
        assert not registry.requests("/blobs/")
        monkeypatch.undo()
        assert (await over(stack, number)).state is DownloadState.DONE


@pytest.mark.parametrize("readable", [True, False])
async def test_what_was_changed_here_is_no_part_of_all(
    engine: Engine, registry: Registry, tiny_model: Path, tmp_path: Path, readable: bool
) -> None:
    registry.publish("mine", tiny_model)
    name = registry.listed("mine")
    async with watching(engine if readable else Engine(engine.url, tmp_path)) as stack:
        await pulled(stack, engine.url, registry.name("mine"))
        async for _ in stack.actions.create(engine.url, name, base=name, system="My own.", replace=True):
            pass
        registry.publish("mine", tiny_model.read_bytes() + b"theirs", pushed_at_s=1)
        await stack.updates.check([name])
        verdict = stack.state.hosts[0].updates[name]
        assert (verdict.state, verdict.changed_here) == (
            (UpdateState.LOCAL, False) if readable else (UpdateState.UNKNOWN, True)
        )
        assert await update_stale(stack) == ()


async def test_no_names_and_no_hosts(engine: Engine) -> None:
    async with watching(engine) as stack:
        with pytest.raises(Refused, match="bad_model"):
            await stack.downloads.pull(engine.url, "a b")
        with pytest.raises(Refused, match="no_host"):
            await stack.downloads.pull("http://127.0.0.1:1", "tiny")
        with pytest.raises(Refused, match="forgotten"):
            await stack.downloads.retry(7)
        stack.downloads.pause(7)
        await stack.downloads.cancel(7, keep=True)
        assert stack.state.downloads == ()


async def test_a_server_that_is_away_is_waited_for(
    registry: Registry, tiny_model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "state.db"
    nowhere = Engine("http://127.0.0.1:9", tmp_path)
    registry.publish("away", tiny_model)
    async with watching(nowhere, path) as stack:
        number = await stack.downloads.pull(nowhere.url, registry.name("away"))
        waiting = await seen(stack, number, lambda each: bool(each.reason))
        assert waiting.state is DownloadState.WAITING
        assert waiting.reason[-1] == Sentence("download.waits_for_server")
    async with await Store.open(path) as store:
        (row,) = await store.downloads.all([nowhere.url])
        assert (row.state, row.requested) == ("waiting", "run")


async def test_a_server_that_dies_in_the_middle_is_waited_for(
    registry: Registry, tiny_model: Path, tmp_path: Path
) -> None:
    version = registry.publish("dies", tiny_model)
    registry.faults = [slow(version.weights.digest)]
    with killable_engine(tmp_path) as (url, process):
        async with watching(Engine(url, tmp_path)) as stack:
            number = await stack.downloads.pull(url, registry.name("dies"))
            await seen(stack, number, moving)
            process.kill()
            await seen(stack, number, lambda each: Sentence("download.waits_for_server") in each.reason)
            registry.faults = []
            port = httpx.URL(url).port
            assert port is not None
            with killable_engine(tmp_path, port=port):
                assert (await over(stack, number)).state is DownloadState.DONE


async def test_what_cannot_be_started_again_now_is_started_by_the_next_program(
    registry: Registry, tiny_model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "state.db"
    registry.publish("gone", tiny_model)
    name = registry.listed("gone")
    with killable_engine(tmp_path) as (url, process):
        async with watching(Engine(url, tmp_path), path) as stack:
            await pulled(stack, url, registry.name("gone"))
            await stack.actions.activate(url, name)
            new = registry.publish("gone", tiny_model.read_bytes() + b"gone", pushed_at_s=LATER)
            registry.faults = [slow(new.weights.digest)]
            (number,) = await stack.downloads.update(url, [name])
            await seen(stack, number, moving)
            process.kill()
            await seen(stack, number, lambda each: Sentence("download.waits_for_server") in each.reason)
            (left,) = await stack.downloads.start_again()
            assert (left.model, left.state) == (name, DownloadState.WAITING)
            assert left.reason[-1].kind == "download.not_loaded_again"
    registry.faults = []
    port = httpx.URL(url).port
    assert port is not None
    with killable_engine(tmp_path, port=port):
        async with watching(Engine(url, tmp_path), path) as stack:
            assert (await over(stack, number)).state is DownloadState.DONE
            await wait_until(lambda: is_active(stack, name) and digest(stack, name) == new.digest)
