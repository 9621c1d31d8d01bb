"""Twenty pulls at once, of a server of many models: little is told and written, however much is said."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING

from llmstack_tui.downloads.queue import DownloadQueue
from llmstack_tui.downloads.types import DownloadState
from llmstack_tui.lifecycle.journal import Journal
from llmstack_tui.lifecycle.worker import Lifecycle
from llmstack_tui.ollama.client import OllamaHost
from llmstack_tui.store.session import StoreSession
from tests.support.many_pulls import many_pulls, model_name
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from llmstack_tui.downloads.types import Download
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.store.store import Store

MODELS, PULLS, LINES = 1_000, 20, 4_000


class CountingSession(StoreSession):
    """A store in memory that counts what is to be written."""

    def __init__(self) -> None:
        super().__init__(None, on_notice=lambda _: None)
        self.writes, do_write = 0, self.write

        def write(write: Callable[[Store], None]) -> None:
            self.writes += 1
            do_write(write)

        self.write = write


@asynccontextmanager
async def pulling(
    host: Host, session: StoreSession, on_change: Callable[[], None]
) -> AsyncIterator[DownloadQueue]:
    async def settle(_: Host) -> None:
        """Nobody shows what is installed."""

    queue = DownloadQueue(
        {host.url: host},
        session,
        Lifecycle(),
        Journal(session.write),
        allowed=lambda _: host,
        settle=settle,
        admitted=lambda url, model: nullcontext(),
        on_change=on_change,
        parallel=PULLS,
    )
    running = asyncio.create_task(queue.run())
    try:
        yield queue
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await session.aclose()
        await host.aclose()


async def test_what_servers_say_is_told_and_written_a_few_times_a_second() -> None:
    told: list[tuple[Download, ...]] = []
    session = CountingSession()
    async with (
        many_pulls(MODELS) as (fake, server),
        pulling(OllamaHost(server.url), session, lambda: told.append(queue.downloads)) as queue,
    ):
        await queue.update(server.url, [model_name(number) for number in range(PULLS)])

        def all_move() -> bool:
            return len(queue.downloads) == PULLS and all(
                each.state is DownloadState.RUNNING and each.completed for each in queue.downloads
            )

        await wait_until(all_move, 60)
        fake.every_s = 0.02
        told.clear()
        begin, lines, writes = time.monotonic(), fake.lines, session.writes
        await wait_until(lambda: fake.lines - lines >= LINES, 60)
        # Four times a second, and once for each pull; on a slow machine they only grow fewer.
        took_s = time.monotonic() - begin
        assert 1 <= len(told) <= took_s / 0.25 + 2
        assert PULLS <= session.writes - writes <= PULLS * (took_s + 2)
        # And what is told is as it is.
        done = {each.model: each.completed for each in queue.downloads}
        await wait_until(lambda: all(each.completed > done[each.model] for each in queue.downloads))
