"""What is newer is fetched without anybody's asking, where the settings say so."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.core.automatic import due
from llmstack_tui.hosts.errors import HostError
from llmstack_tui.lifecycle.changes import EventKind

if TYPE_CHECKING:
    from llmstack_tui.core.state import StackState
    from llmstack_tui.downloads.queue import Downloads
    from llmstack_tui.lifecycle.journal import Journal


async def update_by_itself(state: StackState, downloads: Downloads, journal: Journal) -> None:
    """Ask for what is newer; each is an event with its reason."""
    for url, names in due(state).items():
        with suppress(HostError):  # Not allowed there; or the store is away, of which a notice tells.
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
