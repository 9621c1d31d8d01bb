"""How long a model stays, and with which options it is loaded."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.engine.runners.fake_runners import START
from tests.engine.runners.scheduling import FOREVER, MINUTE, NOW, world
from tests.support.waiting import settle


async def test_requests_that_come_at_once_load_a_model_once() -> None:
    async with world() as w:
        requests = [w.request("a") for _ in range(5)]
        await settle()
        assert w.factory.started == ["a"]
        assert len({request.runner for request in requests}) == 1
        assert [loaded.requests for loaded in w.scheduler.resident()] == [5]
        for request in requests:
            await request.end()
        assert [loaded.requests for loaded in w.scheduler.resident()] == [0]


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
        assert w.scheduler.resident()[0].expires_at == START + timedelta(seconds=2300)
        await w.clock.advance(299)
        assert w.listed == ["a"]
        await w.clock.advance(1)
        assert (w.listed, w.factory.alive) == ([], [])


async def test_the_end_is_told_anew_in_the_first_request_and_stands_still_in_later_ones() -> None:
    async with world() as w:
        first = w.request("a")
        await settle()
        assert w.scheduler.resident()[0].expires_at == START + 5 * MINUTE
        await w.clock.advance(10)
        assert w.scheduler.resident()[0].expires_at == START + 5 * MINUTE + timedelta(seconds=10)
        await first.end()
        second = w.request("a", timedelta(seconds=2))
        await settle()
        await w.clock.advance(1000)
        loaded = w.scheduler.resident()[0]
        assert loaded.expires_at == START + 5 * MINUTE + timedelta(seconds=10)
        assert loaded.expires_at < w.clock.now()
        await second.end()
        assert w.scheduler.resident()[0].expires_at == w.clock.now() + timedelta(seconds=2)


async def test_setting_the_wall_clock_unloads_nothing() -> None:
    async with world() as w:
        await w.once("a")
        w.clock.wall += timedelta(days=400)
        await w.clock.advance(1)
        assert w.listed == ["a"]


async def test_a_negative_keep_alive_is_for_ever() -> None:
    async with world() as w:
        await w.once("a", FOREVER)
        assert w.scheduler.resident()[0].expires_at.year == START.year + 292
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
        assert w.scheduler.resident()[0].expires_at == START + 60 * MINUTE


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
        assert w.scheduler.resident()[0].expires_at == START
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
