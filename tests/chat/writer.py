"""A program that types and streams until it is killed: its file is its argument."""

from __future__ import annotations

import asyncio
import sys
from itertools import count
from pathlib import Path

from llmstack_tui.chat.service import ChatService
from llmstack_tui.providers.types import Piece


async def write(file: Path) -> None:
    chats = ChatService(file)
    session = (await chats.new()).session.id
    asked = await chats.ask(session, "Count.", parent=None)
    answer = await chats.begin(session, parent=asked.id, model="tiny")
    chats.draft(session, "next")
    await chats.kept()
    sys.stdout.write(f"{session}\n")
    sys.stdout.flush()
    for number in count():
        chats.append(answer.id, Piece(text=f"word {number} "))
        await chats.kept() if number % 100 == 0 else await asyncio.to_thread(int)


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1])))
