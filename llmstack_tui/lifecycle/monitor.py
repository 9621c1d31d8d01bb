"""Watches one host: its snapshots, the activity of its models, and how fast they answered us."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.names import model_key
from llmstack_tui.base.structs import replace
from llmstack_tui.hosts.poller import Poller
from llmstack_tui.lifecycle.activity import Activity, observed, worked
from llmstack_tui.lifecycle.states import statuses
from llmstack_tui.store.tables.figures import Speed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from llmstack_tui.hardware.processes import ModelProcesses, ProcessKey, ProcessUse
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import Model, RunningModel, Snapshot
    from llmstack_tui.lifecycle.actions import Act
    from llmstack_tui.lifecycle.states import ModelStatus


class HostMonitor:
    """A host, the newest snapshot of it, and the state of each of its models.

    Args:
        acts: returns our acts under way, on all hosts.
        on_snapshot: called with this monitor after each poll, before ``on_change``.
        on_change: called when `models`, `speeds` or the snapshot may have changed.
        processes: each poll also reads the memory and processor time of the loaded models' processes.

    Attributes:
        speeds: the last timed answer to us, by model name, of this or an earlier session.
        used: names of the models that our own requests used between the last two polls.
        activity: of the loaded models.
        listed: set when the list of installed models has changed.
    """

    def __init__(
        self,
        host: Host,
        *,
        acts: Callable[[], tuple[Act, ...]],
        on_snapshot: Callable[[HostMonitor], None],
        on_change: Callable[[], None],
        running_every_s: float,
        installed_every_s: float,
        processes: bool = True,
    ) -> None:
        self.poller = Poller(
            host,
            on_round=self._polled,
            enrich=ProcessReader(host.url).timed if processes else None,
            running_every_s=running_every_s,
            installed_every_s=installed_every_s,
        )
        self.speeds: Mapping[str, Speed] = {}
        self.used: frozenset[str] = frozenset()
        self.activity = Activity()
        self.listed = asyncio.Event()
        self._acts = acts
        self._on_snapshot = on_snapshot
        self._on_change = on_change
        self._in_use: Counter[str] = Counter()
        self._used: set[str] = set()
        self._installed: tuple[Model, ...] | None = None
        self._models: tuple[ModelStatus, ...] = ()
        # The input of `_models`: computing hundreds of them takes some milliseconds.
        self._source: object = None
        self._is_old = True

    @property
    def host(self) -> Host:
        return self.poller.host

    @property
    def snapshot(self) -> Snapshot:
        return self.poller.snapshot

    @property
    def models(self) -> tuple[ModelStatus, ...]:
        """Every model of the host."""
        if self._is_old:
            self._is_old, snapshot, acts, in_use = False, self.snapshot, self._acts(), frozenset(self._in_use)
            source = snapshot.installed, snapshot.running, acts, self.activity.signs(), in_use
            if source != self._source:
                self._source, self._models = source, statuses(snapshot, acts, self.activity, in_use)
        return self._models

    def renew(self) -> None:
        """Note that the snapshot, our acts under way or the activity have changed."""
        self._is_old = True
        self._on_change()

    def status(self, model: str) -> ModelStatus | None:
        """The model of that name, in any spelling (see `model_key`)."""
        key = model_key(model)
        return next((each for each in self.models if each.name == model or model_key(each.name) == key), None)

    def recall(self, installed: tuple[Model, ...], at: datetime) -> None:
        """Show the list of an earlier session, unless the host has answered already."""
        self.poller.recall(installed, at)
        self.renew()

    def add_speeds(self, *speeds: Speed) -> None:
        """Take note of timed answers."""
        if speeds:
            self.speeds = {**self.speeds, **{speed.model: speed for speed in speeds}}
            self._on_change()

    def told_speeds(self) -> tuple[Speed, ...]:
        """The answers to anybody that the server has timed, and that are news."""
        news = tuple(
            Speed(
                at=each.answer.at,
                host=self.snapshot.url,
                model=each.name,
                digest=each.digest,
                tokens_per_second=each.answer.tokens_per_second,
                first_token=each.answer.first_token,
            )
            for each in self.snapshot.running
            if each.answer is not None and self._is_news(each.name, each.answer.at)
        )
        self.add_speeds(*news)
        return news

    def _is_news(self, model: str, at: datetime) -> bool:
        known = self.speeds.get(model)
        # An answer to us was timed here a moment after the server did.
        return known is None or at > known.at + _SAME_ANSWER

    @contextmanager
    def using(self, model: str) -> Iterator[None]:
        """Show a model as busy while a request of our own runs within."""
        self._in_use[model] += 1
        self._used.add(model)
        self.renew()
        try:
            yield
        finally:
            self._in_use -= Counter((model,))
            self._used.add(model)
            status = self.status(model)
            if status is not None and status.running is not None:
                self.activity = worked(self.activity, status.running, time.monotonic())
            self.renew()

    def _polled(self, is_new: bool) -> None:
        before, self.activity = self.activity, observed(self.activity, self.snapshot, datetime.now(UTC))
        self.used, self._used = frozenset(self._used), set(self._in_use)
        self._on_snapshot(self)
        if self.snapshot.read_at is not None and self.snapshot.installed is not self._installed:
            self._installed = self.snapshot.installed
            self.listed.set()
        if is_new or before.signs() != self.activity.signs():
            self.renew()


_SAME_ANSWER = timedelta(seconds=2)

# Bytes of memory are rounded down to this: smaller changes are not shown.
_GRAIN = 2**18


class ProcessReader:
    """Adds figures of the operating system about their processes to the models loaded at ``url``."""

    def __init__(self, url: str) -> None:
        self._is_here = is_loopback(url)
        self._processes: ModelProcesses | None = None

    async def timed(self, running: tuple[RunningModel, ...]) -> tuple[RunningModel, ...]:
        """``running`` with memory and processor time of the processes that run on this machine."""
        if not self._is_here:
            # The process id of another machine means another process here.
            return tuple(replace(each, pid=None) if each.pid is not None else each for each in running)
        wanted = {key for each in running if (key := _key(each))}
        if not wanted:
            return running
        used = await asyncio.to_thread(self._read, wanted)
        return tuple(_used(each, use) if (use := used.get(_key(each))) else each for each in running)

    def _read(self, wanted: set[ProcessKey]) -> Mapping[ProcessKey, ProcessUse]:
        if self._processes is None:
            from llmstack_tui.hardware.processes import ModelProcesses  # noqa: PLC0415 (with its own imports)

            self._processes = ModelProcesses()
        return self._processes.used(wanted)


def _key(running: RunningModel) -> ProcessKey:
    return running.pid or running.weights_digest or ""


def _used(running: RunningModel, use: ProcessUse) -> RunningModel:
    return replace(
        running,
        pid=use.pid,
        # Not needed if the server counts requests.
        processor_s=use.processor_s if running.requests is None else None,
        resident=use.resident // _GRAIN * _GRAIN,
        mapped=use.mapped // _GRAIN * _GRAIN,
    )
