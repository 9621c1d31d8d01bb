"""Loading and leaving, against a server that behaves as Ollama does."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.sentences import quoted
from llmstack_tui.hosts.errors import NotFound, Refused, ServerError, Unreachable
from llmstack_tui.hosts.types import Snapshot
from llmstack_tui.lifecycle.actions import ActEnd, ActKind, Departure, Interrupted
from llmstack_tui.lifecycle.worker import Lifecycle
from tests.support.fake_ollama import fake_host
from tests.support.waiting import stays, wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from llmstack_tui.hosts.errors import HostError
    from llmstack_tui.lifecycle.actions import Act
    from llmstack_tui.ollama.client import OllamaHost


STOPPING = [(ActKind.DEACTIVATE, "a:1")]


@asynccontextmanager
async def lifecycle(patience_s: float = 0.5) -> AsyncIterator[Lifecycle]:
    life = Lifecycle(patience_s=patience_s)
    try:
        yield life
    finally:
        await life.aclose()


def kinds(life: Lifecycle) -> list[tuple[ActKind, str]]:
    return [(act.kind, act.model) for act in life.acts]


async def look(host: OllamaHost) -> Snapshot:
    installed, running = await host.installed(), await host.running()
    return Snapshot(
        url=host.url,
        capabilities=host.capabilities,
        installed=installed,
        running=running,
        read_at=time.monotonic(),
    )


async def test_an_activation_is_an_act_until_the_model_is_loaded() -> None:
    async with fake_host(a_1="a") as (fake, host, _), lifecycle() as life:
        fake.may_load.clear()
        task = asyncio.create_task(life.activate(host, "a:1", keep_alive=timedelta(minutes=1)))
        await wait_until(lambda: life.acts)
        (act,) = life.acts
        assert (act.kind, act.host, act.model) == (ActKind.ACTIVATE, host.url, "a:1")
        assert act.started_at_s <= time.monotonic()
        fake.may_load.set()
        await task
        assert fake.loaded == ["a:1"]
        assert fake.runners[0].keep_alive == timedelta(minutes=1)
        assert life.acts == ()


async def test_changes_are_told_and_the_act_waits_until_its_owner_has_looked() -> None:
    told: list[int] = []
    seen: list[int] = []

    async def settle(_: object) -> None:
        seen.append(len(life.acts))

    async with fake_host(a_1="a") as (_, host, _):
        life = Lifecycle(on_change=lambda _: told.append(len(life.acts)), settle=settle)
        await life.activate(host, "a:1")
        await life.deactivate(host, "a:1")
        await life.aclose()
    assert told == [1, 0, 1, 0]
    assert seen == [1, 1]


async def test_a_load_that_fails_is_over() -> None:
    async with fake_host(a_1="a") as (fake, host, _), lifecycle() as life:
        fake.load_error = "out of memory"
        with pytest.raises(ServerError, match="out of memory"):
            await life.activate(host, "a:1")
        with pytest.raises(NotFound):
            await life.activate(host, "b:1")
        assert life.acts == ()


async def test_an_idle_model_leaves() -> None:
    async with fake_host(a_1="a") as (fake, host, _), lifecycle() as life:
        fake.load("a:1")
        assert await life.deactivate(host, "a:1") is Departure.GONE
        assert fake.loaded == []
        assert life.acts == ()


async def test_stopping_what_is_not_loaded_is_done_at_once() -> None:
    async with fake_host(a_1="a") as (_, host, _), lifecycle() as life:
        assert await life.deactivate(host, "a:1") is Departure.GONE
        with pytest.raises(NotFound):
            await life.deactivate(host, "b:1")
        assert life.acts == ()


async def test_a_stop_waits_for_a_model_that_takes_its_time() -> None:
    async with fake_host(a_1="a") as (fake, host, server), lifecycle(patience_s=5) as life:
        fake.load("a:1")
        fake.may_leave.clear()
        task = asyncio.create_task(life.deactivate(host, "a:1"))
        await wait_until(lambda: server.asked.count("GET /api/ps") == 2)
        assert kinds(life) == STOPPING
        fake.may_leave.set()
        assert await task is Departure.GONE


async def test_a_busy_model_is_left_to_its_request_and_followed_until_it_leaves() -> None:
    async with fake_host(a_1="a") as (fake, host, _), lifecycle() as life:
        runner = fake.begin_request("a:1")
        assert await life.deactivate(host, "a:1") is Departure.LEAVING
        assert fake.loaded == ["a:1"]
        assert kinds(life) == STOPPING
        life.observe(await look(host))
        assert kinds(life) == STOPPING
        fake.end_request(runner)
        life.observe(await look(host))
        assert life.acts == ()


@pytest.mark.parametrize("skew", [timedelta(0), timedelta(hours=-2), timedelta(days=400)])
async def test_a_newer_request_keeps_a_model_that_was_to_leave(skew: timedelta) -> None:
    async with fake_host(a_1="a") as (fake, host, _), lifecycle() as life:
        fake.skew = skew
        runner = fake.begin_request("a:1")
        assert await life.deactivate(host, "a:1") is Departure.LEAVING
        newer = fake.begin_request("a:1", timedelta(minutes=5))
        fake.end_request(runner)
        life.observe(await look(host))
        assert kinds(life) == STOPPING, "still busy: nobody can tell yet"
        fake.end_request(newer)
        life.observe(await look(host))
        assert life.acts == ()
        assert fake.loaded == ["a:1"]


async def test_a_stop_that_is_taken_back_while_it_waits_says_so() -> None:
    async with fake_host(a_1="a") as (fake, host, server), lifecycle(patience_s=5) as life:
        runner = fake.begin_request("a:1")
        task = asyncio.create_task(life.deactivate(host, "a:1"))
        # At the second look the first was seen.
        await wait_until(lambda: server.asked.count("GET /api/ps") > 1)
        runner.keep_alive = timedelta(minutes=5)
        fake.end_request(runner)
        assert await task is Departure.KEPT
        assert life.acts == ()


async def test_activating_what_is_about_to_leave_takes_the_stop_back() -> None:
    async with fake_host(a_1="a") as (fake, host, server), lifecycle(patience_s=5) as life:
        runner = fake.begin_request("a:1")
        stop = asyncio.create_task(life.deactivate(host, "a:1"))
        await wait_until(lambda: "GET /api/ps" in server.asked)
        await life.activate(host, "a:1")
        assert await stop is Departure.KEPT
        assert life.acts == ()
        fake.end_request(runner)
        assert fake.loaded == ["a:1"]


async def test_a_stop_gives_up_a_load_under_way() -> None:
    async with fake_host(a_1="a") as (fake, host, server), lifecycle() as life:
        fake.may_load.clear()
        load = asyncio.create_task(life.activate(host, "a:1"))
        await wait_until(lambda: "POST /api/generate" in server.asked)
        assert await life.deactivate(host, "a:1") is Departure.GONE
        with pytest.raises(Interrupted, match="interrupted"):
            await load
        generate = [request for request in server.requests if request.path == "/api/generate"]
        assert [request.json.get("keep_alive") for request in generate] == [None, 0]
        assert life.acts == ()


async def test_cancelling_a_load_closes_its_request_and_takes_it_back() -> None:
    async with fake_host(a_1="a") as (fake, host, server), lifecycle() as life:
        fake.may_load.clear()
        load = asyncio.create_task(life.activate(host, "a:1"))
        await wait_until(lambda: "POST /api/generate" in server.asked)
        load.cancel()
        with pytest.raises(asyncio.CancelledError):
            await load
        await wait_until(lambda: server.asked.count("POST /api/generate") == 2)
        stop = [request for request in server.requests if request.path == "/api/generate"][-1]
        assert stop.json["keep_alive"] == 0
        await wait_until(lambda: not life.acts)
        assert fake.loaded == []


async def test_closing_ends_what_is_under_way_even_if_the_server_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("llmstack_tui.lifecycle.worker._CLOSE_PATIENCE_S", 0.05)
    async with fake_host(a_1="a") as (fake, host, server):
        life = Lifecycle()
        fake.begin_request("a:1")
        fake.may_load.clear()
        load = asyncio.create_task(life.activate(host, "a:1"))
        await wait_until(lambda: "POST /api/generate" in server.asked)
        load.cancel()
        await asyncio.gather(load, return_exceptions=True)
        await life.aclose()
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_cancelling_what_tells_a_loaded_model_to_stay_leaves_it() -> None:
    async with fake_host(a_1="a") as (fake, host, server):
        fake.load("a:1")
        fake.may_load.clear()
        async with lifecycle() as life:
            load = asyncio.create_task(life.activate(host, "a:1", keep_alive=timedelta(hours=1), again=True))
            await wait_until(lambda: "POST /api/generate" in server.asked)
            load.cancel()
            with pytest.raises(asyncio.CancelledError):
                await load
        assert server.asked.count("POST /api/generate") == 1
        assert fake.loaded == ["a:1"]


async def test_cancelling_a_stop_leaves_the_act_to_be_followed() -> None:
    async with fake_host(a_1="a") as (fake, host, server), lifecycle(patience_s=5) as life:
        runner = fake.begin_request("a:1")
        stop = asyncio.create_task(life.deactivate(host, "a:1"))
        await wait_until(lambda: "GET /api/ps" in server.asked)
        stop.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stop
        assert kinds(life) == STOPPING
        fake.end_request(runner)
        life.observe(await look(host))
        assert life.acts == ()


async def test_one_act_at_a_time_on_one_model_and_others_beside_it() -> None:
    async with fake_host(a_1="a", b_1="b") as (fake, host, server), lifecycle() as life:
        fake.may_load.clear()
        first = asyncio.create_task(life.activate(host, "a:1"))
        again = asyncio.create_task(life.activate(host, "library/A:1"))
        other = asyncio.create_task(life.activate(host, "b:1"))
        await wait_until(lambda: server.asked.count("POST /api/generate") == 2)
        assert kinds(life) == [(ActKind.ACTIVATE, "a:1"), (ActKind.ACTIVATE, "b:1")]
        fake.may_load.set()
        await asyncio.gather(first, other)
        with pytest.raises(NotFound):
            await again


async def test_a_model_that_is_loaded_under_another_name_is_stopped() -> None:
    async with fake_host(a_1="a", b_1="a") as (fake, host, _), lifecycle(patience_s=5) as life:
        fake.load("a:1")
        fake.may_leave.clear()
        stop = asyncio.create_task(life.deactivate(host, "b:1"))
        await stays(lambda: not stop.done(), 0.3)  # It is still listed, as a:1.
        fake.may_leave.set()
        assert await stop is Departure.GONE


async def test_a_model_that_was_removed_while_loaded_cannot_be_stopped_and_says_why() -> None:
    async with fake_host(a_1="a") as (fake, host, _), lifecycle() as life:
        fake.load("a:1")
        fake.installed.clear()
        with pytest.raises(Refused, match="nameless"):
            await life.deactivate(host, "a:1")
        assert life.acts == ()


async def test_a_server_that_goes_away_ends_the_act() -> None:
    async with fake_host(a_1="a") as (fake, host, server), lifecycle(patience_s=5) as life:
        fake.begin_request("a:1")
        stop = asyncio.create_task(life.deactivate(host, "a:1"))
        await wait_until(lambda: "GET /api/ps" in server.asked)
        fake.down = True
        with pytest.raises(Unreachable):
            await stop
        assert life.acts == ()


async def test_old_news_and_news_of_others_end_no_act() -> None:
    async with fake_host(a_1="a") as (fake, host, _), lifecycle() as life:
        before = Snapshot(url=host.url, capabilities=host.capabilities, read_at=time.monotonic())
        fake.begin_request("a:1")
        await life.deactivate(host, "a:1")
        life.observe(before)
        now = time.monotonic()
        life.observe(Snapshot(url="http://other:1", capabilities=host.capabilities, read_at=now))
        failed = Unreachable("gone", host=host.url)
        life.observe(Snapshot(url=host.url, capabilities=host.capabilities, read_at=now, error=failed))
        assert kinds(life) == STOPPING
        life.observe(Snapshot(url=host.url, capabilities=host.capabilities, read_at=now))
        assert life.acts == ()


async def test_a_stop_waits_as_long_as_it_says_and_no_longer() -> None:
    async with fake_host(a_1="a") as (fake, host, _), lifecycle(patience_s=1.7) as life:
        fake.begin_request("a:1")
        began = time.monotonic()
        assert await life.deactivate(host, "a:1") is Departure.LEAVING
        # Its pauses, which grow, would end after 1.6 s and then after 2.6.
        assert 1.7 <= time.monotonic() - began < 2.5


@pytest.mark.parametrize("unreachable", [True, False])
async def test_a_load_that_fails_is_not_tried_again(unreachable: bool) -> None:
    async with fake_host(a_1="a") as (fake, host, server), lifecycle() as life:
        fake.down, fake.load_error = unreachable, "out of memory"
        with pytest.raises(Unreachable if unreachable else ServerError):
            await life.activate(host, "a:1")
        assert len(server.asked) == len(set(server.asked)) > 0


async def test_the_journal_is_told_who_asked_and_how_each_act_ended() -> None:
    told: list[tuple[object, ...]] = []

    class Listener:
        def began(self, act: Act) -> None:
            told.append((act.kind.value, act.asked_by.value, act.reason))

        def ended(self, act: Act, end: ActEnd, error: HostError | None = None) -> None:
            told.append((act.kind.value, end.value, str(error or "")))

    async with fake_host(a_1="a") as (fake, host, _):
        life = Lifecycle(patience_s=0.3, journal=Listener(), asked_by=Actor.CLI)
        await life.activate(host, "a:1", asked_by=Actor.GUARD, reason=(quoted("pinned"),))
        runner = fake.begin_request("a:1")
        await life.deactivate(host, "a:1", reason=(quoted("idle"),))
        fake.end_request(runner)
        life.observe(await look(host))
        fake.load("a:1")
        fake.begin_request("a:1")
        await life.deactivate(host, "a:1")
        await life.activate(host, "a:1")
        await life.aclose()
    assert told == [
        ("activate", "guard", (quoted("pinned"),)),
        ("activate", "loaded", ""),
        ("deactivate", "cli", (quoted("idle"),)),
        ("deactivate", "leaving", ""),
        ("deactivate", "gone", ""),
        ("deactivate", "cli", ()),
        ("deactivate", "leaving", ""),
        ("deactivate", "superseded", ""),
        ("activate", "cli", ()),
        ("activate", "loaded", ""),
    ]
