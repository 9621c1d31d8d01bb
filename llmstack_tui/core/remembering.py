"""What a host told in earlier sessions, and what of this one the next will want to know."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmstack_tui.hosts.types import Model
from llmstack_tui.lifecycle.journal import settle
from llmstack_tui.store.errors import StoreError

if TYPE_CHECKING:
    from llmstack_tui.core.session import History
    from llmstack_tui.core.watched import WatchedHost
    from llmstack_tui.hosts.types import Snapshot
    from llmstack_tui.store.store import Store

_SEEN_AGAIN_S = 600.0
# Rows that are handed over between two turns of the event loop.
_AT_ONCE = 100


async def remember(history: History, watched: WatchedHost) -> None:
    """Until cancelled; or until the state cannot be read, of which a notice tells."""
    try:
        store = await history.store()
        url = watched.host.url
        if (listed := await store.installed.load(url, Model)) is not None:
            watched.recall(listed.models, listed.read_at)
        watched.timed(*(await store.speeds.last(url)).values())
        await watched.news.wait()
        event = await settle(store, watched.snapshot, datetime.now(UTC))
        if event is not None:
            history.write(lambda store: store.events.add(event))
        while True:
            watched.news.clear()
            await _save(store, watched.snapshot)
            await _either(watched.news, _SEEN_AGAIN_S)
    except StoreError:
        return


async def _save(store: Store, snapshot: Snapshot) -> None:
    now = datetime.now(UTC)
    store.installed.save(snapshot.url, snapshot.installed, now)
    for number, model in enumerate(snapshot.installed, 1):
        store.models.seen(host=snapshot.url, name=model.name, digest=model.digest, size=model.size, at=now)
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)


async def _either(event: asyncio.Event, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        return
