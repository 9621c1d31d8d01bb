"""What the keys do about newer versions: ask for them, fetch them, leave them alone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from llmstack_tui.tui.intents import Intents
from llmstack_tui.tui.later import Later
from llmstack_tui.tui.text import clean

if TYPE_CHECKING:
    from llmstack_tui.stack import Stack, StackState
    from llmstack_tui.tui.rows import Key
    from llmstack_tui.updates.check import Update


class UpdateActs(Intents):
    """What is done about the versions that registries have."""

    def check(self) -> None:
        """Ask the registries now, and say what came of it."""
        stack = self._stack()
        if stack is not None:
            self._run("Check for updates", Later(self._check, stack))

    def leave_alone(self, *keys: Key, for_good: bool = False) -> None:
        """Do not offer these versions, or any; where all are left alone like that, offer them again."""
        stack = self._stack() if keys else None
        if stack is None:
            return
        wish = "for good" if for_good else "version"
        updates = {key: update for key in keys if (update := self._update(key)) is not None}
        back = bool(updates) and all(update.left_alone == wish for update in updates.values())
        self._run(
            "Leave alone", Later(self._leave_alone, stack, tuple(updates), for_good=for_good, back=back)
        )

    async def _check(self, stack: Stack) -> None:
        await stack.updates.check()
        self._app.tell(checked_text(stack.state), title="Checked for updates")

    async def _leave_alone(self, stack: Stack, keys: tuple[Key, ...], *, for_good: bool, back: bool) -> None:
        for key in keys:
            if back:
                await stack.updates.want(*key)
            else:
                await stack.updates.leave_alone(*key, for_good=for_good)

    def _update(self, key: Key) -> Update | None:
        host = self._app.view.host(key[0])
        return host.updates.get(key[1]) if host else None


def checked_text(state: StackState) -> str:
    """What a check has found, in a sentence or two."""
    updates = [each for host in state.hosts for each in host.updates.values()]
    counts = Counter(str(each.state) for each in updates)
    newer = sum(each.is_wanted for each in updates)
    problems = list(dict.fromkeys(each.problem for each in updates if each.problem))
    if newer:
        said = "1 model has a newer version." if newer == 1 else f"{newer} models have newer versions."
    elif counts["current"]:
        said = "Nothing newer." if problems else "Everything is up to date."
    else:
        said = "" if problems else "There is no model that a registry could tell of."
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return "\n".join(filter(None, (said, f"{clean(problems[0], limit=300)}{more}" if problems else "")))
