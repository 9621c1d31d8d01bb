"""Which loaded models show a sign of work, and since when the others show none. Pure.

A server does not say whether a model is busy. What can be seen of Ollama (0.24 and 0.32):

- ``expires_at`` is set when the last running request ends; during the first request after a load it moves at
  every look; during later ones it stands still, and may come to lie in the past.
- So a model is busy when ``expires_at`` moved in both of the last two looks, or lay in the past in both.
- The built-in engine says how many requests run, which settles it.
- Where its process runs on this machine and computed between two looks, it is busy.

No sign is no proof: a long request on another machine shows none. A wrong guess is safe, because a stop
waits for the request. Servers of other kinds, which would cut it off, are not asked while they are seen to
answer (see `openai.servers`); a model without any sign is not idle for too long (`RunningModel.shows_work`).

Everything is measured in monotonic seconds. When ``expires_at`` moves, its distance from the clock is taken
once; so a clock that jumps, or a machine that sleeps, makes no model busy and none idle for longer.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import Struct, field

from llmstack_tui.base.durations import ENDLESS, LONGEST
from llmstack_tui.base.structs import replace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from llmstack_tui.hosts.types import RunningModel, Snapshot

_LOOKS = 2
# Share of the time between two looks; a process that waits for a request computes nothing.
_COMPUTES = 0.05
# Between an answer and the time recorded for it.
_NOISE = timedelta(seconds=1)
_Key = tuple[str, str]


class Trace(Struct, frozen=True, kw_only=True):
    """What successive looks saw of one loaded model.

    Attributes:
        due_at_s: when ``expires_at`` is reached; None if the server does not tell.
        moved, past: in how many consecutive looks ``expires_at`` moved, or lay in the past; at most two.
        worked_at_s: the last look that found it at work, or found that it had worked since the look before.
        processor_s: processor time of its process by the look at ``read_at_s``.
        computing: it computed between the last two looks.
        at_least: nobody looked before ``worked_at_s``, so it may have last worked at any time before that.
    """

    expires_at: datetime | None
    due_at_s: float | None
    worked_at_s: float
    moved: int = 0
    past: int = 0
    requests: int | None = None
    read_at_s: float = 0.0
    processor_s: float | None = None
    computing: bool = False
    at_least: bool = False

    @property
    def busy(self) -> bool:
        if self.requests is not None:
            return self.requests > 0
        return self.computing or _LOOKS in (self.moved, self.past)


class Activity(Struct, frozen=True):
    """The traces of all models that a host lists as loaded, by name and digest."""

    traces: Mapping[_Key, Trace] = field(default_factory=dict)
    begun: bool = False

    def of(self, running: RunningModel) -> Trace | None:
        return self.traces.get(_key(running))

    def signs(self) -> Mapping[_Key, float | None]:
        """The part to be shown: since when each model is idle, None for a busy one."""
        return {key: None if trace.busy else trace.worked_at_s for key, trace in self.traces.items()}


def observed(before: Activity, snapshot: Snapshot, now: datetime) -> Activity:
    """The activity after one more look. A failed look changes nothing.

    Args:
        now: the time of the look by this machine's clock, which is assumed to agree with the server's.
    """
    read_at_s = snapshot.read_at
    if snapshot.error is not None or read_at_s is None:
        return before
    return Activity(
        {
            _key(model): _met(model, read_at_s, now, at_least=not before.begun)
            if (trace := before.of(model)) is None
            else _followed(trace, model, read_at_s, now)
            for model in snapshot.running
        },
        begun=True,
    )


def worked(before: Activity, running: RunningModel, at_s: float) -> Activity:
    """The activity after a request of our own has ended."""
    trace = before.of(running)
    if trace is None:
        return before
    changed = replace(trace, worked_at_s=max(trace.worked_at_s, at_s), at_least=False)
    return Activity({**before.traces, _key(running): changed}, before.begun)


def idle_time(
    running: RunningModel, now: datetime, *, keep_alive: timedelta | None, loaded_at: datetime | None
) -> timedelta | None:
    """How long a model has been idle, from a single look; None if it is busy or that cannot be told.

    When a request ends, ``expires_at`` is set to that moment plus the keep-alive; so it tells when the last
    request ended, unless another client set another keep-alive. Impossible results are not returned.

    Args:
        keep_alive: with which it was loaded; None if not known.
        loaded_at: when it was loaded; None if not known.
    """
    if running.requests:
        return None
    if running.used_at is not None:
        return max(now - running.used_at, timedelta(0))
    if running.expires_at is None or running.expires_at < now:
        return None
    left = running.expires_at - now
    stays = LONGEST if left > ENDLESS else keep_alive
    if stays is None or stays < left - _NOISE:
        return None
    idle = max(stays - left, timedelta(0))
    return None if loaded_at is not None and idle > now - loaded_at + _NOISE else idle


def _met(model: RunningModel, read_at_s: float, now: datetime, *, at_least: bool) -> Trace:
    due_at_s = _due(model, read_at_s, now)
    idle = timedelta(0) if model.used_at is None else max(now - model.used_at, timedelta(0))
    return Trace(
        expires_at=model.expires_at,
        due_at_s=due_at_s,
        worked_at_s=read_at_s - idle.total_seconds(),
        past=int(due_at_s is not None and due_at_s < read_at_s),
        requests=model.requests,
        read_at_s=read_at_s,
        processor_s=model.processor_s,
        at_least=at_least and model.used_at is None,
    )


def _followed(trace: Trace, model: RunningModel, read_at_s: float, now: datetime) -> Trace:
    has_moved = model.expires_at != trace.expires_at
    due_at_s = _due(model, read_at_s, now) if has_moved else trace.due_at_s
    is_past = due_at_s is not None and due_at_s < read_at_s
    seen = Trace(
        expires_at=model.expires_at,
        due_at_s=due_at_s,
        worked_at_s=trace.worked_at_s,
        moved=min(trace.moved + 1, _LOOKS) if has_moved else 0,
        past=min(trace.past + 1, _LOOKS) if is_past else 0,
        requests=model.requests,
        read_at_s=read_at_s,
        processor_s=model.processor_s,
        computing=_has_computed(trace, model, read_at_s),
        at_least=trace.at_least,
    )
    # A request that ended since the previous look ended now at the latest.
    return replace(seen, worked_at_s=read_at_s, at_least=False) if has_moved or seen.busy else seen


def _has_computed(trace: Trace, model: RunningModel, read_at_s: float) -> bool:
    if trace.processor_s is None or model.processor_s is None:
        return False
    return model.processor_s - trace.processor_s > _COMPUTES * (read_at_s - trace.read_at_s)


def _due(model: RunningModel, read_at_s: float, now: datetime) -> float | None:
    return None if model.expires_at is None else read_at_s + (model.expires_at - now).total_seconds()


def _key(running: RunningModel) -> _Key:
    return running.name, running.digest
