"""One pull, from its turn to its end: a model that is active leaves first and is started again afterwards."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.kinds import Capability
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
# A server that ends in the middle again and again, each time with something new, is left alone then.
_CUTS = 10


class DownloadContext(Struct, frozen=True, kw_only=True):
    """What pulls work with.

    Attributes:
        slots: as many as may run at once.
        claimed: bytes that other pulls will still take of the same disk.
        patient: a server that does not answer is waited for, and room on the disk, too.
        settle: is awaited when what is installed has changed.
    """

    lifecycle: Lifecycle
    session: StoreSession
    costs: Costs
    slots: asyncio.Semaphore
    settle: Callable[[Host], Awaitable[None]]
    claimed: Callable[[DownloadJob], int]
    patient: bool = True


_GOES_ON = {Unreachable: "download.waits_for_server", NoRoom: "download.waits_for_room"}


class DownloadJob:
    """A pull that is under way. `run` it, once.

    Args:
        asked: the name as it is sent to the server.
        was_active: how the model was in memory before it was stopped, if an earlier run did so.
        on_change: is called after each change of ``download``.

    Attributes:
        download: how it is.
        was_active: how the model was before it was stopped; None while it was not.
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
        """End it soon; it can be taken up again. What was stopped for it is started again."""
        if self._work is not None:
            self._work.cancel()

    async def run(self) -> None:
        """Until it is over, or was interrupted: then it is WAITING. Cancelled, it leaves all as it is."""
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
                # Whoever takes this up again has it to do.
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
        """Work the speed out again, also while nothing comes."""
        if self.download.state is DownloadState.RUNNING:
            speed = self._tracker.speed(now_s)
            if speed != self.download.speed:
                self.download = replace(self.download, speed=speed)
                self._on_change()

    # --- the parts ---

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
                goes_on = Sentence(_GOES_ON[type(error)])
                self._put(DownloadState.WAITING, reason=(error.sentence, goes_on))
                await asyncio.sleep(_TRY_EVERY_S)

    async def _turn(self) -> bool:
        """Do it as soon as there is a turn for it; False if the model still answers a request."""
        async with self._context.slots:
            self._put(DownloadState.RUNNING, step="asking the registry", reason=())
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
        """Whether the model is out of the way: not in memory, or kept there by somebody else."""
        running = Loaded(await self._host.running()).find(self.download.model, digest)
        if running is None or Capability.UNLOAD not in self._host.capabilities:
            return True
        model = self.download.model
        if self.was_active is None:
            self.was_active = await self._load_request(running)
            self._on_change()
        self._put(DownloadState.RUNNING, step="stopping")
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
        """Wait until its requests have ended, without taking another's turn."""
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
        """Start what was stopped; what goes wrong with that is on record as a failed start."""
        if self.was_active is None:
            return False
        self._put(self.download.state, step="starting")
        try:
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


async def discarded(host: Host, row: DownloadRecord) -> Sentences:
    """Have what came thrown away, where that can be; what became of it."""
    try:
        if await host.discard([digest for digest, done, total in row.layers if done != total]):
            return (Sentence("kept.complete"),)
    except HostError as error:
        return Sentence("kept.not_discarded"), *said(error)
    return (Sentence("kept.until_restart"),)


# --- a pull as the store has it, and as a screen shows it ---


def written(before: DownloadRecord, pulling: DownloadJob) -> DownloadRecord:
    """As it is to be remembered."""
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
    """As it is shown while nobody here has it under way."""
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
