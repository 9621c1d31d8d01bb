"""Runs the pulls of the queue that no other program runs, and reports the progress of all."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from llmstack_tui.base import lazy
from llmstack_tui.base.kinds import EventKind
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.structs import replace
from llmstack_tui.downloads.job import DownloadContext, DownloadJob, discard, shown, written
from llmstack_tui.downloads.types import DownloadState
from llmstack_tui.hosts.errors import Refused
from llmstack_tui.hosts.service import Service
from llmstack_tui.lifecycle.load_request import LoadRequest
from llmstack_tui.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from llmstack_tui.base.sentences import Param, Sentences
    from llmstack_tui.downloads.types import Download
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.lifecycle.journal import Journal
    from llmstack_tui.lifecycle.worker import Lifecycle
    from llmstack_tui.store.session import StoreSession
    from llmstack_tui.store.store import Store
    from llmstack_tui.store.tables.downloads import DownloadRecord

# Seconds between reads of other programs' requests: while a pull is under way, and otherwise.
_LOOK_BUSY_S, _LOOK_IDLE_S = 1.0, 2.0
# Seconds between two reports to the screen, and between two to the store.
_TELL_S, _WRITE_S = 0.25, 1.0


class DownloadRunner(Service):
    """Does the requested pulls while `run` runs.

    Args:
        hosts: by URL.
        allowed: returns the host of a URL if models may be pulled there; else raises `Refused`.
        settle: awaited when the installed models of a host have changed.
        admitted: makes room for a model, given the URL of its host and its name, which is loaded within.
        on_change: called when `downloads` has changed, a few times a second at most.
        parallel: how many pulls run at once.
        folders: finds the folders of models on this machine, the engine's own first. Blocking.
        patient: wait for a server that does not answer, and for disk space; else fail.
        only_own: do only the pulls requested through this object; else all that wait.

    Attributes:
        own: the ids of the pulls requested or begun here.
        unkept: the pulls requested here that could not be recorded, by their ids, which are negative.
        rows: all pulls, as last read from the store.
        downloads: the pulls under way or waiting, in order, then those that are over, newest first.
    """

    def __init__(
        self,
        hosts: Mapping[str, Host],
        session: StoreSession,
        lifecycle: Lifecycle,
        journal: Journal,
        *,
        allowed: Callable[[str], Host],
        settle: Callable[[Host], Awaitable[None]],
        admitted: Callable[[str, str], AbstractAsyncContextManager[object]],
        on_change: Callable[[], None],
        parallel: int = 1,
        folders: Callable[[], Sequence[Path]] = tuple,
        patient: bool = True,
        only_own: bool = False,
    ) -> None:
        self._hosts = hosts
        self._session = session
        self._lifecycle = lifecycle
        self._journal = journal
        self._allowed = allowed
        self._settle = settle
        self._admitted = admitted
        self._on_change = on_change
        self._folders = folders
        self._patient = patient
        self._only_own = only_own
        self._locks = session.locks("pulls")
        self._slots = asyncio.Semaphore(parallel)
        self.own: set[int] = set()
        self.unkept: dict[int, DownloadRecord] = {}
        self._kept: tuple[DownloadRecord, ...] = ()
        self.rows: tuple[DownloadRecord, ...] = ()
        self.downloads: tuple[Download, ...] = ()
        self._ended: dict[int, DownloadRecord] = {}
        self._pulls: dict[int, DownloadJob] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._news = asyncio.Event()
        self._context: DownloadContext | None = None
        self._defect: BaseException | None = None
        self._is_leaving = False

    @property
    def under_way(self) -> tuple[Download, ...]:
        """The pulls that run here, or wait here for their turn."""
        return tuple(pulling.download for pulling in self._pulls.values())

    @property
    def stopped(self) -> tuple[Download, ...]:
        """The pulls under way that have unloaded a model and not loaded it again yet."""
        return tuple(each.download for each in self._pulls.values() if each.was_active is not None)

    async def start_again(self) -> tuple[Download, ...]:
        """Interrupt all pulls, begin no more, and load again the models that were unloaded.

        Returns:
            The pulls whose model could not be loaded again. The next program resumes them.
        """
        self._is_leaving = True
        stopped = {number: each for number, each in self._pulls.items() if each.was_active is not None}
        tasks = [self._tasks[number] for number in stopped]
        for pulling in self._pulls.values():
            pulling.interrupt()
        if tasks:
            await asyncio.wait(tasks)
        return tuple(each.download for each in stopped.values() if each.was_active is not None)

    async def run(self) -> None:
        """Do the pulls until cancelled. Ends at once if the store cannot be read, which a notice reports."""
        try:
            await self._session.store()
        except StoreError:
            return
        telling = asyncio.create_task(self._tell(), name="tell of pulls")
        telling.add_done_callback(self._failed)
        try:
            await self._go_on()
        finally:
            telling.cancel()
            tasks = tuple(self._tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(telling, *tasks, return_exceptions=True)
            if self._context is not None:
                await self._context.costs.aclose()
            self._locks.release()

    async def _go_on(self) -> None:
        while True:
            self._wake.clear()
            with suppress(StoreError):
                store = await self._session.store()
                with suppress(StoreError):
                    self._kept = await store.downloads.all([*self._hosts])
                self._read()
                await self._follow(store)
            if self._defect is not None:
                raise self._defect
            self._news.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_BUSY_S if self._is_busy() else _LOOK_IDLE_S):
                    await self._wake.wait()

    def _read(self) -> None:
        """Take over the stored pulls. A pull that ended here is over, even if that is not written yet."""
        open_ = {row.id for row in self._kept if row.ended_at is None}
        self._ended = {number: row for number, row in self._ended.items() if number in open_}
        rows = (*self.unkept.values(), *(self._ended.get(row.id, row) for row in self._kept))
        self.rows = tuple(sorted(rows, key=lambda row: row.ended_at is not None))

    async def _follow(self, store: Store) -> None:
        """Begin pulls that are requested and not under way; end those under way and no longer requested."""
        wanted = [row for row in self.rows if self._is_to_do(row)]
        held = frozenset(row.host for row in wanted if row.id not in self.unkept)
        if store.is_read_only:  # A newer version's state file is not written to: that version does the pulls.
            held = frozenset()
        elif store.is_shared:
            held = await self._locks.hold(held)
            await self._session.report(self._locks.trouble)
        todo = {row.id for row in wanted if row.id in self.unkept or row.host in held}
        if not todo:
            return
        context = await self._opened_context()
        # Read the rows again: some pulls may have ended while this waited.
        for row in self.rows:
            if row.id not in todo or not self._is_to_do(row):
                continue
            if (pulling := self._pulls.get(row.id)) is not None:
                if row.requested != "run":
                    pulling.interrupt()
            elif row.requested == "run":
                if not self._is_leaving:
                    self._begin(row, context)
            elif row.id not in self._tasks:
                self._do(row.id, self._cancelled(row), self._forgotten)

    def _is_to_do(self, row: DownloadRecord) -> bool:
        if row.ended_at is not None or not (row.id in self.own or not self._only_own):
            return False
        return (row.requested != "pause" or row.id in self._pulls) and self._may(row.host)

    def _may(self, host_url: str) -> bool:
        try:
            self._allowed(host_url)
        except Refused:
            return False
        return True

    def _is_busy(self) -> bool:
        return any(row.ended_at is None and row.requested != "pause" for row in self.rows)

    async def _opened_context(self) -> DownloadContext:
        if self._context is None:
            # Most sessions pull nothing.
            await lazy.load(".downloads.cost")
            from llmstack_tui.downloads.cost import Costs  # noqa: PLC0415

            self._context = DownloadContext(
                lifecycle=self._lifecycle,
                admitted=self._admitted,
                session=self._session,
                costs=Costs(self._folders),
                slots=self._slots,
                settle=self._settle,
                claimed=self._claimed,
                patient=self._patient,
            )
        return self._context

    def _claimed(self, pulling: DownloadJob) -> int:
        others = [each.download for each in self._pulls.values() if each is not pulling]
        return sum(
            max((each.total or 0) - each.completed, 0)
            for each in others
            if each.state is DownloadState.RUNNING and each.host == pulling.download.host
        )

    # --- one pull ---

    def _begin(self, row: DownloadRecord, context: DownloadContext) -> None:
        if row.id not in self.own and row.layers:
            self._record(row, "resumed")
        self.own.add(row.id)
        self._pulls[row.id] = pulling = DownloadJob(
            self._hosts[row.host],
            row.asked,
            replace(shown(row), state=DownloadState.WAITING, step="", speed=None, reason=()),
            context,
            was_active=LoadRequest.decode(row.was_active),
            on_change=partial(self._changed, row.id),
        )
        self._do(row.id, pulling.run(), self._is_over)

    def _is_over(self, number: int, task: asyncio.Task[None]) -> None:
        """Record how a pull ended, or that it was interrupted."""
        pulling, row = self._pulls.pop(number), self._row(number)
        download = pulling.download
        if task.cancelled():
            # The program is ending: the next one resumes the pull.
            self._save(replace(written(row, pulling), state="waiting", step="", speed=None))
            return
        self._save(written(row, pulling))
        if download.state is DownloadState.DONE:
            self._record(row, "done", reason=download.reason)
        elif download.state is DownloadState.FAILED:
            self._record(row, "failed", reason=download.reason)
        elif row.requested == "pause":
            self._record(row, "paused")

    async def _cancelled(self, row: DownloadRecord) -> None:
        kept = (
            await discard(self._hosts[row.host], row)
            if row.requested == "discard"
            else (Sentence("kept.all"),)
        )
        self._save(replace(row, state="cancelled", speed=None, ended_at=datetime.now(UTC)))
        self._record(row, "cancelled", kept=kept)

    def _forgotten(self, number: int, task: asyncio.Task[None]) -> None:
        """Do nothing more."""

    def _do(
        self,
        number: int,
        work: Coroutine[object, object, None],
        then: Callable[[int, asyncio.Task[None]], None],
    ) -> None:
        def done(task: asyncio.Task[None]) -> None:
            del self._tasks[number]
            self._failed(task)
            then(number, task)
            self._wake.set()

        self._tasks[number] = task = asyncio.create_task(work, name=f"pull {number}")
        task.add_done_callback(done)

    def _failed(self, task: asyncio.Task[None]) -> None:
        """Keep the exception of a task that failed, for `run` to raise."""
        if not task.cancelled() and (defect := task.exception()) is not None:
            self._defect = self._defect or defect
            self._wake.set()

    # --- reports to the screen and the store ---

    def _changed(self, number: int) -> None:
        """Store at once what the next session needs; the progress is stored by `_tell` now and then."""
        row = self._row(number)
        new = written(row, self._pulls[number])
        if (new.state, new.reason, new.was_active) != (row.state, row.reason, row.was_active):
            self._save(new)
        self._news.set()

    async def _tell(self) -> None:
        """Report changes, a few times a second at most."""
        written_s = 0.0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_BUSY_S if self._pulls else None):
                    await self._news.wait()
            self._news.clear()
            now_s = time.monotonic()
            for pulling in self._pulls.values():
                pulling.tick(now_s)
            live = {number: pulling.download for number, pulling in self._pulls.items()}
            downloads = tuple(live.get(row.id) or shown(row) for row in self.rows)
            if downloads != self.downloads:
                self.downloads = downloads
                self._on_change()
            if now_s - written_s >= _WRITE_S:
                written_s = now_s
                for row in self.rows:
                    if (of := self._pulls.get(row.id)) is not None and (new := written(row, of)) != row:
                        self._save(new)
            await asyncio.sleep(_TELL_S)

    def _row(self, number: int) -> DownloadRecord:
        return next(row for row in self.rows if row.id == number)

    def _save(self, row: DownloadRecord) -> None:
        if row.ended_at is not None:
            self._ended[row.id] = row
        self.rows = tuple(row if each.id == row.id else each for each in self.rows)
        if row.id in self.unkept:
            self.unkept[row.id] = row
        else:
            self._session.write(lambda store: store.downloads.update(row))

    def _record(self, row: DownloadRecord, end: str, *, reason: Sentences = (), **params: Param) -> None:
        kind = EventKind.FAILED if end == "failed" else EventKind(row.why)
        details: dict[str, object] = {"act": row.why, "end": end, "asked_by": self._journal.asked_by.value}
        if end == "failed":
            params, reason = {"reason": reason}, ()
        sentence = Sentence(f"{row.why}.{end}", {"model": row.model, **params})
        self._journal.event(kind, sentence, host=row.host, model=row.model, reason=reason, details=details)
