"""What is remembered, for a stack: a store that is opened behind its back, and word of what is new in it."""

from __future__ import annotations

import asyncio
import importlib
from contextlib import suppress
from typing import TYPE_CHECKING

from llmstack_tui.lifecycle.changes import ON_DISK
from llmstack_tui.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from llmstack_tui.store.store import Store

    Write = Callable[[Store], None]

# Word of new events is given this often at most.
_WORD_EVERY_S = 0.25


class History:
    """A store, open within `run`. What is asked of it before waits; what is written before is kept till then.

    Args:
        path: the state file; None remembers as long as the program runs.
        on_notice: is told what the user should know about the file.
        on_news: is told the id of the newest event whenever there is a newer one.
        on_disk: is told the hosts on which somebody changed, as the newer events say, what is installed.
        look_every_s: seconds between looks for events of other programs.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        on_notice: Callable[[str], None],
        on_news: Callable[[int], None],
        on_disk: Callable[[frozenset[str]], None] = lambda _: None,
        look_every_s: float = 2.0,
    ) -> None:
        self._path = path
        self._on_notice = on_notice
        self._on_news = on_news
        self._on_disk = on_disk
        self._look_every_s = look_every_s
        self._store: Store | None = None
        self._decided = asyncio.Event()
        self._waiting: list[Write] = []
        self._stir = asyncio.Event()

    async def store(self) -> Store:
        """The store, as soon as it is open.

        Raises:
            StoreError: when the program is ending.
        """
        await self._decided.wait()
        if self._store is None:
            raise StoreError("Nothing can be looked up any more: the program is ending.")
        return self._store

    def write(self, write: Write) -> None:
        """Do this with the store, now or as soon as it is open."""
        if self._store is not None:
            write(self._store)
            self._stir.set()
        elif not self._decided.is_set():
            self._waiting.append(write)

    async def run(self) -> None:
        """Open the store and give word of its events until cancelled; then close it."""
        try:
            await asyncio.to_thread(importlib.import_module, "llmstack_tui.store.database.connection")
            from llmstack_tui.store.store import Store  # noqa: PLC0415

            async with await Store.open(self._path, on_notice=self._on_notice) as store:
                self._begin(store)
                try:
                    await self._tell(store)
                finally:
                    self._store = None
        finally:
            self._decided.set()

    def _begin(self, store: Store) -> None:
        self._store = store
        waiting, self._waiting = self._waiting, []
        for write in waiting:
            write(store)
        self._decided.set()

    async def _tell(self, store: Store) -> None:
        last = 0
        while True:
            self._stir.clear()
            # What is wrong with the file is a notice, given once.
            with suppress(StoreError):
                newest = await store.events.newest(1)
                if newest and newest[0].id > last:
                    before, last = last, newest[0].id
                    self._on_news(last)
                    if before:
                        done = await store.events.newest(after=before, kinds=ON_DISK)
                        self._on_disk(frozenset(each.host for each in done if each.host))
            await asyncio.sleep(_WORD_EVERY_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_every_s):
                    await self._stir.wait()
