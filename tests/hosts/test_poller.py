"""Watching a host."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.structs import replace
from llmstack_tui.hosts import poller as module
from llmstack_tui.hosts.errors import Unreachable
from llmstack_tui.hosts.poller import Poller, comparable, smoothed_latency
from llmstack_tui.hosts.types import Model
from tests.support.fake_ollama import fake_host
from tests.support.waiting import settle, wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from llmstack_tui.ollama.client import OllamaHost


@asynccontextmanager
async def polling(
    host: OllamaHost, *, running_every_s: float = 0.01, installed_every_s: float = 30.0
) -> AsyncIterator[tuple[Poller, list[None]]]:
    """A poller at work and the words it gave."""
    told: list[None] = []
    poller = Poller(
        host,
        on_round=lambda is_new: told.append(None) if is_new else None,
        running_every_s=running_every_s,
        installed_every_s=installed_every_s,
    )
    task = asyncio.create_task(poller.run())
    try:
        yield poller, told
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def retry_at(poller: Poller) -> float | None:
    return poller.snapshot.retry_at


async def test_the_first_round_asks_for_everything_and_the_next_ones_only_what_is_loaded() -> None:
    async with fake_host(a_1="a") as (fake, host, server):
        fake.load("a:1")
        async with polling(host) as (poller, told):
            assert poller.snapshot.read_at is None
            assert not poller.snapshot.reachable
            await wait_until(lambda: server.asked.count("GET /api/ps") > 3)
        assert server.asked[:5] == [
            "GET /api/version",
            "GET /api/tags",
            "GET /api/ps",
            "GET /api/ps",
            "GET /api/ps",
        ]
        snapshot = poller.snapshot
        assert snapshot.reachable
        assert [model.name for model in snapshot.installed] == ["a:1"]
        assert [model.name for model in snapshot.running] == ["a:1"]
        assert snapshot.server is not None
        assert snapshot.server.version == "0.32.15"
        assert len(told) == 1, "nothing new came after the first round"


async def test_what_is_installed_is_asked_for_when_it_is_due() -> None:
    async with (
        fake_host(a_1="a") as (fake, host, server),
        polling(host, installed_every_s=0.5) as (poller, told),
    ):
        await wait_until(lambda: told)
        fake.installed["b:1"] = "b"
        await wait_until(lambda: len(poller.snapshot.installed) == 2)
        await wait_until(lambda: server.asked.count("GET /api/ps") > server.asked.count("GET /api/tags"))


async def test_a_change_is_told_and_the_same_again_is_not() -> None:
    async with fake_host(a_1="a") as (fake, host, server), polling(host) as (poller, told):
        await wait_until(lambda: told)
        installed, read_at = poller.snapshot.installed, poller.snapshot.read_at
        fake.load("a:1")
        await wait_until(lambda: poller.snapshot.running)
        assert len(told) == 2
        poller.refresh()
        asked = server.asked.count("GET /api/tags")
        await wait_until(lambda: server.asked.count("GET /api/tags") > asked)
        await poller.refreshed()
        assert len(told) == 2
        assert poller.snapshot.installed is installed, "equal lists are the same object"
        assert poller.snapshot.read_at is not None
        assert read_at is not None
        assert poller.snapshot.read_at > read_at


async def test_rounds_never_overlap() -> None:
    async with fake_host(a_1="a") as (_, host, _), polling(host) as (poller, _):
        rounds, most, may_end = 0, 0, asyncio.Event()
        read = host.running

        async def counted() -> object:
            nonlocal rounds, most
            rounds += 1
            most = max(most, rounds)
            await may_end.wait()
            try:
                return await read()
            finally:
                rounds -= 1

        host.running = counted  # type: ignore[method-assign, assignment]
        for _ in range(10):
            poller.refresh()
            await wait_until(lambda: rounds)
        may_end.set()
        await poller.refreshed()
        assert most == 1


async def test_an_outage_keeps_the_figures_and_marks_them_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BACK_OFF_S", (0.01, 0.02))
    async with fake_host(a_1="a") as (fake, host, server), polling(host) as (poller, told):
        await wait_until(lambda: told)
        fake.down = True
        await wait_until(lambda: poller.snapshot.error)
        old = poller.snapshot
        assert isinstance(old.error, Unreachable)
        assert [model.name for model in old.installed] == ["a:1"]
        assert old.server is not None
        assert not old.reachable
        count = len(server.requests)
        await wait_until(lambda: len(server.requests) > count + 4)
        assert len(told) <= len(server.requests) + 2, "a try that fails is told once"
        fake.down, fake.version = False, "0.33.0"
        fake.installed["b:1"] = "b"
        await wait_until(lambda: poller.snapshot.reachable)
        assert poller.snapshot.server is not None
        assert poller.snapshot.server.version == "0.33.0"
        assert len(poller.snapshot.installed) == 2


async def test_a_host_that_is_down_is_asked_less_and_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    real = asyncio.timeout

    def timeout(seconds: float) -> asyncio.Timeout:
        pauses.append(seconds)
        return real(0)

    async with fake_host() as (fake, host, _):
        fake.down = True

        async def failing() -> object:
            raise Unreachable("gone", host=host.url)

        host.version = failing  # type: ignore[method-assign, assignment]
        monkeypatch.setattr(asyncio, "timeout", timeout)
        async with polling(host, running_every_s=2.0):
            await wait_until(lambda: len(pauses) > 5)
        monkeypatch.undo()
    assert pauses[:6] == [2, 4, 8, 15, 15, 15]


async def test_the_time_of_the_next_try_is_told_while_the_host_is_away_and_only_then() -> None:
    async with fake_host(a_1="a") as (fake, host, _), polling(host, running_every_s=60) as (poller, told):
        await wait_until(lambda: told)
        assert retry_at(poller) is None
        fake.down = True
        asked_s = time.monotonic()
        await poller.refreshed()
        first = retry_at(poller)
        assert first is not None
        assert asked_s + 60 <= first <= time.monotonic() + 60
        await poller.refreshed()
        second = retry_at(poller)
        assert second is not None
        assert second > first
        fake.down = False
        await poller.refreshed()
        assert retry_at(poller) is None


async def test_a_try_that_comes_sooner_than_was_said_is_told_while_it_lasts() -> None:
    async with fake_host(a_1="a") as (fake, host, _), polling(host, running_every_s=60) as (poller, told):
        await wait_until(lambda: told)
        fake.down = True
        await poller.refreshed()
        gate = asyncio.Event()

        async def slow() -> object:
            await gate.wait()
            raise Unreachable("gone", host=host.url)

        host.version = slow  # type: ignore[method-assign, assignment]
        before = len(told)
        poller.refresh()
        await wait_until(lambda: len(told) > before)
        assert poller.snapshot.retry_at is not None
        assert poller.snapshot.retry_at <= time.monotonic()
        assert poller.snapshot.error is not None
        gate.set()
        await wait_until(lambda: (poller.snapshot.retry_at or 0) > time.monotonic())


async def test_refreshing_does_not_wait_for_the_next_round() -> None:
    async with fake_host(a_1="a") as (fake, host, _), polling(host, running_every_s=60) as (poller, told):
        await wait_until(lambda: told)
        fake.down = True
        await poller.refreshed()
        assert poller.snapshot.error is not None
        fake.down = False
        fake.load("a:1")
        await poller.refreshed()
        assert poller.snapshot.reachable
        assert [model.name for model in poller.snapshot.running] == ["a:1"]


async def test_a_wish_during_a_round_is_not_lost() -> None:
    async with (
        fake_host(a_1="a") as (fake, host, server),
        polling(host, running_every_s=60) as (poller, told),
    ):
        await wait_until(lambda: told)
        read = host.running
        gate = asyncio.Event()

        async def slow() -> object:
            await gate.wait()
            return await read()

        host.running = slow  # type: ignore[method-assign, assignment]
        poller.refresh()
        await wait_until(lambda: server.asked.count("GET /api/tags") == 2)
        fake.installed["b:1"] = "b"
        refreshed = asyncio.create_task(poller.refreshed())
        await settle(1)
        gate.set()
        await refreshed
        assert len(poller.snapshot.installed) == 2


async def test_nobody_is_left_waiting() -> None:
    async with fake_host() as (_, host, _):
        async with polling(host, running_every_s=60) as (poller, told):
            await wait_until(lambda: told)
            waiting = asyncio.create_task(poller.refreshed())
            await settle(1)
        await asyncio.wait_for(waiting, 1)
        await asyncio.wait_for(poller.refreshed(), 1)


async def test_a_hidden_host_is_asked_less_often_and_at_once_when_it_shows() -> None:
    async with fake_host(a_1="a") as (fake, host, _), polling(host, running_every_s=60) as (poller, told):
        await wait_until(lambda: told)
        poller.visible = False
        assert poller.pause_s == 300
        fake.load("a:1")
        poller.visible = True
        await wait_until(lambda: poller.snapshot.running)


async def test_a_defect_is_not_swallowed() -> None:
    async with fake_host() as (_, host, _):

        async def broken() -> object:
            raise KeyError("a defect")

        host.version = broken  # type: ignore[method-assign, assignment]
        with pytest.raises(KeyError):
            await Poller(host).run()


async def test_the_same_news_is_told_once_whatever_object_says_it() -> None:
    async with fake_host() as (_, host, _):
        snapshot = Poller(host).snapshot
        one = replace(snapshot, error=Unreachable("gone", host=host.url))
        other = replace(snapshot, error=Unreachable("gone", host=host.url))
        third = replace(snapshot, error=Unreachable("quoted", text="still gone", host=host.url))
        assert comparable(one) == comparable(other) != comparable(third)


async def test_each_round_is_told_with_whether_it_is_news() -> None:
    async with fake_host(a_1="a") as (_, host, _):
        told: list[bool] = []
        poller = Poller(host, on_round=told.append, running_every_s=0.01)
        task = asyncio.create_task(poller.run())
        await wait_until(lambda: len(told) > 3)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert told[:2] == [True, False]
        assert poller.snapshot.latency_s is not None
        assert 0 < poller.snapshot.latency_s < 5


async def test_what_an_earlier_session_saw_is_shown_until_the_host_answers() -> None:
    old = (Model(name="old:1", digest="o"),)
    at = datetime(2026, 3, 1, tzinfo=UTC)
    async with fake_host(a_1="a") as (fake, host, _):
        fake.down = True
        async with polling(host) as (poller, _):
            poller.recall(old, at)
            assert poller.snapshot.installed == old
            await wait_until(lambda: poller.snapshot.error)
            assert (poller.snapshot.installed, poller.snapshot.recalled_at) == (old, at)
            assert poller.snapshot.read_at is None
            fake.down = False
            poller.refresh()
            await poller.refreshed()
            assert [model.name for model in poller.snapshot.installed] == ["a:1"]
            assert poller.snapshot.recalled_at is None
            poller.recall(old, at)
            assert [model.name for model in poller.snapshot.installed] == ["a:1"], "too late"


def test_a_latency_that_hardly_changes_is_no_news() -> None:
    assert smoothed_latency(None, 0.3) == 0.3
    assert smoothed_latency(0.002, 0.09) == 0.002, "one hiccup"
    slow = 0.002
    for _ in range(20):
        slow = smoothed_latency(slow, 0.5)
    assert slow == pytest.approx(0.5, rel=0.3)
    assert smoothed_latency(slow, slow * 1.2) == slow
