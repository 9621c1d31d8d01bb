"""The pulls that were asked for: what is to be had, in which order, and who may say so.

All of it stands in the store, so that it survives the program and several programs share it. Anybody adds a
pull or wishes that one is paused, goes on or is cancelled; the one program that holds the lock of a host does
it, and writes down how far it is. It lets go of the lock when there is nothing to do.
"""

from __future__ import annotations

import asyncio
import importlib
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from llmstack_tui.hosts.errors import Refused
from llmstack_tui.hosts.text import printable
from llmstack_tui.lifecycle import sentences
from llmstack_tui.lifecycle.happenings import EventKind
from llmstack_tui.ollama.names import InvalidName, ModelName
from llmstack_tui.store.errors import StoreError
from llmstack_tui.updates.download import Download, DownloadState, LayerProgress, Why
from llmstack_tui.updates.locks import Locks
from llmstack_tui.updates.pulling import Means, Pulling
from llmstack_tui.updates.restarting import AsItWas

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from llmstack_tui.hosts.host import Host
    from llmstack_tui.lifecycle.recorder import Recorder
    from llmstack_tui.lifecycle.worker import Lifecycle
    from llmstack_tui.store.downloads import DownloadRow
    from llmstack_tui.store.store import Store
    from llmstack_tui.updates.check import Update

# Seconds between looks at what other programs wish: while something is under way, and else.
_LOOK_BUSY_S, _LOOK_IDLE_S = 1.0, 2.0
# Between two changes that are told, and between two that are written down.
_TELL_S, _WRITE_S = 0.25, 1.0


class Remembered(Protocol):
    """What is kept between sessions."""

    async def store(self) -> Store:
        """Raises `StoreError` when the program is ending."""

    def write(self, write: Callable[[Store], None]) -> None: ...


