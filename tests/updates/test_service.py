"""What a stack knows of newer versions: when it asks, and what stands in its state."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import Capability
from llmstack_tui.base.structs import replace
from llmstack_tui.core.options import StackOptions
from llmstack_tui.hosts.types import Snapshot
from llmstack_tui.ollama.client import OllamaHost
from llmstack_tui.store.session import StoreSession
from llmstack_tui.updates.rules import UpdateState
from llmstack_tui.updates.service import UpdateService
from tests.support.fake_ollama import fake_host
from tests.support.registry.faults import Fault
from tests.support.registry.server import serving
from tests.support.stacks import following
from tests.support.waiting import settle, wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from llmstack_tui.core.stack import Stack
    from tests.support.fake_ollama import FakeOllama
    from tests.support.registry.server import Registry as Server

EVERY = timedelta(hours=6)


@asynccontextmanager
async def watching(
    server: Server, *names: str, every: timedelta | None = EVERY, state_file: Path | None = None
) -> AsyncIterator[tuple[Stack, FakeOllama]]:
    """A stack over an Ollama that has the present version of these models."""
    async with fake_host() as (fake, host, _):
        for name in names:
            fake.installed[server.listed(name)] = server.publish(name, name.encode()).digest
        async with following(
            [host],
            StackOptions(
                read_only=True,
                running_every_s=0.05,
                installed_every_s=0.1,
                machine_every_s=60,
                state_file=state_file,
                check_every=every,
            ),
        ) as stack:
            yield stack, fake


def states(stack: Stack) -> list[UpdateState]:
    (host,) = stack.state.hosts
    return [update.state for update in host.updates.values()]


async def test_it_asks_once_at_the_start_after_the_first_list() -> None:
    with serving() as server:
        async with watching(server, "one", "two") as (stack, _):
            assert server.asked == []
            await wait_until(lambda: states(stack) == [UpdateState.CURRENT] * 2)
            await wait_until(lambda: not stack.state.checking)
        assert len(server.asked) == 2


async def test_it_asks_again_and_again() -> None:
    with serving() as server:
        async with watching(server, "one", every=timedelta(seconds=0.05)) as (stack, _):
            await wait_until(lambda: len(server.asked) > 5)
            server.publish("one", b"new", pushed_at_s=2**31)
            await wait_until(lambda: states(stack) == [UpdateState.STALE])


async def test_switched_off_it_asks_only_when_somebody_does() -> None:
    with serving() as server:
        async with watching(server, "one", every=None) as (stack, _):
            await wait_until(lambda: states(stack) == [UpdateState.UNKNOWN])
            await stack.updates.check()
            assert states(stack) == [UpdateState.CURRENT]
            assert len(server.asked) == 1
            await stack.updates.check(["no-such-model"])
            assert len(server.asked) == 1


async def test_a_model_that_comes_later_is_asked_for_by_itself() -> None:
    with serving() as server:
        async with watching(server, "one") as (stack, fake):
            await wait_until(lambda: states(stack) == [UpdateState.CURRENT])
            fake.installed[server.listed("two")] = server.publish("two", b"two").digest
            await wait_until(lambda: states(stack) == [UpdateState.CURRENT] * 2)
        assert len(server.requests("/one/")) == 1


async def test_it_begins_when_the_last_of_several_hosts_has_answered() -> None:
    urls, session = ("http://one:1", "http://two:2"), StoreSession(None, on_notice=lambda _: None)
    service = UpdateService(
        {url: OllamaHost(url) for url in urls},
        session,
        every=None,
        folders=tuple,
        on_change=lambda: None,
    )
    unread = [Snapshot(url=url, capabilities=Capability.LIST) for url in urls]
    for each in unread:
        service.on_snapshot(each)
    running = asyncio.create_task(service.run())
    for each in unread:
        await settle(1)
        assert service.updates == {}
        service.on_snapshot(replace(each, read_at=1.0))
    await wait_until(lambda: service.updates.keys() == {*urls})
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await session.aclose()


async def test_it_begins_with_what_was_learnt_before(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with serving() as server:
        async with watching(server, "one", state_file=path) as (stack, _):
            await wait_until(lambda: states(stack) == [UpdateState.CURRENT])
            (before,) = stack.state.hosts[0].updates.values()
        server.faults = [Fault(status=500)]
        server.forget()
        async with watching(server, "one", state_file=path) as (stack, _):
            await wait_until(lambda: states(stack) == [UpdateState.CURRENT])
            (again,) = stack.state.hosts[0].updates.values()
            assert again.checked_at == before.checked_at
            await wait_until(lambda: stack.state.hosts[0].updates[server.listed("one")].problems)
            assert states(stack) == [UpdateState.CURRENT]


async def test_what_is_left_alone_is_so_at_once() -> None:
    with serving() as server:
        async with watching(server, "one", every=None) as (stack, _):
            server.publish("one", b"new", pushed_at_s=2**31)
            await wait_until(lambda: states(stack))
            await stack.updates.check()
            url, name = stack.state.hosts[0].snapshot.url, server.listed("one")
            assert stack.state.hosts[0].updates[name].is_wanted
            await stack.updates.leave_alone(url, name)
            assert not stack.state.hosts[0].updates[name].is_wanted
            await stack.updates.offer_again(url, name)
            assert stack.state.hosts[0].updates[name].is_wanted


async def test_a_host_that_is_down_holds_nothing_up() -> None:
    with serving() as server:
        async with watching(server, "one") as (stack, fake):
            fake.down = True
            await wait_until(lambda: stack.state.hosts[0].snapshot.error is not None)
        async with watching(server, "one") as (stack, _):
            await wait_until(lambda: states(stack) == [UpdateState.CURRENT])
