"""What the stack puts on record, in real state files that several of them share."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.paths import state_file
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.config.settings import Settings
from llmstack_tui.core.open import Core
from llmstack_tui.core.options import StackOptions
from llmstack_tui.hosts.errors import HostError, ServerError
from llmstack_tui.hosts.types import Model
from llmstack_tui.lifecycle import journal
from llmstack_tui.lifecycle.actions import Departure, because
from llmstack_tui.lifecycle.journal import Journal
from llmstack_tui.lifecycle.worker import Lifecycle
from llmstack_tui.ollama.client import OllamaHost
from llmstack_tui.store.store import Store
from llmstack_tui.store.tables.activations import Activation, Outcome
from tests.store.samples import change_file
from tests.support.asking import asking
from tests.support.fake_ollama import fake_ollama
from tests.support.stacks import following
from tests.support.waiting import settle, wait_for, wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from llmstack_tui.core.stack import Stack
    from llmstack_tui.store.tables.events import Event
    from tests.support.scripted_server import ScriptedServer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture(autouse=True)
def _little_courtesy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_GRACE_S", 0.7)


@asynccontextmanager
async def dashboard(server: ScriptedServer, path: Path) -> AsyncIterator[Stack]:
    async with following(
        [OllamaHost(server.url)], StackOptions(running_every_s=0.05, machine_every_s=60, state_file=path)
    ) as stack:
        await wait_until(lambda: stack.state.hosts[0].snapshot.reachable)
        # What is there before the record was compared with it is a difference, not news.
        await wait_until(lambda: not stack.monitors[server.url].listed.is_set())
        yield stack


def kinds(events: tuple[Event, ...]) -> list[str]:
    return [event.kind for event in reversed(events)]


async def history(path: Path, url: str, model: str) -> tuple[Activation, ...]:
    async with await Store.open(path) as store:
        return await store.activations.history(url, model)


async def test_every_version_that_is_installed_is_on_record(path: Path) -> None:
    async with fake_ollama(a_1="a") as (fake, server), dashboard(server, path) as stack:
        fake.installed["a:1"] = "c" * 64
        stack.refresh()
        async with asyncio.timeout(10):
            while len(versions := await stack.records.versions(server.url, "a:1")) < 2:
                await settle()
        assert [each.digest[0] for each in versions] == ["c", "a"]
        assert versions[0].first_seen_at >= versions[1].last_seen_at


async def test_every_act_is_an_event_and_an_activation_with_its_end(path: Path) -> None:
    async with fake_ollama(a_1="a") as (fake, server):
        async with dashboard(server, path) as stack:
            known = stack.state.last_event_id
            await stack.actions.activate(server.url, "a:1")
            await wait_until(lambda: stack.state.last_event_id > known)
            await stack.actions.deactivate(server.url, "a:1")
            fake.load_error = "out of memory"
            with pytest.raises(ServerError):
                await stack.actions.activate(server.url, "a:1")
            await stack.actions.delete(server.url, "a:1")
            events = await stack.records.events()
            assert kinds(events) == ["activate", "deactivate", "failed", "remove"]
            active, left, not_loaded, _ = reversed(events)
            assert (active.sentence.kind, active.sentence.params["model"]) == ("activate.loaded", "a:1")
            assert left.sentence.kind == "deactivate.gone"
            assert not_loaded.sentence.kind == "activate.failed"
            assert "out of memory" in f"{not_loaded.sentence.params} {not_loaded.details}"
            assert (not_loaded.details["act"], not_loaded.details["error"]) == ("activate", "title.server")
            assert events[-1].details["asked_by"] == "user"
            assert kinds(await stack.records.events(1, kinds=["deactivate"])) == ["deactivate"]
        failed, stopped = await history(path, server.url, "a:1")
        assert (failed.outcome, failed.loaded_at) == (Outcome.FAILED, None)
        assert "out of memory" in str(failed.end_reason)
        assert (stopped.asked_by, stopped.outcome, stopped.ended_by) == (
            Actor.USER,
            Outcome.STOPPED,
            Actor.USER,
        )
        assert stopped.digest == "a" * 64
        assert stopped.loaded_at is not None


async def test_a_load_that_is_given_up_and_one_that_fails_while_loaded(path: Path) -> None:
    async with fake_ollama(a_1="a") as (fake, server), dashboard(server, path) as stack:
        fake.may_load.clear()
        load = asyncio.create_task(stack.actions.activate(server.url, "a:1"))
        await wait_until(lambda: stack.state.acts)
        load.cancel()
        await asyncio.gather(load, return_exceptions=True)
        await wait_until(lambda: not stack.state.acts)
        fake.may_load.set()
        await stack.actions.activate(server.url, "a:1")
        fake.load_error = "no"
        with pytest.raises(ServerError):
            await stack.actions.activate(server.url, "a:1")
        store = await stack.session.store()
        loaded, given_up = await store.activations.history(server.url, "a:1")
        assert given_up.outcome is Outcome.CANCELLED
        assert loaded.outcome is None, "it is still loaded"
        assert (await stack.records.events())[-1].sentence.kind == "activate.cancelled_by_user"


async def test_a_cancelled_load_is_one_line_that_says_by_whom(path: Path) -> None:
    async with fake_ollama(a_1="a") as (fake, server), dashboard(server, path) as stack:
        host = stack.monitors[server.url].host
        for _ in range(2):
            fake.may_load.clear()
            load = asyncio.create_task(stack.actions.activate(server.url, "a:1"))
            await wait_until(lambda: stack.state.acts)
            if not await stack.records.events():
                load.cancel()
            else:
                await stack.lifecycle.deactivate(host, "a:1", asked_by=Actor.CLI, reason=because("update"))
            await asyncio.gather(load, return_exceptions=True)
            await wait_until(lambda: not stack.state.acts)
            fake.may_load.set()
        await stack.actions.activate(server.url, "a:1")
        events = tuple(reversed(await stack.records.events()))
        assert [(each.sentence.kind, each.details["asked_by"], each.reason) for each in events] == [
            ("activate.cancelled_by_user", "user", ()),
            ("activate.cancelled_by_cli", "cli", because("update")),
            ("activate.loaded", "user", ()),
        ]
        store = await stack.session.store()
        _, second, first = await store.activations.history(server.url, "a:1")
        assert (first.outcome, first.ended_by) == (Outcome.CANCELLED, Actor.USER)
        assert (second.outcome, second.ended_by) == (Outcome.CANCELLED, Actor.CLI)


async def test_a_cancelled_load_that_cannot_be_taken_back_is_said(path: Path) -> None:
    # A look that finds no model would end the stop: there is none while this goes on.
    options = StackOptions(running_every_s=60, machine_every_s=60, state_file=path)
    async with fake_ollama(a_1="a") as (fake, server), following([OllamaHost(server.url)], options) as stack:
        await wait_until(lambda: stack.state.hosts[0].snapshot.reachable)
        fake.may_load.clear()
        load = asyncio.create_task(stack.actions.activate(server.url, "a:1"))
        await wait_until(lambda: "/api/generate" in {path for path, _ in fake.asked})
        fake.installed.clear()
        load.cancel()
        await asyncio.gather(load, return_exceptions=True)

        async def said() -> list[str]:
            kinds = [each.sentence.kind for each in await stack.records.events()]
            return kinds if len(kinds) > 1 else []

        assert await wait_for(said) == ["deactivate.failed", "activate.cancelled_by_user"]


async def test_what_other_clients_do_is_seen(path: Path) -> None:
    async with fake_ollama(a_1="a") as (fake, server), dashboard(server, path) as stack:
        for _ in range(2):
            fake.load("a:1")
            await wait_until(lambda: stack.state.hosts[0].snapshot.running)
            fake.runners.clear()
            await wait_until(lambda: not stack.state.hosts[0].snapshot.running)
        await wait_until(lambda: not stack.journal.held)
        assert kinds(await stack.records.events()) == ["loaded", "left"] * 2
        store = await stack.session.store()
        first = (await store.activations.history(server.url, "a:1"))[-1]
        assert (first.asked_by, first.outcome) == (Actor.CLIENT, Outcome.LEFT)
        (measured, _) = await store.measured.history(server.url, "a" * 64)
        assert (measured.server_bytes, measured.server_gpu_bytes, measured.device_bytes) == (9, 0, {})


async def test_what_another_client_loaded_and_we_stop_at_once_is_told_in_that_order(path: Path) -> None:
    async with fake_ollama(a_1="a") as (fake, server):
        async with dashboard(server, path) as stack:
            for _ in range(2):
                fake.load("a:1")
                await wait_until(lambda: stack.state.hosts[0].snapshot.running)
                await stack.actions.deactivate(server.url, "a:1")
            await wait_until(lambda: not stack.state.hosts[0].snapshot.running)
            assert kinds(await stack.records.events()) == ["loaded", "deactivate"] * 2
        loads = await history(path, server.url, "a:1")
    assert [(each.asked_by, each.outcome) for each in loads] == [(Actor.CLIENT, Outcome.STOPPED)] * 2


async def test_what_a_model_took_in_the_end_counts_where_it_is_more(path: Path) -> None:
    async with fake_ollama(a_1="a") as (fake, server), dashboard(server, path) as stack:
        for grown in (1_002, 1_100):
            (runner := fake.load("a:1")).size = 1_000
            await wait_until(lambda: _sizes(stack) == [1_000])
            runner.size = grown
            await wait_until(lambda: _sizes(stack) == [grown])  # noqa: B023
            fake.runners.clear()
            await wait_until(lambda: not stack.state.hosts[0].snapshot.running)
        store = await stack.session.store()
        measured = await store.measured.history(server.url, "a" * 64)
        assert [each.server_bytes for each in measured] == [1_100, 1_000, 1_000]


def _sizes(stack: Stack) -> list[int | None]:
    return [each.size for each in stack.state.hosts[0].snapshot.running]


async def test_a_server_that_goes_and_comes_back_is_two_events(path: Path) -> None:
    async with fake_ollama(a_1="a") as (fake, server), dashboard(server, path) as stack:
        fake.down = True
        await wait_until(lambda: stack.state.hosts[0].snapshot.error)
        fake.down = False
        stack.refresh()
        await wait_until(lambda: stack.state.hosts[0].snapshot.reachable)
        await wait_until(lambda: not stack.journal.held)
        gone, back = (await stack.records.events())[::-1]
        assert (gone.kind, back.kind) == ("server", "server")
        assert back.sentence.kind == "server.answers"


async def test_an_answer_of_ours_is_timed_and_its_load_is_ours(path: Path) -> None:
    async with fake_ollama(a_1="a") as (_, server), dashboard(server, path) as stack:
        async with aclosing(stack.providers.chat(server.url, asking("a:1"))) as chunks:
            await anext(chunks)
        store = await stack.session.store()
        (activation,) = await store.activations.history(server.url, "a:1")
        assert (activation.asked_by, activation.reason) == (Actor.USER, because("chat"))
        (event,) = await stack.records.events()
        assert (event.sentence.kind, event.reason) == ("activate.loaded", because("chat"))


async def test_the_next_session_begins_with_what_the_last_one_saw(path: Path) -> None:
    async with fake_ollama(a_1="a", b_1="b") as (fake, server):
        async with dashboard(server, path) as stack:
            await stack.actions.activate(server.url, "a:1")
            store = await stack.session.store()
            await wait_for(lambda: store.installed.load(server.url, Model))
        fake.runners.clear()
        fake.load("b:1")
        fake.down = True
        async with following(
            [OllamaHost(server.url)], StackOptions(running_every_s=0.05, state_file=path)
        ) as stack:
            await wait_until(lambda: stack.state.hosts[0].models)
            (host,) = stack.state.hosts
            assert [model.name for model in host.models] == ["a:1", "b:1"]
            assert host.snapshot.recalled_at is not None
            assert datetime.now(UTC) - host.snapshot.recalled_at < timedelta(minutes=1)
            assert not host.snapshot.reachable
            store = await stack.session.store()
            await store.flush()
            # As if it had been an hour ago: what another program did just now is left alone.
            change_file(path, "UPDATE activations SET loaded_at = 0, started_at = 0, keep_alive = NULL")
            fake.down = False
            stack.refresh()
            await wait_until(lambda: stack.state.hosts[0].snapshot.reachable)
            assert stack.state.hosts[0].snapshot.recalled_at is None
            await wait_until(lambda: stack.state.last_event_id > 1)
            difference = (await stack.records.events(kinds=["difference"]))[0]
            assert difference.sentence == Sentence("missed.both", {"unloaded": ("a:1",), "loaded": ("b:1",)})


async def test_what_left_by_its_keep_alive_is_nothing_that_was_missed(path: Path) -> None:
    async with fake_ollama(a_1="a", b_1="b") as (fake, server):
        async with dashboard(server, path) as stack:
            await stack.actions.activate(server.url, "a:1", keep_alive=timedelta(minutes=10))
            await stack.actions.activate(server.url, "b:1", keep_alive=timedelta(days=99_999))
            store = await stack.session.store()
            await wait_for(lambda: store.installed.load(server.url, Model))
            await store.flush()
            change_file(path, "UPDATE activations SET loaded_at = 0, started_at = 0")
        fake.runners.clear()
        async with dashboard(server, path) as stack:
            differences = await wait_for(lambda: stack.records.events(kinds=["difference"]))
            (missed,) = (each.sentence for each in differences)
            assert missed == Sentence("missed.unloaded", {"unloaded": ("b:1",)})
            (ended,) = await stack.records.activations(server.url, "a:1")
            assert ended.ended_at is not None


async def test_what_a_likely_server_listed_last_is_known_before_it_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    async with fake_ollama(a_1="a", b_1="b") as (fake, server):
        core = Core(Settings(), {"OLLAMA_HOST": server.url})
        assert await core.remembered() is None
        async with dashboard(server, state_file()) as stack:
            await wait_for(lambda: stack.records.installed(server.url))
        fake.down = True
        remembered = await core.remembered()
        assert remembered is not None
        assert remembered.is_known
        (host,) = remembered.hosts
        assert [(each.name, each.host) for each in host.models] == [("a:1", server.url), ("b:1", server.url)]
        assert host.snapshot.is_old
        assert not host.snapshot.reachable
        assert await Core(Settings(), {"OLLAMA_HOST": "elsewhere"}).remembered() is None
        assert await Core(Settings(), {"OLLAMA_HOST": "no:address:here"}).remembered() is None


async def test_two_dashboards_and_a_command_line_over_one_file_lose_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every act of each is on record once, and nobody takes it for another client's."""
    monkeypatch.setattr(journal, "_GRACE_S", 4.0)  # All that writes here shares one busy event loop.
    acts = 15
    async with AsyncExitStack() as opened:
        _, server = await opened.enter_async_context(fake_ollama(a_1="a", b_1="b", c_1="c", d_1="d"))
        one = await opened.enter_async_context(dashboard(server, path))
        two = await opened.enter_async_context(dashboard(server, path))
        store = await opened.enter_async_context(await Store.open(path))
        host = OllamaHost(server.url)
        opened.push_async_callback(host.aclose)
        life = Lifecycle(journal=Journal(lambda write: write(store)), asked_by=Actor.CLI)
        opened.push_async_callback(life.aclose)

        async def dashboard_acts(stack: Stack, model: str) -> None:
            for _ in range(acts):
                await stack.actions.activate(server.url, model)
                assert await stack.actions.deactivate(server.url, model) is Departure.GONE

        async def command_acts(model: str) -> None:
            for _ in range(acts):
                await life.activate(host, model)
                assert await life.deactivate(host, model) is Departure.GONE

        await asyncio.gather(dashboard_acts(one, "a:1"), dashboard_acts(two, "b:1"), command_acts("c:1"))
        await wait_until(lambda: not one.journal.held and not two.journal.held)
        await store.flush()
        events = await one.records.events(1000)
        assert kinds(events).count("activate") == 3 * acts
        assert kinds(events).count("deactivate") == 3 * acts
        assert [event for event in events if event.kind in ("loaded", "left")] == []
        actors = {event.model: event.details["asked_by"] for event in events}
        assert actors == {"a:1": "user", "b:1": "user", "c:1": "cli"}
        for model in actors:
            record = await store.activations.history(server.url, model or "", 1000)
            assert [each.outcome for each in record] == [Outcome.STOPPED] * acts
        assert await two.records.events(1000) == events