class Downloads:
    """The queue. Within `run` it does what is its to do; what is asked of it stands in the store at once.

    Args:
        hosts: those that are watched, by URL.
        allowed: the host of a URL if something may be pulled there; raises `Refused`.
        updates: the verdicts on the models of a host, by name.
        on_change: is told the pulls: those that are not over in their order, then the others, newest first.
        parallel: how many run at once.
        lock: beside which file the locks of the hosts are; None where nobody else can have the queue.
        folders: finds the folders of models on this machine, the engine's own first. Blocking.
        patient: a server that does not answer, or a full disk, is waited for; else it is a failure.
        only_own: do only what was asked for here; else all that waits.
    """

    def __init__(
        self,
        hosts: Mapping[str, Host],
        remembered: Remembered,
        lifecycle: Lifecycle,
        recorder: Recorder,
        *,
        allowed: Callable[[str], Host],
        settle: Callable[[Host], Awaitable[None]],
        updates: Callable[[str], Mapping[str, Update]],
        on_change: Callable[[tuple[Download, ...]], None],
        parallel: int = 1,
        lock: Path | None = None,
        folders: Callable[[], Sequence[Path]] = tuple,
        patient: bool = True,
        only_own: bool = False,
    ) -> None:
        self._hosts = hosts
        self._remembered = remembered
        self._lifecycle = lifecycle
        self._recorder = recorder
        self._allowed = allowed
        self._settle = settle
        self._updates = updates
        self._on_change = on_change
        self._folders = folders
        self._only_own = only_own
        self._patient = patient
        self._locks = Locks(lock)
        self._slots = asyncio.Semaphore(parallel)
        self._own: set[int] = set()
        self._rows: tuple[DownloadRow, ...] = ()
        self._pulls: dict[int, Pulling] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._told: tuple[Download, ...] = ()
        self._stir = asyncio.Event()
        self._news = asyncio.Event()
        self._means: Means | None = None
        self._defect: BaseException | None = None

    @property
    def all(self) -> tuple[Download, ...]:
        """As they are now."""
        live = {number: pulling.download for number, pulling in self._pulls.items()}
        return tuple(live.get(row.id) or _shown(row) for row in self._rows)

    # --- what is asked ---

    async def ask(self, host_url: str, name: str, why: Why) -> tuple[int, bool]:
        """Ask for a model; the id of the pull, and whether it is new. One that was paused goes on.

        Raises:
            Refused: the name is none, or nothing may be changed there.
        """
        self._allowed(host_url)
        try:
            parsed = ModelName.parse(name)
        except InvalidName as error:
            raise Refused(str(error), host=host_url) from None
        try:
            store = await self._remembered.store()
            number, is_new = await store.downloads.add(
                host=host_url,
                model=parsed.short,
                key=parsed.full.lower(),
                # Only what it says itself makes a registry one without TLS.
                asked=f"http://{parsed.full}" if parsed.scheme == "http" else parsed.short,
                why=why.value,
                asked_at=datetime.now(UTC),
            )
        except StoreError as error:
            raise Refused(f"{printable(name)} cannot be put into the queue: {error}", host=host_url) from None
        self._own.add(number)
        if not is_new:
            self.resume(number)
        self._stir.set()
        return number, is_new

    async def pull(self, host_url: str, name: str) -> int:
        """Ask for a model by its name; the id of the pull.

        Raises:
            Refused: as `ask`, and when it is being pulled already.
        """
        number, is_new = await self.ask(host_url, name, Why.PULL)
        if not is_new:
            raise Refused(f"{printable(name)} is being pulled already.", host=host_url)
        return number

    async def update(self, host_url: str, models: Collection[str]) -> tuple[int, ...]:
        """Ask for the newest versions of these; the ids of the pulls, also of one that was asked for before.

        Raises:
            Refused: as `ask`.
        """
        return tuple([(await self.ask(host_url, model, Why.UPDATE))[0] for model in models])

    async def update_stale(self, host_url: str | None = None) -> tuple[int, ...]:
        """Update all that have a newer version, on a host or on all on which something may be changed.

        Never those that were changed on their machine, nor those whose update is not wanted.
        """
        found: list[int] = []
        for url in [host_url] if host_url is not None else [*self._hosts]:
            if host_url is None and not self._may(url):
                continue
            verdicts = self._updates(url).items()
            found += await self.update(
                url, [name for name, each in verdicts if each.is_wanted and not each.changed_here]
            )
        return tuple(found)

    def pause(self, number: int) -> None:
        """What came is kept; what was stopped for it is started again."""
        self._wish(number, "pause")

    def resume(self, number: int) -> None:
        self._wish(number, "run")

    async def cancel(self, number: int, *, keep: bool) -> None:
        """End it. With ``keep`` a later pull goes on where this one was."""
        self._wish(number, "cancel" if keep else "discard")

    async def retry(self, number: int) -> int:
        """Ask again for what is over; the id of the new pull, which takes the place of the old one."""
        row = next((row for row in self._rows if row.id == number), None)
        if row is None:
            raise Refused("This pull is not remembered any more.", host="", hint="Ask for the model again.")
        if row.ended_at is None:
            return number
        new, _ = await self.ask(row.host, row.asked, Why(row.why))
        self._remembered.write(lambda store: store.downloads.forget(number))
        return new

    def forget_over(self) -> None:
        """Forget those that are over."""
        self._remembered.write(lambda store: store.downloads.forget_over([*self._hosts]))
        self._stir.set()

    # --- the work ---

    async def run(self) -> None:
        """Until cancelled; or until the state cannot be read, of which a notice tells."""
        try:
            store = await self._remembered.store()
        except StoreError:
            return
        telling = asyncio.create_task(self._tell(), name="tell of pulls")
        try:
            await self._go_on(store)
        finally:
            telling.cancel()
            tasks = tuple(self._tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(telling, *tasks, return_exceptions=True)
            if self._means is not None:
                await self._means.costs.aclose()
            self._locks.release()

    async def _go_on(self, store: Store) -> None:
        while True:
            self._stir.clear()
            with suppress(StoreError):
                self._rows = await store.downloads.all([*self._hosts])
                await self._follow(store)
            if self._defect is not None:
                raise self._defect
            self._news.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_BUSY_S if self._is_busy() else _LOOK_IDLE_S):
                    await self._stir.wait()

    async def _follow(self, store: Store) -> None:
        """Make what is so what is wished."""
        ours = [row for row in self._rows if row.ended_at is None and self._is_ours(row)]
        held = await self._locks.hold(
            {row.host for row in ours if row.wish != "pause" or row.id in self._pulls}
        )
        for row in ours:
            if row.host not in held:
                continue
            pulling = self._pulls.get(row.id)
            if pulling is not None:
                if row.wish != "run":
                    pulling.interrupt()
            elif row.wish == "run":
                self._begin(row, await self._with(store))
            elif row.wish != "pause":
                self._save(replace(row, state="cancelled", speed=None, ended_at=datetime.now(UTC)))
                self._record(row, "cancelled", sentences.cancelled(EventKind(row.why), row.model))

    async def _with(self, store: Store) -> Means:
        if self._means is None:
            # Most sessions pull nothing.
            await asyncio.to_thread(importlib.import_module, "llmstack_tui.updates.cost")
            from llmstack_tui.updates.cost import Costs  # noqa: PLC0415

            self._means = Means(
                lifecycle=self._lifecycle,
                store=store,
                costs=Costs(self._folders),
                slots=self._slots,
                settle=self._settle,
                claimed=self._claimed,
                patient=self._patient,
            )
        return self._means

    def _claimed(self, pulling: Pulling) -> int:
        others = [each.download for each in self._pulls.values() if each is not pulling]
        return sum(
            max((each.total or 0) - each.completed, 0)
            for each in others
            if each.state is DownloadState.RUNNING and each.host == pulling.download.host
        )

    def _begin(self, row: DownloadRow, means: Means) -> None:
        if row.id not in self._own and row.layers:
            self._record(row, "goes on", sentences.goes_on(EventKind(row.why), row.model))
        self._own.add(row.id)
        self._pulls[row.id] = pulling = Pulling(
            self._hosts[row.host],
            row.asked,
            replace(_shown(row), state=DownloadState.WAITING, step="", speed=None, reason=""),
            means,
            was_active=AsItWas.decode(row.was_active),
            on_change=lambda: self._changed(row.id),
        )
        task = asyncio.create_task(pulling.run(), name=f"pull {row.model}")
        self._tasks[row.id] = task
        task.add_done_callback(lambda _: self._is_over(row.id))

    def _is_over(self, number: int) -> None:
        """It has come to its end, or was interrupted."""
        task, pulling = self._tasks.pop(number), self._pulls.pop(number)
        row = next(row for row in self._rows if row.id == number)
        kind, download = EventKind(row.why), pulling.download
        if task.cancelled():
            # The program is ending: the next one goes on.
            self._save(replace(_row(row, pulling), state="waiting", step="", speed=None))
            return
        self._defect = self._defect or task.exception()
        self._save(_row(row, pulling))
        if download.state is DownloadState.DONE:
            self._record(row, "done", sentences.done(kind, row.model), reason=download.reason)
        elif download.state is DownloadState.FAILED:
            self._record(row, "failed", sentences.failed(kind, row.model, download.reason))
        elif row.wish == "pause":
            self._record(row, "paused", sentences.paused(kind, row.model))
        self._stir.set()

    def _changed(self, number: int) -> None:
        """What matters to the next session is written down at once, how far it is now and then."""
        pulling = self._pulls[number]
        row = next(row for row in self._rows if row.id == number)
        new = _row(row, pulling)
        if (new.state, new.reason, new.was_active) != (row.state, row.reason, row.was_active):
            self._save(new)
        self._news.set()

    async def _tell(self) -> None:
        """Tell of changes, a few times a second at most."""
        written_s = 0.0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_BUSY_S if self._pulls else None):
                    await self._news.wait()
            self._news.clear()
            now_s = time.monotonic()
            for pulling in self._pulls.values():
                pulling.tick(now_s)
            if (downloads := self.all) != self._told:
                self._told = downloads
                self._on_change(downloads)
            if now_s - written_s >= _WRITE_S:
                written_s = now_s
                for row in self._rows:
                    if (of := self._pulls.get(row.id)) is not None and (new := _row(row, of)) != row:
                        self._save(new)
            await asyncio.sleep(_TELL_S)

    # --- parts of these ---

    def _save(self, row: DownloadRow) -> None:
        self._rows = tuple(row if each.id == row.id else each for each in self._rows)
        self._remembered.write(lambda store: store.downloads.is_so(row))

    def _wish(self, number: int, wish: str) -> None:
        self._remembered.write(lambda store: store.downloads.wish(number, wish))
        self._stir.set()

    def _is_busy(self) -> bool:
        return any(row.ended_at is None for row in self._rows)

    def _is_ours(self, row: DownloadRow) -> bool:
        return (row.id in self._own or not self._only_own) and self._may(row.host)

    def _may(self, host_url: str) -> bool:
        try:
            self._allowed(host_url)
        except Refused:
            return False
        return True

    def _record(self, row: DownloadRow, end: str, text: str, *, reason: str = "") -> None:
        kind = EventKind.FAILED if end == "failed" else EventKind(row.why)
        details: dict[str, object] = {"act": row.why, "end": end, "asked_by": self._recorder.asked_by.value}
        self._recorder.event(kind, text, host=row.host, model=row.model, reason=reason, details=details)


def _row(before: DownloadRow, pulling: Pulling) -> DownloadRow:
    download = pulling.download
    return replace(
        before,
        state=download.state.value,
        step=download.step,
        layers=tuple((each.digest, each.completed, each.total) for each in download.layers),
        speed=download.speed,
        reason=download.reason,
        was_active=pulling.was_active.encode() if pulling.was_active else None,
        ended_at=download.ended_at,
    )


def _shown(row: DownloadRow) -> Download:
    paused = row.wish == "pause" and row.state == "waiting"
    return Download(
        id=row.id,
        host=row.host,
        model=row.model,
        why=Why(row.why),
        state=DownloadState.PAUSED if paused else DownloadState(row.state),
        asked_at=row.asked_at,
        step=row.step,
        layers=tuple(LayerProgress(*layer) for layer in row.layers),
        speed=row.speed,
        reason=row.reason,
        ended_at=row.ended_at,
    )
