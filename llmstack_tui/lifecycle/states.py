"""The state of every model of a host, from its snapshot and our acts under way. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from llmstack_tui.base.languages import later
from llmstack_tui.base.names import model_key
from llmstack_tui.lifecycle.actions import ActKind
from llmstack_tui.lifecycle.activity import Activity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from llmstack_tui.hosts.types import Model, RunningModel, Snapshot
    from llmstack_tui.lifecycle.actions import Act
    from llmstack_tui.lifecycle.activity import Trace

_UNSEEN = Activity()


class ModelState(StrEnum):
    """Where a model is between disk and memory. The values are shown, in the language of the moment.

    LOADING: by an activation of ours; the loads of others are not seen, as a server lists them when they end.
    STOPPING: still listed after our stop: it leaves when its request ends, and holds memory until then.
    """

    ACTIVE = later("active")
    LOADING = later("loading")
    STOPPING = later("stopping")
    INACTIVE = later("inactive")
    CLOUD = later("cloud")


class ModelStatus(Struct, frozen=True):
    """One model of one host.

    Attributes:
        host: the base URL of the host.
        model: as installed; None if it is loaded but no longer installed under any name.
        running: as loaded; the same object for several names that share one process. None if not loaded.
        busy: there is a sign that it answers a request; the absence of a sign is no proof (see `activity`).
        idle_since_s: monotonic seconds when it was last seen at work; None if it is busy or not loaded.
        idle_at_least: it may have been idle for longer, as nobody looked before.
        due_at_s: monotonic seconds when its ``expires_at`` is reached, independent of changes to the clock;
            None if not known.
        shares: the other names, as installed, that the same process answers to. Stopping one stops all.
        counted_with: the name of them whose row has the process's figures; "" if that is this one.
    """

    host: str
    name: str
    state: ModelState
    model: Model | None = None
    running: RunningModel | None = None
    busy: bool = False
    idle_since_s: float | None = None
    idle_at_least: bool = False
    due_at_s: float | None = None
    shares: tuple[str, ...] = ()
    counted_with: str = ""


def statuses(
    snapshot: Snapshot,
    acts: Sequence[Act] = (),
    activity: Activity = _UNSEEN,
    in_use: Collection[str] = (),
) -> tuple[ModelStatus, ...]:
    """Every installed model in the server's order, then the loaded models that are no longer installed.

    Args:
        activity: of the loaded models.
        in_use: names of the models that answer a request of our own.
    """
    under_way = {model_key(act.model): act.kind for act in acts if act.host == snapshot.url}
    loaded = Loaded(snapshot.running)
    installed = [(model.name, model, loaded.find(model.name, model.digest)) for model in snapshot.installed]
    names: dict[int, list[str]] = {}
    for name, _, running in installed:
        if running is not None:
            names.setdefault(id(running), []).append(name)
    orphans = [(running.name, None, running) for running in snapshot.running if id(running) not in names]

    used = {id(loaded.find(name, _digest(snapshot, name))) for name in in_use}
    work = {
        # How long one is idle that cannot be seen at work, is not known.
        id(running): _work(activity.of(running) if running.shows_work else None, id(running) in used)
        for running in snapshot.running
    }

    def status(name: str, model: Model | None, running: RunningModel | None) -> ModelStatus:
        shares, counted_with = _shares(name, running, names.get(id(running), ())) if running else ((), "")
        # Parsing a name takes microseconds, and a list may have a thousand: done only if there are acts.
        act = under_way.get(model_key(name)) if under_way else None
        if under_way and any(under_way.get(model_key(each)) is ActKind.DEACTIVATE for each in shares):
            act = ActKind.DEACTIVATE
        return ModelStatus(
            snapshot.url,
            name,
            _state(model, running, act),
            model,
            running,
            *work.get(id(running), _NONE),
            shares=shares,
            counted_with=counted_with,
        )

    return tuple(status(name, model, running) for name, model, running in (*installed, *orphans))


def _shares(name: str, running: RunningModel, names: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """The other names among ``names`` of a process, and the one that is counted if it is not ``name``."""
    others = tuple(each for each in names if each != name)
    first = running.name if running.name in names else next(iter(names), name)
    return others, first if others and first != name else ""


class _Work(NamedTuple):
    """The fields of `ModelStatus` about a loaded model's work."""

    busy: bool = False
    idle_since_s: float | None = None
    idle_at_least: bool = False
    due_at_s: float | None = None


_NONE = _Work()


def _work(trace: Trace | None, used_by_us: bool) -> _Work:
    due_at_s = trace.due_at_s if trace else None
    if used_by_us or (trace is not None and trace.busy):
        return _Work(busy=True, due_at_s=due_at_s)
    return _NONE if trace is None else _Work(False, trace.worked_at_s, trace.at_least, due_at_s)


def _digest(snapshot: Snapshot, name: str) -> str:
    key = model_key(name)
    return next((model.digest for model in snapshot.installed if model_key(model.name) == key), "")


class Loaded:
    """The loaded models of a host, to be found by name or digest."""

    def __init__(self, running: Iterable[RunningModel]) -> None:
        # If two share a digest the first one counts, so the later ones are put in first.
        models = tuple(reversed(tuple(running)))
        self._by_name = {model_key(model.name): model for model in models}
        self._by_digest = {digest: model for model in models for digest in model.answers_for}
        self._by_digest |= {model.digest: model for model in models if model.digest}

    def find(self, name: str, digest: str = "") -> RunningModel | None:
        """The loaded model of that name or, if there is none, the one that answers for that digest.

        Two names for the same weights share one process, which is listed under the name that loaded first.
        """
        if not self._by_name:
            return None
        return self._by_name.get(model_key(name)) or self._by_digest.get(digest)


def _state(model: Model | None, running: RunningModel | None, act: ActKind | None) -> ModelState:
    if model is not None and model.is_cloud:
        return ModelState.CLOUD
    if running is not None:
        return ModelState.STOPPING if act is ActKind.DEACTIVATE else ModelState.ACTIVE
    return ModelState.LOADING if act is ActKind.ACTIVATE else ModelState.INACTIVE
