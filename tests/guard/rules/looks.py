"""Looks at a host, one after the other, as the guard gets them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import Capability
from llmstack_tui.guard.rules.watch import Look, Rules, Watch, looked
from llmstack_tui.hosts.types import RunningModel, Snapshot
from llmstack_tui.lifecycle.activity import Activity, observed

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.guard.types import LoadedModel, Situation
    from llmstack_tui.hosts.types import Model

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def running(name: str, expires_in_s: float = 300.0, **more: object) -> RunningModel:
    """A model that leaves so long after `NOW`."""
    values: dict[str, object] = {"expires_at": NOW + timedelta(seconds=expires_in_s), "size": 9, **more}
    return RunningModel(name=name, digest=str(values.pop("digest", name)), **values)  # type: ignore[arg-type]


class Looks:
    """What was seen so far.

    Attributes:
        now_s: the monotonic clock.
        clock: what the other clock is ahead of it.
    """

    def __init__(self, rules: Rules | None = None, *installed: Model) -> None:
        self.rules = rules or Rules()
        self.installed = installed
        self.now_s = 0.0
        self.clock = timedelta(0)
        self.watch = Watch()
        self.activity = Activity()
        self.asked: dict[str, float] = {}
        self.ours = True
        self.host = ""
        self.elsewhere: tuple[LoadedModel, ...] = ()
        self.let_go: tuple[str, ...] = ()
        self.cooled_s: float | None = None

    def look(
        self, *models: RunningModel, after_s: float = 2.0, used: tuple[str, ...] = (), heat: Sentences = ()
    ) -> Situation:
        self.now_s += after_s
        now = NOW + timedelta(seconds=self.now_s) + self.clock
        snapshot = Snapshot(url="http://x", capabilities=Capability.LIST, running=models, read_at=self.now_s)
        self.activity = observed(self.activity, snapshot, now)
        look = Look(
            read_at_s=self.now_s,
            running=models,
            installed=self.installed,
            activity=self.activity,
            used=used,
            asked=self.asked,
            heat=heat,
            host=self.host,
            elsewhere=self.elsewhere,
            let_go=self.let_go,
            cooled_s=self.cooled_s,
        )
        self.watch, situation = looked(self.watch, look, self.rules, lambda _: self.ours)
        return situation
