"""Recalls what a host listed in earlier sessions, and stores what it lists now for later ones."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import Capability
from llmstack_tui.hosts.types import Model, Snapshot
from llmstack_tui.lifecycle.journal import settle
from llmstack_tui.store.errors import StoreError
from llmstack_tui.store.tables.models import last_list

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.lifecycle.monitor import HostMonitor
    from llmstack_tui.store.session import StoreSession
    from llmstack_tui.store.store import Store

_SAVE_AGAIN_S = 600.0
# Rows that are written before other tasks get a turn.
_ROWS_AT_ONCE = 100


def last_snapshot(state_file: Path, host_url: str) -> Snapshot | None:
    """What a host listed last, to be shown before it has answered. Blocking."""
    listed = last_list(state_file, host_url, Model)
    if listed is None:
        return None
    can_nothing = Capability(0)
    return Snapshot(
        url=host_url, capabilities=can_nothing, installed=listed.models, recalled_at=listed.read_at
    )


async def follow(session: StoreSession, monitor: HostMonitor) -> None:
    """Recall what is stored of a host, then store what it lists, until cancelled or until the store fails."""
    try:
        store, url = await session.store(), monitor.host.url
        if (listed := await store.installed.load(url, Model)) is not None:
            monitor.recall(listed.models, listed.read_at)
        monitor.add_speeds(*(await store.speeds.last(url)).values())
        await monitor.listed.wait()
        event = await settle(await session.store(), monitor.snapshot, datetime.now(UTC))
        # A host that was never seen before has not changed since.
        if event is not None and listed is not None:
            session.write(lambda store: store.events.add(event))
        while True:
            monitor.listed.clear()
            await save(store, monitor.snapshot)
            with suppress(TimeoutError):
                async with asyncio.timeout(_SAVE_AGAIN_S):
                    await monitor.listed.wait()
    except StoreError:
        return  # A notice reports it.


async def save(store: Store, snapshot: Snapshot) -> None:
    """Store what a host lists, for the next start and for the history of versions."""
    now = datetime.now(UTC)
    store.installed.save(snapshot.url, snapshot.installed, now)
    for number, model in enumerate(snapshot.installed, 1):
        store.models.seen(host=snapshot.url, name=model.name, digest=model.digest, size=model.size, at=now)
        if number % _ROWS_AT_ONCE == 0:
            await asyncio.sleep(0)
