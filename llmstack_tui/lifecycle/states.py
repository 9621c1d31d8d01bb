"""The state of every model of a host, from its snapshot and our acts under way. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from llmstack_tui.lifecycle.acts import ActKind
from llmstack_tui.ollama.names import same_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from llmstack_tui.hosts.types import Model, RunningModel, Snapshot
    from llmstack_tui.lifecycle.acts import Act


class ModelState(StrEnum):
    """Where a model is between disk and memory.

    LOADING is known of our own activations only, because a server lists nothing until a load ends.
    STOPPING is still listed after our stop: it leaves when its request ends, and holds memory until then.
    """

    ACTIVE = "active"
    LOADING = "loading"
    STOPPING = "stopping"
    INACTIVE = "inactive"
    CLOUD = "cloud"


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """One model of one host.

    Attributes:
        host: the base URL of the host.
        model: as installed; None for one that is loaded but installed under no name any more.
        running: as loaded; the same object for several names that share one runner.
    """

    host: str
    name: str
    state: ModelState
    model: Model | None = None
    running: RunningModel | None = None


def statuses(snapshot: Snapshot, acts: Sequence[Act] = ()) -> tuple[ModelStatus, ...]:
    """Every installed model in the server's order, then those that are loaded and installed under no name."""
    ours = [act for act in acts if act.host == snapshot.url]
    installed = [
        (model.name, model, find_running(snapshot.running, model.name, model.digest))
        for model in snapshot.installed
    ]
    known = {id(running) for _, _, running in installed if running is not None}
    orphans = [(running.name, None, running) for running in snapshot.running if id(running) not in known]
    return tuple(
        ModelStatus(snapshot.url, name, _state(name, model, running, ours), model, running)
        for name, model, running in (*installed, *orphans)
    )


def find_running(running: Iterable[RunningModel], name: str, digest: str = "") -> RunningModel | None:
    """The loaded model that ``name`` stands for: listed under that name or, if under none, with that digest.

    Two names over the same weights share one runner, which is listed under the name that loaded first.
    """
    candidates = tuple(running)
    by_name = (each for each in candidates if same_model(each.name, name))
    by_digest = (each for each in candidates if digest and each.digest == digest)
    return next(by_name, None) or next(by_digest, None)


def _state(name: str, model: Model | None, running: RunningModel | None, acts: Iterable[Act]) -> ModelState:
    kinds = {act.kind for act in acts if same_model(act.model, name)}
    if model is not None and model.is_cloud:
        return ModelState.CLOUD
    if running is not None:
        return ModelState.STOPPING if ActKind.DEACTIVATE in kinds else ModelState.ACTIVE
    return ModelState.LOADING if ActKind.ACTIVATE in kinds else ModelState.INACTIVE
