"""One pull, from its turn to its end. A loaded model is unloaded first, and loaded again afterwards."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.kinds import Capability
from llmstack_tui.base.languages import later
from llmstack_tui.base.names import same_model
from llmstack_tui.base.sentences import Sentence, said
from llmstack_tui.base.structs import replace
from llmstack_tui.downloads.failures import NoRoom, explained
from llmstack_tui.downloads.progress import Tracker
from llmstack_tui.downloads.types import Download, DownloadState, LayerProgress, Why
from llmstack_tui.hosts.errors import BadStream, HostError, Unreachable
from llmstack_tui.lifecycle.actions import Departure, Sighting, because, is_kept
from llmstack_tui.lifecycle.load_request import LoadRequest, load_request
from llmstack_tui.lifecycle.states import Loaded
from llmstack_tui.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.downloads.cost import Costs
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import RunningModel
    from llmstack_tui.lifecycle.worker import Lifecycle
    from llmstack_tui.store.session import StoreSession
    from llmstack_tui.store.tables.activations import Activation
    from llmstack_tui.store.tables.downloads import DownloadRecord

_LOOK_EVERY_S = 1.0
_TRY_EVERY_S = 5.0
# The pull is given up after the server has broken off so many times, even if each time made some progress.
_CUTS = 10


class DownloadContext(Struct, frozen=True, kw_only=True):
    """What all pulls share.

    Attributes:
        admitted: makes room for a model, given the URL of its host and its name, which is loaded within.
        slots: limits how many pulls run at once.
        settle: awaited when the installed models of a host have changed.
        claimed: returns the bytes that other pulls than the given one will still take of its disk.
        patient: wait for a server that does not answer, and for disk space; else fail.
    """

    lifecycle: Lifecycle
    admitted: Callable[[str, str], AbstractAsyncContextManager[object]]
    session: StoreSession
    costs: Costs
    slots: asyncio.Semaphore
    settle: Callable[[Host], Awaitable[None]]
    claimed: Callable[[DownloadJob], int]
    patient: bool = True


_WAITS_FOR = {Unreachable: "download.waits_for_server", NoRoom: "download.waits_for_room"}


class DownloadJob:
    """A pull under way. `run` may be called once.

    Args:
        asked: the name to send to the server.
        was_active: how the model was loaded, if an earlier run has unloaded it.
        on_change: called after each change of ``download``.

    Attributes:
        download: its present state.
        was_active: how the model was loaded before the pull unloaded it; None if it did not.
    """

    def __init__(
        self,
        host: Host,
        asked: str,
        download: Download,
        context: DownloadContext,
        *,
        was_active: LoadRequest | None,
        on_change: Callable[[], None],
    ) -> None:
        self.download = download
        self.was_active = was_active
        self._host = host
        self._asked = asked
        self._context = context
        self._on_change = on_change
        self._tracker = Tracker(download.layers)
        self._work: asyncio.Task[None] | None = None

    def interrupt(self) -> None:
        """End the pull soon, so that it can be resumed later. A model that it unloaded is loaded again."""
        if self._work is not None:
            self._work.cancel()

    async def run(self) -> None:
        """Pull until done, failed or interrupted; after an interruption the state is WAITING.

        If this is cancelled, nothing is cleaned up: the next program resumes the pull.
        """
        self._work = work = asyncio.create_task(self._go(), name=f"pull {self.download.model}")
        try:
            await asyncio.wait((work,))
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.wait((work,))
            raise
        if work.cancelled():
            self._put(DownloadState.WAITING, reason=())
            before = self.was_active
            if not await self._start_again():
                # Whoever resumes the pull has to load the model again.
                self.was_active = before
                self._on_change()
            return
        error = work.exception()
        if error is None:
            await self._start_again()
            self._end(DownloadState.DONE, self.download.reason)
        elif isinstance(error, HostError):
            why = explained(error, self._asked)
            if await self._start_again():
                why = *why, Sentence("download.old_is_loaded")
            self._end(DownloadState.FAILED, why)
        else:
            raise error

    def tick(self, now_s: float) -> None:
        """Work out the speed again, also while nothing arrives."""
        if self.download.state is DownloadState.RUNNING:
            speed = self._tracker.speed(now_s)
            if speed != self.download.speed:
                self.download = replace(self.download, speed=speed)
                self._on_change()

    # --- helpers ---

    async def _go(self) -> None:
        cuts = 0
        while True:
            before = self._tracker.received
            try:
                if await self._turn():
                    return
                await self._until_gone()
            except BadStream:
                cuts += 1
                if self._tracker.received == before or cuts >= _CUTS:
                    raise
            except (Unreachable, NoRoom) as error:
                if not self._context.patient:
                    raise
                waits = Sentence(_WAITS_FOR[type(error)])
                self._put(DownloadState.WAITING, reason=(error.sentence, waits))
                await asyncio.sleep(_TRY_EVERY_S)

    async def _turn(self) -> bool:
        """Pull as soon as a slot is free; False, without pulling, if the model still answers a request."""
        async with self._context.slots:
            self._put(DownloadState.RUNNING, step=later("asking the registry"), reason=())
            installed = await self._host.installed()
            digest = next(
                (each.digest for each in installed if same_model(each.name, self.download.model)), ""
            )
            cost = await self._context.costs.of(self._host, self._asked, installed)
            self._tracker.expects(cost.layers)
            self.download = replace(self.download, layers=self._tracker.layers)
            is_there = cost.digest is not None and cost.digest == digest
            if is_there and self.download.why is Why.UPDATE:
                return True
            cost.check_room(self.download, self._context.claimed(self))
            if not is_there and not await self._stopped(digest):
                return False
            await self._pull()
            return True

    async def _pull(self) -> None:
        async with aclosing(self._host.pull(self._asked)) as lines:
            async for line in lines:
                now_s = time.monotonic()
                self._tracker.heard(line, now_s)
                self.download = replace(
                    self.download,
                    step=self._tracker.step,
                    layers=self._tracker.layers,
                    speed=self._tracker.speed(now_s),
                )
                self._on_change()
        await self._context.settle(self._host)

    async def _stopped(self, digest: str) -> bool:
        """Unload the model; False if it still answers a request. One that another client keeps may stay."""
        running = Loaded(await self._host.running()).find(self.download.model, digest)
        if running is None or Capability.UNLOAD not in self._host.capabilities:
            return True
        model = self.download.model
        if self.was_active is None:
            self.was_active = await self._load_request(running)
            self._on_change()
        self._put(DownloadState.RUNNING, step=later("stopping"))
        departure = await self._context.lifecycle.deactivate(
            self._host, model, reason=because(self.download.why.value)
        )
        return departure is not Departure.LEAVING

    async def _load_request(self, running: RunningModel) -> LoadRequest:
        loads: Sequence[Activation] = ()
        with suppress(StoreError):
            store = await self._context.session.store()
            loads = await store.activations.history(self._host.url, self.download.model, 1)
        return load_request(running, loads, datetime.now(UTC))

    async def _until_gone(self) -> None:
        """Wait until the model's requests have ended, without occupying a slot."""
        waits = Sentence("download.waits_for_request", {"model": self.download.model})
        self._put(DownloadState.WAITING, reason=(waits,))
        first: Sighting | None = None
        while True:
            installed, model = await self._host.installed(), self.download.model
            digest = next((each.digest for each in installed if same_model(each.name, model)), "")
            running = Loaded(await self._host.running()).find(model, digest)
            if running is None:
                return
            seen = Sighting(running.expires_at, time.monotonic())
            first = first or seen
            if is_kept(first, seen):
                return
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _start_again(self) -> bool:
        """Load the model that was unloaded; whether it is loaded. A failure is recorded by the lifecycle."""
        if self.was_active is None:
            return False
        self._put(self.download.state, step=later("starting"))
        try:
            async with self._context.admitted(self._host.url, self.download.model):
                await self._context.lifecycle.activate(
                    self._host,
                    self.download.model,
                    keep_alive=self.was_active.keep_alive,
                    context_length=self.was_active.context_length,
                    reason=because(self.download.why.value),
                )
        except HostError as error:
            reason = Sentence("download.not_loaded_again", {"error": said(error)})
            self._put(self.download.state, reason=(reason,))
            self.was_active = None
            return False
        self.was_active = None
        return True

    def _end(self, state: DownloadState, reason: Sentences) -> None:
        self.download = replace(
            self.download, state=state, step="", speed=None, reason=reason, ended_at=datetime.now(UTC)
        )
        self._on_change()

    def _put(self, state: DownloadState, *, step: str = "", reason: Sentences | None = None) -> None:
        reason = self.download.reason if reason is None else reason
        self.download = replace(self.download, state=state, step=step, speed=None, reason=reason)
        self._on_change()


async def discard(host: Host, row: DownloadRecord) -> Sentences:
    """Have the server delete incomplete files, if it can; sentences that tell what became of them."""
    try:
        if await host.discard([digest for digest, done, total in row.layers if done != total]):
            return (Sentence("kept.complete"),)
    except HostError as error:
        return Sentence("kept.not_discarded"), *said(error)
    return (Sentence("kept.until_restart"),)


# --- conversion from and to the store's record ---


def written(before: DownloadRecord, pulling: DownloadJob) -> DownloadRecord:
    """The record of a pull, brought up to date."""
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


def shown(row: DownloadRecord) -> Download:
    """The state of a pull that is not under way in this program."""
    paused = row.requested == "pause" and row.state == "waiting"
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
