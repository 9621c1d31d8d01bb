"""What dies, fails, leaves or is closed."""

from __future__ import annotations

import asyncio
import random

import pytest

from llmstack_tui.engine.errors import EngineStopping, LoadFailed
from tests.engine.runners.scheduling import FOREVER, MINUTE, NOW, Request, World, world
from tests.support.waiting import settle


async def test_a_process_that_dies_idle_is_gone_at_once_and_loaded_anew() -> None:
    async with world() as w:
        await w.once("a")
        w.factory.runners[0].die("was killed")
        await settle()
        assert (w.listed, w.clock.pending) == ([], [])
        await w.once("a")
        assert w.factory.started == ["a", "a"]


async def test_a_process_that_dies_under_a_request_makes_room_for_the_next() -> None:
    async with world(slots=1) as w:
        under = w.request("a")
        await settle()
        w.factory.runners[0].die("was killed")
        await settle()
        assert w.listed == []
        again = w.request("a")
        await settle()
        await under.end()
        assert [loaded.requests for loaded in w.scheduler.resident()] == [1]
        await again.end()
        assert w.listed == ["a"]


async def test_a_load_that_fails_tells_all_and_leaves_nothing() -> None:
    async with world(slots=1) as w:
        w.factory.errors["a"] = LoadFailed("no such architecture")
        w.factory.loading = asyncio.Event()
        requests = [w.request("a"), w.request("a")]
        await settle()
        w.factory.loading.set()
        await settle()
        for request in requests:
            with pytest.raises(LoadFailed, match="no such architecture"):
                await request.task
        assert w.listed == []
        assert w.factory.started == ["a"]
        w.factory.errors.clear()
        await w.once("a")


async def test_a_failed_load_is_no_answer_to_who_wants_other_options() -> None:
    async with world() as w:
        w.factory.errors["a:131072"] = LoadFailed("out of memory")
        w.factory.loading = asyncio.Event()
        large, small = w.request("a:131072"), w.request("a:2048")
        await settle()
        w.factory.loading.set()
        await settle()
        with pytest.raises(LoadFailed):
            await large.task
        assert small.running()
        await small.end()


async def test_a_load_that_nobody_waits_for_is_ended() -> None:
    async with world() as w:
        w.factory.loading = asyncio.Event()
        first, second = w.request("a"), w.request("a")
        await settle()
        await first.leave()
        assert w.factory.cancelled == []
        await second.leave()
        assert w.factory.cancelled == ["a"]
        assert w.listed == []


async def test_a_request_that_leaves_at_once_leaves_nothing() -> None:
    async with world(slots=1) as w:
        request = w.request("a")
        await settle(1)
        await request.leave()
        assert w.factory.alive == []
        await w.once("b")


@pytest.mark.parametrize("steps", range(12))
async def test_a_model_whose_requester_left_while_it_became_ready_is_not_kept(steps: int) -> None:
    async with world() as w:
        w.factory.loading = asyncio.Event()
        request = w.request("a")
        await settle()
        w.factory.loading.set()
        await settle(steps)
        used = request.runner is not None
        await request.leave()
        # Once it was used, it is an ended request like any other.
        assert w.listed == (["a"] if used else [])
        assert w.factory.alive == w.listed


async def test_a_waiter_that_leaves_makes_way() -> None:
    async with world(slots=1) as w:
        first = w.request("a")
        await settle()
        blocking, late = w.request("b"), w.request("a")
        await settle()
        assert not late.running()
        await blocking.leave()
        assert late.running()
        assert w.factory.started == ["a"]
        await late.end()
        await first.end()


async def test_a_process_that_does_not_end_cleanly_still_makes_room(caplog: pytest.LogCaptureFixture) -> None:
    async with world(slots=1) as w:
        await w.once("a")
        w.factory.stop_error = OSError("no")
        await w.once("b")
        assert w.listed == ["b"]
        assert "did not end cleanly" in caplog.text


async def test_closing_ends_everything() -> None:
    w = World(slots=2)
    busy = w.request("a")
    await settle()
    w.factory.loading = asyncio.Event()
    loading, waiting = w.request("b"), w.request("c")
    await settle()
    await w.scheduler.close()
    assert w.factory.alive == []
    assert w.factory.cancelled == ["b"]
    for request in (loading, waiting):
        with pytest.raises(EngineStopping):
            await request.task
    with pytest.raises(EngineStopping):
        async with w.scheduler.use("a", "a", model="a"):
            pass
    await busy.end()
    await w.scheduler.close()


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_happens_places_are_kept_and_all_are_served(seed: int) -> None:
    chance = random.Random(seed)
    async with world(slots=2) as w:
        requests: list[Request] = []
        for _ in range(150):
            act = chance.choice(["request", "request", "end", "end", "leave", "stop", "die", "wait"])
            open_ = [request for request in requests if not request.task.done()]
            if act == "request":
                config = chance.choice(["a:1", "a:2", "b:1", "c:1", "d:1"])
                keep_alive = chance.choice([None, NOW, MINUTE, FOREVER])
                requests.append(w.request(config, keep_alive))
            elif act == "end" and (running := [request for request in open_ if request.running()]):
                await chance.choice(running).end()
            elif act == "leave" and open_:
                await chance.choice(open_).leave()
            elif act == "stop":
                w.scheduler.unload(chance.choice("abcd"))
            elif act == "die" and (alive := [runner for runner in w.factory.runners if runner.alive]):
                chance.choice(alive).die("was killed")
            else:
                await w.clock.advance(chance.choice([0, 20, 70]))
            await settle(chance.randrange(4))
            assert len(w.factory.alive) <= 2
            assert len(w.listed) <= 2
        while open_ := [request for request in requests if not request.task.done()]:
            await settle()
            running = [request for request in open_ if request.running()]
            assert running, "some wait, and nobody is served"
            await running[0].end()
        assert all(loaded.requests == 0 for loaded in w.scheduler.resident())
