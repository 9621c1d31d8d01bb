"""Pulls whose record cannot be kept: they are done all the same, and nobody waits for a lock that is none."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.core.options import StackOptions
from llmstack_tui.downloads.types import DownloadState, Why
from llmstack_tui.hosts.errors import Refused
from llmstack_tui.store.store import Store
from tests.store.samples import change_file
from tests.support.fake_ollama import fake_host
from tests.support.stack_pulls import over, seen
from tests.support.stacks import following
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from llmstack_tui.core.stack import Stack
    from tests.support.fake_ollama import FakeOllama

# Nobody listens there, so that nothing is known of what a pull costs.
NAME, OTHER = "127.0.0.1:1/a/b:1", "127.0.0.1:1/a/c:1"


async def no_folder(path: Path) -> None:
    path.parent.touch()


async def newer(path: Path) -> None:
    async with await Store.open(path):
        pass
    change_file(path, "INSERT INTO migrations VALUES ('2030-01 something', 0)")


async def full(path: Path) -> None:
    """As large as it may be: whatever is added does not fit."""
    async with await Store.open(path):
        pass
    change_file(path, "CREATE TRIGGER full BEFORE INSERT ON downloads BEGIN SELECT RAISE(ABORT, 'full'); END")


@pytest.fixture(params=[no_folder, newer, full])
async def state(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "llmstack" / "state.db"
    await request.param(path)
    return path


@asynccontextmanager
async def pulling(state: Path) -> AsyncIterator[tuple[Stack, FakeOllama, str]]:
    async with fake_host(a_1="a") as (fake, host, server):
        options = StackOptions(state_file=state, running_every_s=0.2, machine_every_s=60)
        async with following([host], options) as stack:
            yield stack, fake, server.url


async def test_it_is_done_and_said_once(state: Path) -> None:
    async with pulling(state) as (stack, fake, url):
        number = await stack.downloads.pull(url, NAME)
        assert (await over(stack, number)).state is DownloadState.DONE
        assert NAME in fake.installed
        assert (await over(stack, await stack.downloads.pull(url, OTHER))).state is DownloadState.DONE
        assert len([each for each in stack.state.notices if each.kind.startswith("store.")]) == 1
        before = [each.model for each in stack.state.downloads]
        cleared = stack.downloads.forget_over()
        assert stack.downloads.forget_over() == ()
        await wait_until(lambda: not stack.state.downloads)
        stack.downloads.put_back(cleared)
        await wait_until(lambda: [each.model for each in stack.state.downloads] == before)


async def test_asked_for_twice_at_once_it_is_one_pull(state: Path) -> None:
    async with pulling(state) as (stack, fake, url):
        (one, is_new), (other, is_new_too) = await asyncio.gather(
            *(stack.downloads.ask(url, NAME, Why.PULL) for _ in range(2))
        )
        assert (one, is_new, is_new_too) == (other, True, False)
        assert (await over(stack, one)).state is DownloadState.DONE
        assert [path for path, _ in fake.asked].count("/api/pull") == 1


async def test_it_can_be_paused_and_cancelled(state: Path) -> None:
    async with pulling(state) as (stack, fake, url):
        fake.may_pull.clear()
        number = await stack.downloads.pull(url, NAME)
        await wait_until(lambda: "/api/pull" in [path for path, _ in fake.asked])
        with pytest.raises(Refused, match="pulled_already"):
            await stack.downloads.pull(url, NAME)
        stack.downloads.pause(number)
        await seen(stack, number, lambda each: each.state is DownloadState.PAUSED)
        stack.downloads.resume(number)
        await seen(stack, number, lambda each: each.state is DownloadState.RUNNING)
        await stack.downloads.cancel(number, keep=True)
        assert (await over(stack, number)).state is DownloadState.CANCELLED
        fake.may_pull.set()
        again = await stack.downloads.retry(number)
        assert (await over(stack, again)).state is DownloadState.DONE
        assert again not in {
            each.id for each in stack.state.downloads if each.state is not DownloadState.DONE
        }


async def test_a_lock_that_cannot_be_made_does_not_hold_it_up(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with pulling(path) as (stack, _, url):
        number = await stack.downloads.pull(url, NAME)
        await over(stack, number)
    for lock in tmp_path.glob("*.pulls-*.lock"):
        lock.unlink()
        lock.mkdir()
    async with fake_host(a_1="a") as (_, host, server):
        options = StackOptions(state_file=path, running_every_s=0.2, machine_every_s=60)
        async with following([host], options) as stack:
            assert (
                await over(stack, await stack.downloads.pull(server.url, OTHER))
            ).state is DownloadState.DONE
