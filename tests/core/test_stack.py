"""The headless core over servers that behave as Ollama does."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.kinds import Capability
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.core.options import StackOptions
from llmstack_tui.core.stack import Stack
from llmstack_tui.core.wording import text
from llmstack_tui.hosts.errors import BadStream, NotFound, Refused, ServerError, Unreachable
from llmstack_tui.lifecycle.actions import ActKind, Departure
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.ollama.client import OllamaHost
from tests.support.asking import asking
from tests.support.fake_ollama import fake_ollama
from tests.support.scripted_server import Reply, document, serving
from tests.support.stacks import following
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from llmstack_tui.core.state import StackState
    from llmstack_tui.lifecycle.states import ModelStatus
    from tests.support.fake_ollama import FakeOllama
    from tests.support.scripted_server import Request


@asynccontextmanager
async def stack_of(
    stop_patience_s: float = 10.0, **models: str
) -> AsyncIterator[tuple[FakeOllama, Stack, str]]:
    """A stack over one server, after its first look at it."""
    async with fake_ollama(**models) as (fake, server):
        options = StackOptions(running_every_s=0.02, machine_every_s=0.02, stop_patience_s=stop_patience_s)
        async with following([OllamaHost(server.url)], options) as stack:
            await wait_until(lambda: stack.state.hosts[0].snapshot.reachable)
            yield fake, stack, server.url
        await wait_until(lambda: server.open == 0, what="all connections closed")


def states(stack: Stack) -> dict[str, ModelState]:
    return {status.name: status.state for status in stack.state.hosts[0].models}


def first(stack: Stack) -> ModelStatus:
    return stack.state.hosts[0].models[0]


async def collect(stack: Stack, seen: list[StackState]) -> None:
    async for state in stack.watch():
        seen.append(state)  # noqa: PERF401 (what came before it was stopped is wanted)


async def test_an_activation_from_inactive_over_loading_to_active_without_a_step_back() -> None:
    seen: list[StackState] = []
    async with stack_of(a_1="a") as (fake, stack, url):
        watching = asyncio.create_task(collect(stack, seen))
        fake.may_load.clear()
        task = asyncio.create_task(stack.actions.activate(url, "a:1"))
        await wait_until(lambda: states(stack) == {"a:1": ModelState.LOADING})
        assert [act.kind for act in stack.state.acts] == [ActKind.ACTIVATE]
        fake.may_load.set()
        await task
        assert states(stack) == {"a:1": ModelState.ACTIVE}, "the state is true when the call returns"
        assert stack.state.acts == ()
    await watching
    order = [state.hosts[0].models[0].state for state in seen]
    changes = [state for index, state in enumerate(order) if index == 0 or state is not order[index - 1]]
    assert changes == [ModelState.INACTIVE, ModelState.LOADING, ModelState.ACTIVE]


async def test_a_stop_of_a_busy_model_shows_until_it_leaves() -> None:
    async with stack_of(stop_patience_s=0.1, a_1="a") as (fake, stack, url):
        runner = fake.begin_request("a:1")
        await wait_until(lambda: states(stack) == {"a:1": ModelState.ACTIVE})
        assert await stack.actions.deactivate(url, "a:1") is Departure.LEAVING
        assert states(stack) == {"a:1": ModelState.STOPPING}
        fake.end_request(runner)
        await wait_until(lambda: states(stack) == {"a:1": ModelState.INACTIVE})
        assert stack.state.acts == ()


async def test_a_stop_of_an_idle_model_is_true_when_it_returns() -> None:
    async with stack_of(a_1="a") as (fake, stack, url):
        fake.load("a:1")
        assert await stack.actions.deactivate(url, "a:1") is Departure.GONE
        assert states(stack) == {"a:1": ModelState.INACTIVE}


async def test_a_model_that_is_active_is_stopped_before_it_is_removed() -> None:
    async with stack_of(a_1="a", b_1="b") as (fake, stack, url):
        fake.load("a:1")
        await wait_until(lambda: states(stack)["a:1"] is ModelState.ACTIVE)
        await stack.actions.delete(url, "a:1")
        assert fake.loaded == []
        assert states(stack) == {"b:1": ModelState.INACTIVE}
        with pytest.raises(NotFound):
            await stack.actions.delete(url, "a:1")


async def test_a_model_that_is_busy_is_not_removed() -> None:
    async with stack_of(stop_patience_s=0.1, a_1="a") as (fake, stack, url):
        fake.begin_request("a:1")
        await wait_until(lambda: states(stack)["a:1"] is ModelState.ACTIVE)
        with pytest.raises(Refused, match=r"remove\.answers"):
            await stack.actions.delete(url, "a:1")
        assert "a:1" in fake.installed


async def test_a_removal_whose_stop_fails_is_one_event_that_says_both() -> None:
    async with fake_ollama(a_1="a") as (fake, server):

        async def stuck(request: Request) -> Reply:
            if request.path == "/api/generate":
                return document({"error": "stuck"}, 500)
            return await fake(request)

        server.handle = stuck
        fake.load("a:1")
        async with following([OllamaHost(server.url)], StackOptions(running_every_s=0.02)) as stack:
            await wait_until(lambda: stack.state.hosts[0].snapshot.reachable)
            with pytest.raises(ServerError, match="not_stopped"):
                await stack.actions.delete(server.url, "a:1")
            texts = [
                text(event.sentence)
                for event in await stack.records.events(kinds={"failed", "deactivate", "remove"})
            ]
        assert "a:1" in fake.installed
        assert texts == [f"a:1 was not removed: It could not be unloaded first. {server.url} failed: stuck."]


@pytest.mark.parametrize("call", ["delete", "copy"])
async def test_what_a_web_page_answers_is_not_recorded_as_done(call: str) -> None:
    async with fake_ollama(a_1="a") as (fake, server):

        async def wrong(request: Request) -> Reply:
            if request.path == f"/api/{call}":
                return Reply((b"<html>It works!</html>",), content_type="text/html")
            return await fake(request)

        server.handle = wrong
        async with following([OllamaHost(server.url)], StackOptions(running_every_s=0.02)) as stack:
            await wait_until(lambda: stack.state.hosts[0].snapshot.reachable)
            act = (
                stack.actions.delete(server.url, "a:1")
                if call == "delete"
                else stack.actions.copy(server.url, "a:1", "b")
            )
            with pytest.raises(BadStream, match="web_page"):
                await act
            (event,) = await stack.records.events()
            assert event.kind == "failed"
            assert "it is a web page" in text(event.sentence)
            assert list(states(stack)) == ["a:1"]


async def test_removing_one_of_two_names_stops_nothing() -> None:
    async with stack_of(a_1="a", b_1="a") as (fake, stack, url):
        fake.load("a:1")
        await wait_until(lambda: states(stack)["a:1"] is ModelState.ACTIVE)
        await stack.actions.delete(url, "b:1")
        assert fake.loaded == ["a:1"]


async def test_an_import_shows_when_it_is_done(tmp_path: Path) -> None:
    file = tmp_path / "m.gguf"
    file.write_bytes(b"GGUFxyz")
    async with stack_of() as (fake, stack, url):
        steps = [step async for step in stack.actions.import_gguf(url, file, "new:1")]
        assert steps[-1].status == "success"
        assert states(stack) == {"new:1": ModelState.INACTIVE}
        assert list(fake.installed) == ["new:1"]


async def test_a_chat_is_passed_on() -> None:
    async with stack_of(a_1="a") as (_, stack, url):
        async with aclosing(stack.providers.chat(url, asking("a:1"))) as chunks:
            assert "".join([chunk.text async for chunk in chunks]) == "Hello"
        assert (await stack.actions.details(url, "a:1")).capabilities == frozenset({"completion"})


async def test_read_only_changes_nothing(tmp_path: Path) -> None:
    async with fake_ollama(a_1="a") as (fake, server):
        url = server.url
        async with following([OllamaHost(url)], StackOptions(read_only=True)) as stack:
            for act in (stack.actions.activate, stack.actions.deactivate, stack.actions.delete):
                with pytest.raises(Refused, match="read_only"):
                    await act(url, "a:1")
            with pytest.raises(Refused, match="read_only"):
                async for _ in stack.actions.import_gguf(url, tmp_path, "m"):
                    pass
            assert (await stack.actions.details(url, "a:1")).name == "a:1"
            assert stack.read_only
        assert fake.installed == {"a:1": "a" * 64}
        assert not any(asked.startswith("DELETE") for asked in server.asked)


async def test_a_host_that_is_only_looked_at_is_not_changed_and_the_others_are(tmp_path: Path) -> None:
    async with fake_ollama(a_1="a") as (fake, server), fake_ollama(b_1="b") as (_, own):
        hosts = [OllamaHost(server.url), OllamaHost(own.url)]
        async with following(hosts, StackOptions(look_only=[server.url])) as stack:
            for act in (stack.actions.activate, stack.actions.deactivate, stack.actions.delete):
                with pytest.raises(Refused, match="only_looked_at"):
                    await act(server.url, "a:1")
            with pytest.raises(Refused, match="only_looked_at"):
                async for _ in stack.actions.import_gguf(server.url, tmp_path, "m"):
                    pass
            assert (await stack.actions.details(server.url, "a:1")).name == "a:1"
            await stack.actions.activate(own.url, "b:1")
        assert fake.installed == {"a:1": "a" * 64}
        assert not any(asked.startswith(("DELETE", "POST /api/generate")) for asked in server.asked)


async def test_what_cannot_be_done_is_refused() -> None:
    async with stack_of(a_1="a", big_cloud="c") as (fake, stack, url):
        fake.cloud.add("big:cloud")
        stack.refresh()
        await wait_until(lambda: states(stack)["big:cloud"] is ModelState.CLOUD)
        with pytest.raises(Refused, match="in_cloud"):
            await stack.actions.activate(url, "big:cloud")
        with pytest.raises(Refused, match="no_host"):
            await stack.actions.activate("http://other:1", "a:1")


class Lacking(OllamaHost):
    """A server that lists its models, and can do nothing else."""

    @property
    def capabilities(self) -> Capability:
        return Capability.LIST


async def test_an_act_that_the_host_has_no_way_to_do_is_refused() -> None:
    async with fake_ollama(a_1="a") as (_, server), following([Lacking(server.url)]) as stack:
        with pytest.raises(Refused, match="cannot_unload"):
            await stack.actions.deactivate(server.url, "a:1")


async def test_a_host_that_is_down_hides_no_other() -> None:
    async with AsyncExitStack() as opened:
        one, server = await opened.enter_async_context(fake_ollama(a_1="a"))
        two, other = await opened.enter_async_context(fake_ollama(b_1="b"))
        two.down = True
        stack = await opened.enter_async_context(
            following([OllamaHost(server.url), OllamaHost(other.url)], StackOptions(running_every_s=0.02))
        )
        await wait_until(lambda: stack.state.hosts[0].models and stack.state.hosts[1].snapshot.error)
        up, down = stack.state.hosts
        assert [status.host for status in up.models] == [server.url]
        assert isinstance(down.snapshot.error, Unreachable)
        assert down.snapshot.url == other.url
        with pytest.raises(Unreachable):
            await stack.actions.activate(other.url, "b:1")
        assert one.loaded == []


async def test_watching_begins_with_now_and_a_slow_reader_gets_the_newest() -> None:
    async with stack_of(a_1="a") as (fake, stack, url), aclosing(stack.watch()) as states_:
        assert await anext(states_) is stack.state
        fake.load("a:1")
        await wait_until(lambda: states(stack)["a:1"] is ModelState.ACTIVE)
        await stack.actions.deactivate(url, "a:1")
        assert await anext(states_) is stack.state


async def test_two_may_watch_and_both_end_with_the_stack() -> None:
    seen: tuple[list[StackState], list[StackState]] = ([], [])
    async with stack_of(a_1="a") as (_, stack, url):
        watchers = [asyncio.create_task(collect(stack, each)) for each in seen]
        await stack.actions.activate(url, "a:1")
        await wait_until(lambda: all(each and each[-1].hosts[0].models[0].running for each in seen))
    await asyncio.gather(*watchers)


async def test_the_machine_is_read_again_and_again_and_leaves_the_models_alone() -> None:
    async with stack_of(a_1="a") as (_, stack, _):
        await wait_until(lambda: stack.state.machine)
        first = stack.state
        assert first.machine is not None
        assert first.machine.ram.total
        assert first.profile is not None
        async with asyncio.timeout(10), aclosing(stack.watch()) as states_:
            before = await anext(states_)
            # A look at the host may come in between: what counts is a reading that came alone.
            async for after in states_:
                if after.machine is not before.machine and after.hosts is before.hosts:
                    break
                before = after
        assert after.profile is first.profile, "worked out once"


async def test_a_profile_that_is_chosen_and_one_that_is_none() -> None:
    async with following([], StackOptions(profile="nvidia_8gb")) as stack:
        await wait_until(lambda: stack.state.profile)
        assert stack.state.profile is not None
        assert (stack.state.profile.name, stack.state.notices) == ("nvidia_8gb", ())
    async with following([], StackOptions(profile="toaster")) as stack:
        await wait_until(lambda: stack.state.profile)
        assert stack.state.profile is not None
        assert stack.state.profile.name != "toaster"
        assert stack.state.notices == (Sentence("profile.unknown", {"name": "toaster"}),)


async def test_nothing_new_is_not_told() -> None:
    async with fake_ollama(a_1="a") as (_, server):
        host = OllamaHost(server.url)
        async with following([host], StackOptions(running_every_s=0.01, machine_every_s=60)) as stack:
            await wait_until(lambda: stack.state.machine and stack.state.hosts[0].snapshot.reachable)
            # What comes late, once: what the store knows, and what was seen at the start.
            for _ in range(100):
                before, asked = stack.state, len(server.requests)
                await wait_until(lambda: len(server.requests) > asked + 20)  # noqa: B023
                if stack.state is before:
                    break
            else:
                pytest.fail("every look told something new")


async def test_looking_away_and_back() -> None:
    async with (
        fake_ollama(a_1="a") as (fake, server),
        following([OllamaHost(server.url)], StackOptions(running_every_s=60)) as stack,
    ):
        await wait_until(lambda: stack.state.hosts[0].snapshot.reachable)
        stack.set_visible(False)
        fake.load("a:1")
        stack.set_visible(True)
        await wait_until(lambda: states(stack)["a:1"] is ModelState.ACTIVE)


async def test_nothing_is_left_when_it_closes_in_the_middle_of_everything() -> None:
    async with fake_ollama(a_1="a") as (fake, server):
        fake.may_load.clear()
        async with following([OllamaHost(server.url)]) as stack:
            load = asyncio.create_task(stack.actions.activate(server.url, "a:1"))
            await wait_until(lambda: "POST /api/generate" in server.asked)
            load.cancel()
            await asyncio.gather(load, return_exceptions=True)
        await wait_until(lambda: server.open == 0)
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


@pytest.mark.parametrize("watching", [True, False])
async def test_a_defect_does_not_pass_in_silence(watching: bool) -> None:
    async with fake_ollama(a_1="a") as (_, server):
        host = OllamaHost(server.url)

        async def broken() -> object:
            raise KeyError("a defect")

        host.version = broken  # type: ignore[method-assign, assignment]
        with pytest.raises(KeyError, match="a defect"):
            async with following([host]) as stack:
                await (collect(stack, []) if watching else wait_until(lambda: stack.defect is not None))


def test_the_core_needs_no_terminal_library() -> None:
    code = (
        "import sys, llmstack_tui.core.stack, llmstack_tui.core.servers, llmstack_tui.ollama.client;"
        "print([name for name in ('textual', 'psutil', 'aiohttp', 'starlette') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


async def test_what_the_screen_remembers(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with following([], StackOptions(state_file=path)) as stack:
        stack.records.remember("sort", {"column": "size"})
        assert await stack.records.recall("sort", {}, dict[str, str]) == {"column": "size"}
        assert await stack.records.events() == ()
    async with following([], StackOptions(state_file=path)) as stack:
        assert await stack.records.recall("sort", {}, dict[str, str]) == {"column": "size"}
        assert await stack.records.recall("theme", "dark", str) == "dark"
        assert stack.state.notices == ()


async def test_a_damaged_state_is_a_notice_and_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"no database at all" * 1000)
    async with following([], StackOptions(state_file=path)) as stack:
        assert await stack.records.recall("sort", "name", str) == "name"
        assert stack.state.notices[0].kind == "store.set_aside"


async def test_busy_and_idle_are_seen_without_any_change_of_the_list() -> None:
    async with stack_of(a_1="a") as (fake, stack, _):
        runner = fake.load("a:1", timedelta(minutes=5))
        await wait_until(lambda: states(stack)["a:1"] is ModelState.ACTIVE)
        model = first(stack)
        assert not model.busy
        assert model.idle_since_s is not None
        assert not model.idle_at_least, "we saw it come"
        runner.requests, runner.expires_at = 1, fake.now()
        await wait_until(lambda: first(stack).busy)
        assert first(stack).idle_since_s is None
        before = time.monotonic()
        fake.end_request(runner)
        await wait_until(lambda: not first(stack).busy)
        since = first(stack).idle_since_s
        assert since is not None
        assert since >= before


async def test_a_model_that_answers_us_is_busy_from_the_first_moment() -> None:
    async with stack_of(a_1="a") as (fake, stack, url):
        fake.load("a:1")
        await wait_until(lambda: states(stack)["a:1"] is ModelState.ACTIVE)
        async with aclosing(stack.providers.chat(url, asking("a:1"))) as chunks:
            await anext(chunks)
            assert first(stack).busy
        assert not first(stack).busy


async def test_a_host_that_hangs_costs_the_others_nothing() -> None:
    async with AsyncExitStack() as opened:
        fake, server = await opened.enter_async_context(fake_ollama(a_1="a"))
        hanging = asyncio.Event()

        async def hang(_: Request) -> Reply:
            await hanging.wait()
            return Reply(raw=b"")

        other = await opened.enter_async_context(serving(hang))
        opened.callback(hanging.set)
        stack = await opened.enter_async_context(
            following([OllamaHost(other.url), OllamaHost(server.url)], StackOptions(running_every_s=0.02))
        )
        await wait_until(lambda: stack.state.hosts[1].snapshot.reachable, 2)
        stuck = asyncio.create_task(stack.actions.activate(other.url, "a:1"))
        began = time.monotonic()
        await stack.actions.activate(server.url, "a:1")
        fake.begin_request("a:1")
        await wait_until(lambda: stack.state.hosts[1].models[0].running)
        await stack.actions.details(server.url, "a:1")
        assert time.monotonic() - began < 2
        first, second = (host.snapshot for host in stack.state.hosts)
        assert (first.read_at, first.latency_s) == (None, None)
        assert second.latency_s is not None
        stuck.cancel()
        await asyncio.gather(stuck, return_exceptions=True)


@pytest.mark.parametrize(("count", "pause_s"), [(1, 2.0), (3, 2.0), (9, 6.0)])
async def test_many_hosts_share_the_pace_of_a_few(count: int, pause_s: float) -> None:
    hosts = [OllamaHost(f"http://127.0.0.1:{port}") for port in range(1, count + 1)]
    async with Stack(hosts, StackOptions(running_every_s=2.0)) as stack:
        assert {each.poller.pause_s for each in stack.monitors.values()} == {pause_s}
