"""Talks: opening a long one, and searching many messages."""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from llmstack_tui.chat import records
from llmstack_tui.chat.service import ChatService
from llmstack_tui.chat.types import Session, Talk, Turn
from llmstack_tui.providers.types import ChatMessage, Role
from llmstack_tui.providers.usage import Usage
from llmstack_tui.store.chats import ChatStore
from tests.bench.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

_LONG = 2_000
_MESSAGES = 50_000
_EACH = 100  # turns of each other session
_WORDS = 100  # of a message
_AT = datetime(2026, 1, 1, tzinfo=UTC)
_T = TypeVar("_T")


def figures() -> Iterator[Figure]:
    yield from asyncio.run(_figures())


async def _figures() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chats.db"
        rare, common = await _fill(path)
        first = time.monotonic()
        chats = ChatService(path)
        await chats.sessions()
        first = time.monotonic() - first
        opened = await _median(lambda: chats.open("long"))
        found = [await _median(partial(chats.search, each)) for each in (rare, common, common[:1])]
        await chats.aclose()
        size = path.stat().st_size
    note = f"the file of {size / 1e6:.0f} MB opens in {first * 1000:.0f} ms"
    searches = ", ".join(f"{each * 1000:.0f} ms" for each in found)
    return [
        Figure(f"a talk of {_LONG:,} messages opens", opened * 1000, "ms", budget=300, note=note),
        Figure(
            f"a search over {_MESSAGES:,} messages", max(found) * 1000, "ms", budget=50,
            note=f"a rare word, a common one, one letter: {searches}",
        ),
    ]  # fmt: skip


async def _median(act: Callable[[], Awaitable[_T]]) -> float:
    times = []
    for _ in range(5):
        since = time.monotonic()
        await act()
        times.append(time.monotonic() - since)
    return statistics.median(times)


async def _fill(path: Path) -> tuple[str, str]:
    """Write the talks; returns a rare word and a common one."""
    chance = random.Random(1)
    letters = "abcdefghijklmnoprstuv"
    words = ["".join(chance.choices(letters, k=chance.randint(2, 9))) for _ in range(20_000)]
    weights = [1 / (rank + 10) for rank in range(len(words))]
    store = await ChatStore.open(path, _AT, lambda _: None)
    for number in range(_MESSAGES):
        session = "long" if number < _LONG else f"s{number // _EACH}"
        is_first = number == 0 or (number >= _LONG and number % _EACH == 0)
        turn = Turn(
            id=number + 1,
            parent=None if is_first else number,
            session=session,
            message=ChatMessage(
                role=Role.ASSISTANT if number % 2 else Role.USER,
                text=" ".join(chance.choices(words, weights, k=_WORDS)),
            ),
            at=_AT,
            usage=Usage(prompt_tokens=100, answer_tokens=100, total_s=1.5) if number % 2 else None,
        )
        store.turns.add(records.turn_row(turn))
        if is_first:
            own = Session(id=session, created_at=_AT, changed_at=_AT, title=session, leaf=number + 1)
            store.sessions.add(records.session_row(Talk(session=own)))
        if number % 1_000 == 0:
            await store.database.flush()
    await store.database.close()
    return words[-1], words[0]
