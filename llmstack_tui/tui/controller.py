"""What all acts of the keys are made of: the stack, a question, a worker of its own for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.text import clean

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from llmstack_tui.core import Stack
    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.tui.app import Dashboard
    from llmstack_tui.tui.models.rows import Key

ACTS = "acts"


class Intents:
    """Intents of the user, carried out on the stack."""

    def __init__(self, app: Dashboard) -> None:
        self._app = app

    async def _is_wanted(
        self, title: str, text: str, keep: str, act: str, *, dangerous: bool = False
    ) -> bool:
        """Ask whether to ``act``; Esc and a hasty Enter ``keep`` all as it is."""
        from llmstack_tui.tui.dialogs.ask import Answer, AskScreen

        answers = (Answer("keep", keep), Answer("act", act, dangerous))
        return await self._app.push_screen_wait(AskScreen(title, text, answers, escape="keep")) == "act"

    def _run(
        self,
        description: str,
        work: Awaitable[object],
        key: Key | None = None,
    ) -> None:
        """``key`` is the model whose load `cancel` gives up with this work."""
        self._app.run_worker(
            work,
            name=worker_name(key) if key else "",
            group=ACTS,
            description=clean(description, limit=200),
            exit_on_error=False,
        )

    def _stack(self) -> Stack | None:
        stack = self._app.connection.stack
        if stack is None:
            self._app.tell("There is no server yet.")
        return stack

    def _refused(self, stack: Stack) -> bool:
        if stack.read_only:
            self._app.tell("Nothing can be changed: llmstack is read-only.")
        return stack.read_only

    def _found(self, key: Key) -> tuple[ModelStatus | None, Stack | None]:
        stack = self._stack()
        return (self._app.view.model(key), stack) if stack else (None, None)


def worker_name(key: Key) -> str:
    return "\n".join(key)
