from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.engine.failures import EngineStopping, LoadFailed, ServerBusy
from llmstack_tui.engine.scheduler import Scheduler
from tests.engine.fake_runners import START, Factory, FakeClock, FakeRunner, settle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

MINUTE = timedelta(minutes=1)
FOREVER = timedelta(seconds=-1)
NOW = timedelta(0)


class World:
    """A scheduler over fakes. The configuration of a model is its name, and options after a colon."""

    def __init__(
        self, places: int = 3, queue: int = 512, serves: Callable[[str, str], bool] | None = None
    ) -> None:
        self.factory = Factory()
        self.clock = FakeClock()
        self.scheduler: Scheduler[str, str, FakeRunner] = Scheduler(
            start_runner=self.factory.start,
            max_loaded=places,
            max_queue=queue,
            clock=self.clock,
            serves=serves or (lambda loaded, wanted: loaded == wanted),
        )

    def request(self, config: str, keep_alive: timedelta | None = None) -> Request:
        return Request(self.scheduler, config, keep_alive)

    async def once(self, config: str, keep_alive: timedelta | None = None) -> None:
        request = self.request(config, keep_alive)
        await settle()
        assert request.running()
        await request.end()

    @property
    def listed(self) -> list[str]:
        return [loaded.config for loaded in self.scheduler.loaded()]


