"""The guard over servers that would cut a request: its limits hold, and none is cut that is seen to run."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.config.settings import GuardSettings
from llmstack_tui.core.auto_host import AutoHost
from llmstack_tui.guard.types import Ask, LimitChoice
from llmstack_tui.hosts.errors import Refused
from tests.guard.test_service import ONE, options
from tests.support.fake_servers import FakeLlamaServer, FakeRouter, FakeServer, FakeStudio, FakeSwap
from tests.support.scripted_server import serving
from tests.support.stacks import following
from tests.support.waiting import stays, wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from llmstack_tui.core.stack import Stack

IDLE = GuardSettings(idle_stop=timedelta(milliseconds=100), others=True)


async def make_room(_: Ask) -> LimitChoice:
    return LimitChoice.MAKE_ROOM


@asynccontextmanager
async def guarded(fake: FakeServer, settings: GuardSettings = ONE) -> AsyncIterator[tuple[Stack, str]]:
    async with serving(fake) as server, following([AutoHost(server.url)], options(settings)) as stack:
        await wait_until(lambda: server.url in stack.state.guards and stack.state.profile is not None)
        yield stack, server.url


@pytest.mark.parametrize("program", [FakeSwap, FakeStudio, FakeRouter])
async def test_of_two_loaded_models_one_leaves(program: type[FakeServer]) -> None:
    fake = program()
    async with guarded(fake):
        fake.load("a")
        fake.load("b")
        await wait_until(lambda: len(fake.loaded) == 1)
        await stays(lambda: len(fake.loaded) == 1, 0.3)


@pytest.mark.parametrize("program", [FakeSwap, FakeStudio, FakeRouter])
async def test_a_load_makes_room(program: type[FakeServer]) -> None:
    fake = program(loaded=["a"])
    async with guarded(fake) as (stack, url):
        await wait_until(lambda: any(each.idle_s for each in stack.guard.situation(url).loaded))
        await stack.actions.activate(url, "b", confirm=make_room)
        assert (fake.loaded, fake.unloaded) == (["b"], ["a"])


@pytest.mark.parametrize("program", [FakeSwap, FakeRouter])
async def test_no_request_is_cut(program: type[FakeServer]) -> None:
    fake = program(busy={"a", "b"})
    async with guarded(fake):
        fake.load("a")
        fake.load("b")
        await stays(lambda: not fake.unloaded, 0.5)


async def test_a_model_that_is_seen_to_be_idle_leaves_after_its_time() -> None:
    fake = FakeRouter(loaded=["a"])
    async with guarded(fake, IDLE):
        await wait_until(lambda: fake.unloaded == ["a"])


@pytest.mark.parametrize("program", [FakeSwap, FakeStudio])
async def test_a_model_that_cannot_be_seen_at_work_is_not_taken_for_idle(program: type[FakeServer]) -> None:
    fake = program(loaded=["a"])
    async with guarded(fake, IDLE):
        await stays(lambda: not fake.unloaded, 0.5)


async def test_where_nothing_can_be_unloaded_the_guard_is_off_and_says_why() -> None:
    fake = FakeLlamaServer(("a",))
    async with guarded(fake) as (stack, url):
        await wait_until(lambda: bool(stack.state.guards[url].off))
        assert [each.kind for each in stack.state.guards[url].off] == ["guard.cannot_unload"]
        with pytest.raises(Refused) as refused:
            await stack.actions.deactivate(url, "a")
        assert refused.value.kind == "host.cannot_unload"
        assert refused.value.params["server"] == "llama-server"
