"""The conversations of ``POST /chat``: how much of one is kept, and those that the server remembers."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from llmstack_tui.engine.single.messages import Turn

# Beyond that, the one that was silent longest is forgotten.
MAX_SESSIONS = 100


def recent(turns: Sequence[Turn], history: int) -> list[Turn]:
    """The last message with the ``history`` questions and answers before it; system messages stay."""
    system = [turn for turn in turns if turn.role == "system"]
    said = [turn for turn in turns if turn.role != "system"]
    before, last = said[:-1], said[-1:]
    before = before[max(0, len(before) - 2 * history) :]
    # An answer without its question says nothing, and many templates refuse it.
    while before and before[0].role != "user":
        before = before[1:]
    return [*system, *before, *last]


class Session:
    """One remembered conversation; one request at a time changes it."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.lock = asyncio.Lock()


class Sessions:
    """Conversations by the name that a client gave them."""

    def __init__(self) -> None:
        self._by_name: OrderedDict[str, Session] = OrderedDict()

    @asynccontextmanager
    async def open(self, name: str | None) -> AsyncIterator[Session]:
        """The conversation of that name, alone; without a name a new one, which nobody remembers."""
        session = Session() if name is None else self._by_name.setdefault(name, Session())
        if name is not None:
            self._by_name.move_to_end(name)
            while len(self._by_name) > MAX_SESSIONS:
                self._by_name.popitem(last=False)
        async with session.lock:
            yield session