class Request:
    """A request in a task of its own, which runs until `end`."""

    def __init__(
        self, scheduler: Scheduler[str, str, FakeRunner], config: str, keep_alive: timedelta | None
    ) -> None:
        self._scheduler = scheduler
        self._config = config
        self._keep_alive = keep_alive
        self._ending = asyncio.Event()
        self.runner: FakeRunner | None = None
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        key = self._config.partition(":")[0]
        use = self._scheduler.use(key, self._config, model=self._config, keep_alive=self._keep_alive)
        async with use as self.runner:
            await self._ending.wait()

    def running(self) -> bool:
        return self.runner is not None and not self.task.done()

    async def end(self) -> None:
        self._ending.set()
        await self.task
        await settle()

    async def leave(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task
        await settle()


@asynccontextmanager
async def world(
    places: int = 3, queue: int = 512, serves: Callable[[str, str], bool] | None = None
) -> AsyncIterator[World]:
    made = World(places, queue, serves)
    try:
        yield made
    finally:
        await made.scheduler.close()
        assert made.factory.alive == []


async def test_requests_that_come_at_once_load_a_model_once() -> None:
    async with world() as w:
        requests = [w.request("a") for _ in range(5)]
        await settle()
        assert w.factory.started == ["a"]
        assert len({request.runner for request in requests}) == 1
        assert [loaded.requests for loaded in w.scheduler.loaded()] == [5]
        for request in requests:
            await request.end()
        assert [loaded.requests for loaded in w.scheduler.loaded()] == [0]


async def test_a_load_is_not_listed_until_it_ends() -> None:
    async with world() as w:
        w.factory.loading = asyncio.Event()
        request = w.request("a")
        await settle()
        assert w.listed == []
        w.factory.loading.set()
        await settle()
        assert w.listed == ["a"]
        await request.end()


async def test_a_model_stays_for_its_keep_alive_after_the_last_request() -> None:
    async with world() as w:
        first, second = w.request("a"), w.request("a")
        await settle()
        await w.clock.advance(1000)
        await first.end()
        await w.clock.advance(1000)
        assert w.listed == ["a"]
        await second.end()
        assert w.scheduler.loaded()[0].expires_at == START + timedelta(seconds=2300)
        await w.clock.advance(299)
        assert w.listed == ["a"]
        await w.clock.advance(1)
        assert (w.listed, w.factory.alive) == ([], [])


async def test_the_end_is_told_anew_in_the_first_request_and_stands_still_in_later_ones() -> None:
    async with world() as w:
        first = w.request("a")
        await settle()
        assert w.scheduler.loaded()[0].expires_at == START + 5 * MINUTE
        await w.clock.advance(10)
        assert w.scheduler.loaded()[0].expires_at == START + 5 * MINUTE + timedelta(seconds=10)
        await first.end()
        second = w.request("a", timedelta(seconds=2))
        await settle()
        await w.clock.advance(1000)
        loaded = w.scheduler.loaded()[0]
        assert loaded.expires_at == START + 5 * MINUTE + timedelta(seconds=10)
        assert loaded.expires_at < w.clock.now()
        await second.end()
        assert w.scheduler.loaded()[0].expires_at == w.clock.now() + timedelta(seconds=2)


async def test_setting_the_wall_clock_unloads_nothing() -> None:
    async with world() as w:
        await w.once("a")
        w.clock.wall += timedelta(days=400)
        await w.clock.advance(1)
        assert w.listed == ["a"]


async def test_a_negative_keep_alive_is_for_ever() -> None:
    async with world() as w:
        await w.once("a", FOREVER)
        assert w.scheduler.loaded()[0].expires_at.year == START.year + 292
        assert w.clock.pending == []
        await w.clock.advance(10**9)
        assert w.listed == ["a"]


async def test_a_keep_alive_of_nothing_ends_with_the_request() -> None:
    async with world() as w:
        await w.once("a", NOW)
        assert (w.listed, w.factory.alive) == ([], [])


async def test_a_request_without_a_keep_alive_keeps_the_one_that_is_set() -> None:
    async with world() as w:
        await w.once("a", 60 * MINUTE)
        await w.once("a")
        assert w.scheduler.loaded()[0].expires_at == START + 60 * MINUTE


async def test_a_request_stops_the_count_down() -> None:
    async with world() as w:
        await w.once("a")
        await w.clock.advance(299)
        request = w.request("a")
        await settle()
        await w.clock.advance(10)
        assert request.running()
        assert w.listed == ["a"]
        await request.end()
        await w.clock.advance(299)
        assert w.listed == ["a"]


async def test_stopping_an_idle_model_ends_it() -> None:
    async with world() as w:
        await w.once("a")
        assert w.scheduler.unload("a")
        await settle()
        assert (w.listed, w.clock.pending) == ([], [])
        assert not w.scheduler.unload("a")


async def test_a_stop_never_cuts_a_request() -> None:
    async with world() as w:
        request = w.request("a", 60 * MINUTE)
        await settle()
        assert w.scheduler.unload("a")
        await w.clock.advance(5)
        assert request.running()
        assert w.scheduler.loaded()[0].expires_at == START
        await request.end()
        assert w.listed == []


@pytest.mark.parametrize(("keep_alive", "stays"), [(MINUTE, True), (None, False)])
async def test_a_later_request_cancels_a_stop_if_it_brings_its_own_keep_alive(
    keep_alive: timedelta | None, *, stays: bool
) -> None:
    async with world() as w:
        first = w.request("a")
        await settle()
        w.scheduler.unload("a")
        second = w.request("a", keep_alive)
        await settle()
        assert second.running()
        await first.end()
        assert w.listed == ["a"]
        await second.end()
        assert w.listed == (["a"] if stays else [])


async def test_a_stop_during_a_load_lets_the_requests_before_it_end() -> None:
    async with world() as w:
        w.factory.loading = asyncio.Event()
        before = w.request("a", 60 * MINUTE)
        await settle()
        assert w.scheduler.unload("a")
        w.factory.loading.set()
        await settle()
        assert before.running()
        await before.end()
        assert w.listed == []


async def test_a_request_after_a_stop_during_a_load_cancels_it() -> None:
    async with world() as w:
        w.factory.loading = asyncio.Event()
        before = w.request("a")
        await settle()
        w.scheduler.unload("a")
        after = w.request("a", 60 * MINUTE)
        w.factory.loading.set()
        await settle()
        await after.end()
        await before.end()
        assert w.listed == ["a"]


async def test_other_options_load_the_model_again_when_its_requests_have_ended() -> None:
    async with world() as w:
        old = w.request("a:2048")
        await settle()
        new, late = w.request("a:4096"), w.request("a:2048")
        await settle()
        assert (new.running(), late.running()) == (False, False)
        assert w.factory.started == ["a:2048"]
        await old.end()
        assert new.running()
        assert w.factory.alive == ["a:4096"]
        # Those who came later did not overtake it.
        assert not late.running()
        await new.end()
        assert late.running()
        await late.end()
        assert w.factory.started == ["a:2048", "a:4096", "a:2048"]


async def test_a_model_that_can_more_than_is_wanted_is_not_loaded_again() -> None:
    async with world(serves=lambda loaded, wanted: loaded.startswith(wanted)) as w:
        await w.once("a:embedding")
        await w.once("a")
        assert w.factory.started == ["a:embedding"]


async def test_a_model_is_stopped_before_its_successor_is_loaded() -> None:
    async with world() as w:
        await w.once("a:1")
        w.factory.stopping = asyncio.Event()
        request = w.request("a:2")
        await settle()
        assert w.factory.started == ["a:1"]
        w.factory.stopping.set()
        await settle()
        assert request.running()
        await request.end()


async def test_one_model_too_many_sends_the_one_away_whose_time_is_nearest() -> None:
    async with world() as w:
        await w.once("a", 3 * MINUTE)
        await w.once("b", MINUTE)
        await w.once("c", 2 * MINUTE)
        await w.once("d")
        assert w.listed == ["a", "c", "d"]


async def test_of_models_that_stay_for_ever_the_one_used_longest_ago_goes() -> None:
    async with world() as w:
        for name in "abca":
            await w.once(name, FOREVER)
            await w.clock.advance(1)
        await w.once("d", FOREVER)
        assert w.listed == ["a", "c", "d"]


async def test_a_busy_model_stays_when_an_idle_one_can_go() -> None:
    async with world(places=2) as w:
        busy = w.request("a", MINUTE)
        await settle()
        await w.once("b", 60 * MINUTE)
        await w.once("c")
        assert w.listed == ["a", "c"]
        await busy.end()


async def test_when_all_are_busy_a_further_model_waits_for_the_first_that_ends() -> None:
    async with world(places=2) as w:
        first, second = w.request("a"), w.request("b")
        await settle()
        third = w.request("c")
        await settle()
        assert not third.running()
        assert w.factory.alive == ["a", "b"]
        await second.end()
        assert third.running()
        assert w.factory.alive == ["a", "c"]
        await first.end()
        await third.end()


async def test_who_waits_for_a_place_is_not_overtaken_for_ever() -> None:
    async with world(places=1) as w:
        first = w.request("a")
        await settle()
        other = w.request("b")
        await settle()
        late = w.request("a")
        await settle()
        assert not late.running()
        await first.end()
        assert other.running()
        await other.end()
        assert late.running()
        await late.end()


async def test_a_loaded_model_answers_while_another_loads() -> None:
    async with world() as w:
        await w.once("a")
        w.factory.loading = asyncio.Event()
        slow = w.request("b")
        await settle()
        await w.once("a")
        w.factory.loading.set()
        await settle()
        await slow.end()


async def test_a_full_queue_refuses_and_a_loaded_model_still_answers() -> None:
    async with world(queue=2) as w:
        await w.once("a")
        w.factory.loading = asyncio.Event()
        waiting = [w.request("b"), w.request("b")]
        await settle()
        with pytest.raises(ServerBusy, match=r"server busy, please try again\.  maximum pending"):
            async with w.scheduler.use("c", "c", model="c"):
                pass
        assert "c" not in w.factory.started
        await w.once("a")
        w.factory.loading.set()
        await settle()
        assert all(request.running() for request in waiting)
        for request in waiting:
            await request.end()


async def test_a_process_that_dies_idle_is_gone_at_once_and_loaded_anew() -> None:
    async with world() as w:
        await w.once("a")
        w.factory.runners[0].die("was killed")
        await settle()
        assert (w.listed, w.clock.pending) == ([], [])
        await w.once("a")
        assert w.factory.started == ["a", "a"]


async def test_a_process_that_dies_under_a_request_makes_room_for_the_next() -> None:
    async with world(places=1) as w:
        under = w.request("a")
        await settle()
        w.factory.runners[0].die("was killed")
        await settle()
        assert w.listed == []
        again = w.request("a")
        await settle()
        await under.end()
        assert [loaded.requests for loaded in w.scheduler.loaded()] == [1]
        await again.end()
        assert w.listed == ["a"]


async def test_a_load_that_fails_tells_all_and_leaves_nothing() -> None:
    async with world(places=1) as w:
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
    async with world(places=1) as w:
        request = w.request("a")
        await asyncio.sleep(0)
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
        for _ in range(steps):
            await asyncio.sleep(0)
        used = request.runner is not None
        await request.leave()
        # Once it was used, it is an ended request like any other.
        assert w.listed == (["a"] if used else [])
        assert w.factory.alive == w.listed


async def test_a_waiter_that_leaves_makes_way() -> None:
    async with world(places=1) as w:
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
    async with world(places=1) as w:
        await w.once("a")
        w.factory.stop_error = OSError("no")
        await w.once("b")
        assert w.listed == ["b"]
        assert "did not end cleanly" in caplog.text


async def test_closing_ends_everything() -> None:
    w = World(places=2)
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
    async with world(places=2) as w:
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
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
            assert len(w.factory.alive) <= 2
            assert len(w.listed) <= 2
        while open_ := [request for request in requests if not request.task.done()]:
            await settle()
            running = [request for request in open_ if request.running()]
            assert running, "some wait, and nobody is served"
            await running[0].end()
        assert all(loaded.requests == 0 for loaded in w.scheduler.loaded())
