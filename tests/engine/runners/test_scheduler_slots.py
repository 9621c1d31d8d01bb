"""Who gets a slot when there are more models than slots."""

from __future__ import annotations

import asyncio

import pytest

from llmstack_tui.engine.errors import ServerBusy
from tests.engine.runners.scheduling import FOREVER, MINUTE, world
from tests.support.waiting import settle


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
    async with world(slots=2) as w:
        busy = w.request("a", MINUTE)
        await settle()
        await w.once("b", 60 * MINUTE)
        await w.once("c")
        assert w.listed == ["a", "c"]
        await busy.end()


async def test_when_all_are_busy_a_further_model_waits_for_the_first_that_ends() -> None:
    async with world(slots=2) as w:
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
    async with world(slots=1) as w:
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
