"""What all controllers are made of: the stack, a question, work in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.tui.shell import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from llmstack_tui.core.state import StackState
    from llmstack_tui.tui.shell import Key, Shell
    from llmstack_tui.tui.stack import DashboardStack

ACTIONS = "actions"
"""The group of the work that a person asked for."""


class Controller:
    """What a feature does beside drawing: it carries out what a person asks for, and follows the state.

    There is one of each kind, made when it is first needed. A public method may be called by a key and by
    other features, through `Shell.act`.
    """

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def follow(self, state: StackState) -> None:
        """Take note of a new state, before it is drawn."""

    def farewell(self) -> str:
        """What to say on the terminal when the dashboard has ended."""
        return ""

    async def _ask(self, title: str, text: str, answers: Sequence[Answer], *, escape: str) -> str:
        """The value of the answer. The first one has the focus; Esc gives ``escape``."""
        from llmstack_tui.tui.dialogs.ask import AskScreen

        return await self._shell.show(AskScreen(title, text, answers, escape=escape)) or escape

    async def _confirm(self, title: str, text: str, keep: str, act: str, *, dangerous: bool = False) -> bool:
        """Ask whether to ``act``; Esc and a hasty Enter ``keep`` all as it is."""
        answers = (Answer("keep", keep), Answer("act", act, dangerous))
        return await self._ask(title, text, answers, escape="keep") == "act"

    def _start(
        self,
        description: str,
        work: Callable[[], Coroutine[object, object, object]],
        key: Key | None = None,
    ) -> None:
        """Begin what a person asked for; ``key`` is the model that it is about, by which it can be found."""
        self._shell.start(description, work, group=ACTIONS, name=work_name(key) if key else "")

    def _stack(self) -> DashboardStack | None:
        """The stack, else a toast that says why there is none."""
        if self._shell.stack is None:
            self._shell.tell("There is no server yet.")
        return self._shell.stack

    def _changeable(self) -> DashboardStack | None:
        """The stack, if it may change something; else a toast says why not."""
        stack = self._stack()
        if stack is not None and stack.read_only:
            self._shell.tell("Nothing can be changed: llmstack is read-only.")
            return None
        return stack


def work_name(key: Key) -> str:
    """What the work on a model is called."""
    return "\n".join(key)
