"""What is newer is fetched without anybody's asking, where the settings say so."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from llmstack_tui.hosts.errors import HostError
from llmstack_tui.hosts.text import printable
from llmstack_tui.lifecycle.happenings import EventKind
from llmstack_tui.updates.automatic import due

if TYPE_CHECKING:
    from llmstack_tui.lifecycle.recorder import Recorder
    from llmstack_tui.stack.state import StackState
    from llmstack_tui.updates.queue import Downloads


async def update_by_itself(state: StackState, downloads: Downloads, recorder: Recorder) -> None:
    """Ask for what is newer; each is an event with its reason."""
    for url, names in due(state).items():
        with suppress(HostError):  # Not allowed there; or the store is away, of which a notice tells.
            await downloads.update(url, names)
            for name in names:
                recorder.event(
                    EventKind.UPDATE,
                    f"{printable(name)} is updated by itself.",
                    host=url,
                    model=name,
                    reason="A newer version was found, and updates.automatic is on.",
                    details={"asked_by": recorder.asked_by.value},
                )
