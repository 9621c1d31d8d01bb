"""Which newer versions are fetched without anybody's asking. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from llmstack_tui.base.names import same_model
from llmstack_tui.downloads.types import DownloadState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llmstack_tui.downloads.types import Download
    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.updates.rules import Update


class Host(Protocol):
    """A host as its newest state has it."""

    @property
    def models(self) -> tuple[ModelStatus, ...]: ...

    @property
    def updates(self) -> Mapping[str, Update]: ...


class State(Protocol):
    """What is known of all hosts."""

    @property
    def hosts(self) -> Sequence[Host]: ...

    @property
    def downloads(self) -> Sequence[Download]: ...


def due(state: State) -> dict[str, tuple[str, ...]]:
    """The names of the models by the URLs of their hosts.

    Not those that are busy, being loaded or leaving; nor those whose last pull of this version the user
    cancelled or paused, or that failed: that is for the user to try again.
    """
    found: dict[str, tuple[str, ...]] = {}
    for host in state.hosts:
        for model in host.models:
            update = host.updates.get(model.name)
            if update is None or not update.is_for_all:
                continue
            if not model.busy and model.state in _AT_REST and not _was_tried(model, update, state.downloads):
                found[model.host] = (*found.get(model.host, ()), model.name)
    return found


_AT_REST = frozenset({"active", "inactive"})


def _was_tried(model: ModelStatus, update: Update, downloads: Sequence[Download]) -> bool:
    """Whether a pull is under way, or came to nothing since the registry got the version."""
    for each in downloads:
        if each.host == model.host and same_model(each.model, model.name):
            since = update.pushed_at is None or each.asked_at >= update.pushed_at
            if not each.state.is_over or (since and each.state is not DownloadState.DONE):
                return True
    return False
