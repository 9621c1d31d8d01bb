"""The poller of one host: keeps its newest snapshot, and calls back when it changes."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from llmstack_tui.base.structs import replace
from llmstack_tui.hosts.errors import HostError
from llmstack_tui.hosts.types import Snapshot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import Model, RunningModel

    _Running = tuple[RunningModel, ...]

_HIDDEN_FACTOR = 5
# The weight of one measurement in the latency, and the smallest difference that changes it.
_LATENCY_WEIGHT = 0.25
_LATENCY_STEP_S = 0.1
_BACK_OFF_S = (2.0, 4.0, 8.0, 15.0)


class Poller:
    """Polls a host in rounds, one at a time, during `run`.

    After a failed round, the snapshot keeps its figures, beside the error and the time of the next try; the
    pauses grow to 15 seconds.

    Args:
        on_round: called after each round with whether something has changed; also when a round begins before
            ``retry_at``. A new ``read_at`` alone is not a change.
        enrich: adds to the running models what other sources know about them.
        running_every_s: seconds from the end of a round to the next. Each asks for the running models.
        installed_every_s: seconds after which a round also asks for the version and the installed models.

    Attributes:
        snapshot: what is known now.
    """

    def __init__(
        self,
        host: Host,
        *,
        on_round: Callable[[bool], None] = lambda _: None,
        enrich: Callable[[_Running], Awaitable[_Running]] | None = None,
        running_every_s: float = 2.0,
        installed_every_s: float = 30.0,
    ) -> None:
        self.host = host
        self.snapshot = Snapshot(url=host.url, capabilities=host.capabilities)
        self._on_round = on_round
        self._enrich = enrich
        self._running_every_s = running_every_s
        self._installed_every_s = installed_every_s
        self._installed_at = 0.0
        self._all_due = True
        self._failures = 0
        self._visible = True
        self._wake = asyncio.Event()
        self._waiting: list[asyncio.Future[None]] = []
        self._over = False

    @property
    def visible(self) -> bool:
        """Whether the figures are on the screen. While they are not, rounds come less often."""
        return self._visible

    @visible.setter
    def visible(self, visible: bool) -> None:
        if visible and not self._visible:
            self._wake.set()
        self._visible = visible

    def refresh(self) -> None:
        """Ask again at once, for everything."""
        self._all_due = True
        self._wake.set()

    async def refreshed(self) -> None:
        """Wait until a round that began after this call is over, or until polling has ended."""
        if self._over:
            return
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        self.refresh()
        await waiting

    async def run(self) -> None:
        """Poll until cancelled."""
        try:
            while True:
                self._wake.clear()
                waiting, self._waiting = self._waiting, []
                try:
                    await self._round()
                finally:
                    _release(waiting)
                await self._pause()
        finally:
            self._over = True
            _release(self._waiting)

    async def poll(self) -> None:
        """One round now, which asks for everything; for a caller that does not use `run`."""
        self._all_due = True
        await self._round()

    def recall(self, installed: tuple[Model, ...], at: datetime) -> None:
        """Until the host has answered, show what it listed in an earlier session."""
        if self.snapshot.read_at is None:
            self.snapshot = replace(self.snapshot, installed=installed, recalled_at=at)

    async def _round(self) -> None:
        if self.snapshot.retry_at is not None and self.snapshot.retry_at > (now := time.monotonic()):
            self._put(replace(self.snapshot, retry_at=now))
        try:
            newest = await self._read(self.snapshot)
            self._failures = 0
        except HostError as error:
            self._failures += 1
            # Another server may answer after an outage.
            self._all_due = True
            newest = replace(self.snapshot, error=error, retry_at=time.monotonic() + self.pause_s)
        self._put(newest)

    def _put(self, newest: Snapshot) -> None:
        before, self.snapshot = self.snapshot, newest
        self._on_round(comparable(before) != comparable(newest))

    async def _read(self, before: Snapshot) -> Snapshot:
        server, installed, now = before.server, before.installed, time.monotonic()
        if (
            self._all_due
            or server is None
            or now - self._installed_at >= self._slowed(self._installed_every_s)
        ):
            # Before the first request, so that a refresh asked for meanwhile is not lost.
            self._all_due, self._installed_at = False, now
            server = await self.host.version()
            newest = await self.host.installed()
            installed = installed if newest == installed else newest
        asked_at = time.monotonic()
        running = await self.host.running()
        read_at = time.monotonic()
        if self._enrich is not None:
            running = await self._enrich(running)
        return Snapshot(
            url=self.host.url,
            capabilities=self.host.capabilities,
            server=server,
            installed=installed,
            left_out=self.host.left_out,
            running=running,
            read_at=read_at,
            latency_s=smoothed_latency(before.latency_s, read_at - asked_at),
        )

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self.pause_s):
                await self._wake.wait()

    @property
    def pause_s(self) -> float:
        """Seconds from the end of a round to the next one."""
        failed = _BACK_OFF_S[min(self._failures, len(_BACK_OFF_S)) - 1] if self._failures else 0.0
        return max(failed, self._slowed(self._running_every_s))

    def _slowed(self, seconds: float) -> float:
        return seconds if self._visible else seconds * _HIDDEN_FACTOR


def comparable(snapshot: Snapshot) -> object:
    """The part of a snapshot whose changes count. Errors with the same words are equal."""
    error = snapshot.error
    words = None if error is None else (type(error), error.kind, error.params, error.detail)
    return replace(snapshot, read_at=0.0, error=None), words, snapshot.read_at is None


def smoothed_latency(before: float | None, now: float) -> float:
    """The latency so far, moved towards the new one if a person would notice the difference."""
    if before is None:
        return now
    change = now - before
    return before + _LATENCY_WEIGHT * change if abs(change) > max(_LATENCY_STEP_S, before / 3) else before


def _release(waiting: list[asyncio.Future[None]]) -> None:
    for future in waiting:
        if not future.done():
            future.set_result(None)
