"""Automatic updates of models, if the settings ask for them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import EventKind
from llmstack_tui.base.names import same_model
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.downloads.types import DownloadState
from llmstack_tui.hosts.errors import HostError
from llmstack_tui.lifecycle.states import ModelState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstack_tui.core.state import StackState
    from llmstack_tui.downloads.queue import DownloadQueue
    from llmstack_tui.downloads.types import Download
    from llmstack_tui.lifecycle.journal import Journal
    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.updates.rules import Update

_AT_REST = frozenset({ModelState.ACTIVE, ModelState.INACTIVE})


async def update_automatically(state: StackState, downloads: DownloadQueue, journal: Journal) -> None:
    """Queue the updates that are due, and record an event with the reason for each."""
    for url, names in due(state).items():
        with suppress(HostError):  # Not allowed there; or the store fails, which a notice reports.
            await downloads.update(url, names)
            for name in names:
                journal.event(
                    EventKind.UPDATE,
                    Sentence("update.automatic", {"model": name}),
                    host=url,
                    model=name,
                    reason=(Sentence("update.found"),),
                    details={"asked_by": journal.asked_by.value},
                )


def due(state: StackState) -> dict[str, tuple[str, ...]]:
    """The names of the models to update, by the URLs of their hosts.

    Models that are busy, loading or leaving have to wait. A pull of this version that failed, or that the
    user cancelled or paused, is left to the user to try again.
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


def _was_tried(model: ModelStatus, update: Update, downloads: Sequence[Download]) -> bool:
    """Whether a pull is under way, or ended without success after the version was pushed to the registry."""
    for each in downloads:
        if each.host == model.host and same_model(each.model, model.name):
            since = update.pushed_at is None or each.asked_at >= update.pushed_at
            if not each.state.is_over or (since and each.state is not DownloadState.DONE):
                return True
    return False
