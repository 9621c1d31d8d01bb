"""Says once of each load that fell back to the processor: nobody else does, and it is many times slower."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.text import clean
from llmstack_tui.core.wording import text
from llmstack_tui.tui.controller import Controller
from llmstack_tui.tui.draw.figures import on_cpu_text
from llmstack_tui.tui.shell import NoteKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.core.state import StackState
    from llmstack_tui.lifecycle.placement import Fallback
    from llmstack_tui.tui.shell import Shell

    Fallen = Mapping[tuple[str, str, str], Fallback]
    """By the host, the name and the digest of the model."""


class FallbackNotifier(Controller):
    """Follows what is loaded. What has left and comes again is told again."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._told: Fallen = {}

    def follow(self, state: StackState) -> None:
        before, self._told = self._told, _fallen(state)
        news = [(key[1], found) for key, found in self._told.items() if key not in before]
        if not news:
            return
        name, first = news[0]
        if len(news) == 1:
            said = f"{clean(name, limit=60)} is {on_cpu_text(first.percent)}. {text(first.cause)}"
        else:
            names = ", ".join(clean(each, limit=30) for each, _ in news[:5])
            slow = f"{len(news)} models are not wholly on the card, which is slow: {names}."
            said = f"{slow} {text(first.cause)}"
        self._shell.record(NoteKind.NOTE, said)
        self._shell.warn(said, title="On the CPU")


def _fallen(state: StackState) -> Fallen:
    if state.machine is None or not any(host.snapshot.running for host in state.hosts):
        return {}
    from llmstack_tui.lifecycle.placement import fallen

    return {
        (host.snapshot.url, each.name, each.digest): why
        for host in state.hosts
        for each, why in fallen(host.snapshot, state.machine)
    }
