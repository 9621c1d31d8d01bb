"""The file of talks, while it is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from llmstack_tui.store.database.chats import CHATS
from llmstack_tui.store.database.connection import Database
from llmstack_tui.store.tables.chats import AttachedContents, ChatSessions, ChatTurns, ChatVotes

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from llmstack_tui.base.sentences import Failure, Sentence
    from llmstack_tui.store.errors import StoreError


class ChatStore:
    """As `Store`, for talks. A file that cannot be written, or is of a newer version, is copied to memory."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.sessions = ChatSessions(database)
        self.turns = ChatTurns(database)
        self.attached = AttachedContents(database)
        self.votes = ChatVotes(database)

    @classmethod
    async def open(
        cls, path: Path | Failure | None, now: datetime, on_notice: Callable[[Sentence], None]
    ) -> Self:
        """Open or create the file. Whatever is wrong with it becomes a notice."""

        def trouble(error: StoreError) -> None:
            on_notice(error.sentence)

        database = await Database.open(path, now, trouble, CHATS)
        if database.notice:
            on_notice(database.notice)
        return cls(database)
