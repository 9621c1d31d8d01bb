"""One host that is watched: what it tells, what its models seem to do, and what is remembered of them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmstack_tui.core.state import HostState
from llmstack_tui.hosts.poller import Poller
from llmstack_tui.lifecycle.activity import Activity, observed, worked
from llmstack_tui.lifecycle.process_usage import Processors
from llmstack_tui.lifecycle.states import find, statuses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from llmstack_tui.fit.verdict import Fitted
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import Model, Snapshot
    from llmstack_tui.lifecycle.actions import Act
    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.store.tables.figures import Speed
    from llmstack_tui.updates.rules import Update


class WatchedHost:
    """A host and its newest `HostState`.

    Args:
        on_change: is called after each change of `state` that comes from the host or from requests of ours.
        on_look: is told each newest snapshot, and the names of models that requests of ours used since the
            last one; before ``on_change``.

    Attributes:
        news: is set when the list of what is installed is another one than before.
        state: as of the last `renew`.
    """

    def __init__(
        self,
        host: Host,
        *,
        on_look: Callable[[Snapshot, frozenset[str]], None],
        on_change: Callable[[], None],
        running_every_s: float,
        installed_every_s: float,
    ) -> None:
        self.poller = Poller(
            host,
            on_round=self._looked,
            also=Processors(host.url).timed,
            running_every_s=running_every_s,
            installed_every_s=installed_every_s,
        )
        self._on_look = on_look
        self._on_change = on_change
        self._activity = Activity()
        self._in_use: Counter[str] = Counter()
        self._used: set[str] = set()
        self._listed: tuple[Model, ...] | None = None
        self.news = asyncio.Event()
        self._speeds: Mapping[str, Speed] = {}
        self._updates: Mapping[str, Update] = {}
        self._fits: Mapping[str, Fitted] = {}
        self.state = HostState(self.poller.snapshot, ())
        # What `state` was worked out from: of hundreds of models that takes some milliseconds.
        self._seen: object = None

    @property
    def host(self) -> Host:
        return self.poller.host

    @property
    def snapshot(self) -> Snapshot:
        return self.poller.snapshot

    @property
    def activity(self) -> Activity:
        """What the loaded models were seen to do."""
        return self._activity

    @property
    def in_use(self) -> frozenset[str]:
        """The names of models that answer a request of our own."""
        return frozenset(self._in_use)

    def renew(self, acts: tuple[Act, ...]) -> None:
        """Bring `state` up to date."""
        seen, models = (self.snapshot, acts, self._activity, self.in_use), self.state.models
        if seen != self._seen:
            self._seen, models = seen, statuses(*seen)
        self.state = HostState(self.snapshot, models, self._speeds, self._updates, self._fits)

    def status(self, model: str) -> ModelStatus | None:
        return find(self.state.models, model)

    def recall(self, installed: tuple[Model, ...], at: datetime) -> None:
        """Show what an earlier session saw, unless the host has answered already."""
        self.poller.recall(installed, at)
        self._on_change()

    def timed(self, *speeds: Speed) -> None:
        """Take note of answers that were timed."""
        self._speeds = {**self._speeds, **{speed.model: speed for speed in speeds}}
        self._on_change()

    def judged(self, updates: Mapping[str, Update]) -> None:
        """Take note of which models are up to date."""
        if updates != self._updates:
            self._updates = updates
            self._on_change()

    def weighed(self, fits: Mapping[str, Fitted]) -> None:
        """Take note of what models would take."""
        if fits != self._fits:
            # What is as it was stays the very same.
            known = self._fits
            self._fits = {name: known[name] if known.get(name) == fit else fit for name, fit in fits.items()}
            self._on_change()

    @contextmanager
    def using(self, model: str) -> Iterator[None]:
        """While a request of ours runs, its model is busy."""
        self._in_use[model] += 1
        self._used.add(model)
        self._on_change()
        try:
            yield
        finally:
            self._in_use -= Counter((model,))
            self._used.add(model)
            status = self.status(model)
            if status is not None and status.running is not None:
                self._activity = worked(self._activity, status.running, time.monotonic())
            self._on_change()

    def _looked(self, is_new: bool) -> None:
        before, self._activity = self._activity, observed(self._activity, self.snapshot, datetime.now(UTC))
        used, self._used = frozenset(self._used), set(self._in_use)
        self._on_look(self.snapshot, used)
        if self.snapshot.read_at is not None and self.snapshot.installed is not self._listed:
            self._listed = self.snapshot.installed
            self.news.set()
        if is_new or before.signs() != self._activity.signs():
            self._on_change()
