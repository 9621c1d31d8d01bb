"""The store during one run of the program: opened when it is first needed, and closed at the end."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.base import lazy
from llmstack_tui.store.errors import StoreError
from llmstack_tui.store.locks import Locks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from llmstack_tui.base.sentences import Failure, Sentence
    from llmstack_tui.store.store import Store

    Write = Callable[[Store], None]

# Writes are collected for so long before they go to the store: callers do not wait, and new events are
# announced at most this often.
_BATCH_S = 0.25


class StoreSession:
    """Opens the store on demand. A read waits until it is open, and sees all writes made before it.

    Args:
        path: the state file, or why there can be none; None keeps the state in memory on purpose.
        on_notice: called with what the user should know about the file.
        on_event: called with the id of the newest event whenever there is one.
        on_installed: called with the hosts whose list of models was changed, by new events.
        installed_kinds: the kinds of events that change the list of models.
        look_every_s: seconds between two checks for events of other programs.

    Attributes:
        write: call a function with the store soon, in the order of the calls.
    """

    def __init__(
        self,
        path: Path | Failure | None,
        *,
        on_notice: Callable[[Sentence], None],
        on_event: Callable[[int], None] = lambda _: None,
        on_installed: Callable[[frozenset[str]], None] = lambda _: None,
        installed_kinds: Collection[str] = (),
        look_every_s: float = 2.0,
    ) -> None:
        self._path = path
        self._on_notice = on_notice
        self._on_event = on_event
        self._on_installed = on_installed
        self._installed_kinds = installed_kinds
        self._look_every_s = look_every_s
        self._store: Store | None = None
        self._opening = asyncio.Lock()
        self._closed = False
        self._asked: asyncio.Queue[Write] = asyncio.Queue()
        self._taken: deque[Write] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._written = asyncio.Event()
        self.write: Callable[[Write], None] = self._asked.put_nowait

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever remembered. A caller that only reads can then avoid making the file."""
        if self._store is not None or not self._asked.empty():
            return False
        try:
            return not isinstance(self._path, Path) or not self._path.exists()
        except OSError:  # A folder of another user: opening the store says so.
            return False

    async def store(self) -> Store:
        """The store, as soon as it is open.

        Raises:
            StoreError: when the program is ending.
        """
        async with self._opening:
            if self._closed:
                raise StoreError("store.ending")
            if self._store is None:
                await lazy.load(".store.database.connection")
                from llmstack_tui.store.store import Store  # noqa: PLC0415

                self._store = await Store.open(self._path, on_notice=self._on_notice)
                self._writer = asyncio.create_task(self._write(self._store), name="store: hand over")
            self._hand_over(self._store)
            return self._store

    def locks(self, purpose: str) -> Locks:
        """Locks beside the state file; ``purpose`` is one word."""
        return Locks(self._path if isinstance(self._path, Path) else None, purpose)

    async def kept(self) -> None:
        """Return when all that was written before is in the file.

        Raises:
            StoreError: why it is not; maybe it never will be.
        """
        await (await self.store()).kept()

    async def report(self, error: StoreError | None) -> None:
        """Tell the user once about a failure, unless nothing is kept anyway, which was told."""
        store = await self.store()
        if error is not None and store.database.unkept is None and error.sentence not in store.notices:
            store.tell(error.sentence)

    async def run(self) -> None:
        """Open the store and announce its events until cancelled."""
        last = 0
        while True:
            store = await self.store()
            self._written.clear()
            # Problems with the file are reported once, by `on_notice`.
            with suppress(StoreError):
                newest = await store.events.newest(1)
                if newest and newest[0].id > last:
                    before, last = last, newest[0].id
                    self._on_event(last)
                    if before:
                        changes = await store.events.newest(after=before, kinds=self._installed_kinds)
                        self._on_installed(frozenset(each.host for each in changes if each.host))
            if self._writer is not None and self._writer.done():
                await self._writer
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_every_s):
                    await self._written.wait()

    async def aclose(self) -> None:
        """Write what is pending and close the store; later reads raise `StoreError`."""
        if not self._asked.empty():
            await self.store()
        async with self._opening:
            self._closed = True
            store, self._store = self._store, None
            if store is None or self._writer is None:
                return
            self._writer.cancel()
            try:
                self._hand_over(store)
            finally:
                await store.close()
            with suppress(asyncio.CancelledError):
                await self._writer  # An exception that ended it earlier is a defect: raise it here.

    async def _write(self, store: Store) -> None:
        while True:
            write = await self._asked.get()
            self._taken.append(write)
            await asyncio.sleep(_BATCH_S)
            self._hand_over(store)

    def _hand_over(self, store: Store) -> None:
        while not self._asked.empty():
            self._taken.append(self._asked.get_nowait())
        while self._taken:
            self._written.set()
            self._taken.popleft()(store)
