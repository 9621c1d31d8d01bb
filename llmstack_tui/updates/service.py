"""Asks registries for newer versions: at the start, at intervals, and on request."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from llmstack_tui.base.names import model_key
from llmstack_tui.hosts.service import Service
from llmstack_tui.store.errors import StoreError
from llmstack_tui.updates.checker import Checker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path

    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import Snapshot
    from llmstack_tui.store.session import StoreSession
    from llmstack_tui.updates.rules import Update

# A random delay, so as not to slow down the first list, nor to have all dashboards ask in the same second.
_START_S = (0.3, 1.5)
_JITTER = 0.1
# A changed list is compared after so long without another change: removing ten models is one change.
_STILL_S = 0.3


class UpdateService(Service):
    """Knows which models of the hosts are up to date.

    Args:
        every: the interval of checks; None asks only by `check`.
        folders: finds the folders of models on this machine, in Ollama's layout. Blocking.
        on_change: called when `updates` or `is_checking` has changed.
        on_checked: awaited after each scheduled check.

    Attributes:
        updates: the verdicts, by the URL of the host and the model's name; empty before the first.
        is_checking: registries are being asked.
    """

    def __init__(
        self,
        hosts: Mapping[str, Host],
        session: StoreSession,
        *,
        every: timedelta | None,
        folders: Callable[[], Sequence[Path]],
        on_change: Callable[[], None],
        on_checked: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.updates: Mapping[str, Mapping[str, Update]] = {}
        self.is_checking = False
        self._hosts = hosts
        self._session = session
        self._every = every
        self._folders = folders
        self._on_change = on_change
        self._on_checked = on_checked
        self._snapshots: dict[str, Snapshot] = {}
        self._checker: Checker | None = None
        self._opening = asyncio.Lock()
        self._changed = asyncio.Event()

    def on_snapshot(self, snapshot: Snapshot) -> None:
        before, self._snapshots[snapshot.url] = self._snapshots.get(snapshot.url), snapshot
        if before is None or _told(before) != _told(snapshot):
            if self._checker is not None:
                _look(self._checker, snapshot)
            self._changed.set()

    async def leave_alone(self, host_url: str, model: str, *, for_good: bool = False) -> None:
        """Do not offer the registry's present version of this model or, with ``for_good``, any version."""
        (await self._opened()).leave_alone(host_url, model, for_good=for_good)

    async def offer_again(self, host_url: str, model: str) -> None:
        """Take back `leave_alone`."""
        (await self._opened()).offer_again(host_url, model)

    async def check(self, models: Collection[str] | None = None) -> None:
        """Ask the registries now for all models, or those of these names, on all hosts.

        Nothing is downloaded. Failures are in `updates`, with the last known verdicts.
        """
        keys = None if models is None else frozenset(map(model_key, models))
        await (await self._opened()).check(keys)

    async def recall(self) -> None:
        """Compare the installed models with the answers of earlier sessions. Asks no registry."""
        await (await self._opened()).renew()

    async def run(self) -> None:
        while not all(url in self._snapshots and self._snapshots[url].was_polled for url in self._hosts):
            self._changed.clear()
            await self._changed.wait()
        checker = await self._opened()
        await checker.renew()
        due_s = time.monotonic() + random.uniform(*_START_S)  # noqa: S311
        while True:
            self._changed.clear()
            now_s = time.monotonic()
            if self._every is not None and now_s >= due_s:
                await checker.check()
                if self._on_checked is not None:
                    await self._on_checked()
                every_s = self._every.total_seconds()
                due_s = time.monotonic() + every_s * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311
            with suppress(TimeoutError):
                async with asyncio.timeout(None if self._every is None else max(due_s - time.monotonic(), 0)):
                    await self._changed.wait()
                    await asyncio.sleep(_STILL_S)
            if self._changed.is_set():
                await checker.renew()
                if self._every is not None and (new := checker.unasked()) and now_s < due_s:
                    await checker.check(new)

    async def aclose(self) -> None:
        if self._checker is not None:
            await self._checker.aclose()

    async def _opened(self) -> Checker:
        """The checker, with the answers of earlier sessions."""
        async with self._opening:
            if self._checker is None:
                folders = await asyncio.to_thread(self._folders)
                checker = Checker(
                    show=lambda host, model: self._hosts[host].show(model),
                    folders=folders,
                    on_change=self._judged,
                    keep=self._session.write,
                )
                with suppress(StoreError):  # A notice reports it.
                    await checker.recall(await self._session.store())
                for snapshot in self._snapshots.values():
                    _look(checker, snapshot)
                self._checker = checker
            return self._checker

    def _judged(self) -> None:
        if self._checker is not None:
            self.updates = {url: self._checker.updates(url) for url in self._hosts}
            self.is_checking = self._checker.is_checking
            self._on_change()


def _look(checker: Checker, snapshot: Snapshot) -> None:
    models = snapshot.installed
    # Without a digest there is no version to compare: a server that tells none tells none of any model.
    known = models if models and models[0].digest else ()
    checker.look(snapshot.url, known, snapshot.server.kind if snapshot.server else None)


def _told(snapshot: Snapshot) -> object:
    """The part of a snapshot that a check depends on."""
    return snapshot.installed, snapshot.server, snapshot.was_polled