async def test_two_dashboards_say_once_what_both_saw(path: Path) -> None:
    async with (
        fake_ollama(a_1="a") as (fake, server),
        dashboard(server, path) as one,
        dashboard(server, path) as two,
    ):
        fake.load("a:1")
        await wait_until(lambda: all(each.state.hosts[0].snapshot.running for each in (one, two)))
        await wait_until(lambda: not one.journal.held and not two.journal.held)
        assert kinds(await one.records.events()) == ["loaded"]
        assert kinds(await two.records.events()) == ["loaded"]


async def test_acts_against_each_other_end_in_what_is_so(path: Path) -> None:
    """Two dashboards start and stop one model at random; in the end both show the same, and it is true."""
    choose = random.Random(4)
    async with AsyncExitStack() as opened:
        fake, server = await opened.enter_async_context(fake_ollama(a_1="a"))
        stacks = [await opened.enter_async_context(dashboard(server, path)) for _ in range(2)]

        async def act(stack: Stack) -> None:
            for _ in range(10):
                wanted = choose.choice((stack.actions.activate, stack.actions.deactivate))
                try:
                    await wanted(server.url, "a:1")
                except HostError:
                    continue

        await asyncio.gather(*map(act, stacks))
        await wait_until(lambda: not any(stack.state.acts for stack in stacks))
        for stack in stacks:
            await stack.settle(stack.monitors[server.url].host)
            models = [model.name for model in stack.state.hosts[0].snapshot.running]
            assert models == fake.loaded
