"""What other screens and the keys ask of the chat. Light: all controllers are imported at the start."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.tui.shell import Controller

if TYPE_CHECKING:
    from llmstack_tui.tui.chat.conversation import OpenTalk
    from llmstack_tui.tui.shell import Shell
    from llmstack_tui.tui.view import Key


class ChatController(Controller):
    """Has the one conversation of the dashboard, which goes on whichever screen is shown."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._conversation: OpenTalk | None = None

    @property
    def conversation(self) -> OpenTalk:
        """Made, and its modules imported, when the chat is opened."""
        if self._conversation is None:
            from llmstack_tui.tui.chat.conversation import OpenTalk

            self._conversation = OpenTalk(self._shell)
        return self._conversation

    def talk(self, *keys: Key) -> None:
        """Talk to the first of these models."""
        if keys and self._stack() is not None:
            self._shell.start(tr("The chat"), partial(self._talk, keys[0]), group="chat")

    async def _talk(self, key: Key) -> None:
        await self._shell.open("chat")
        await self.conversation.use(key)
