"""The dashboard with a model that writes 500 tokens a second, for the figures of the chat.

``python -m tests.bench.talk_app KIND``: what it writes, prose, code or a list; 15,000 tokens come at once.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from typing import TYPE_CHECKING, Any

from llmstack_tui.config.settings import Settings
from llmstack_tui.providers.types import Ending, EndReason, Piece
from llmstack_tui.providers.usage import Usage
from llmstack_tui.tui import program
from llmstack_tui.tui.app import Dashboard
from tests.support import seeded
from tests.tui.fakes import FakeServices, FakeStack

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

_BEAT_S = 0.002
SPEED, FIRST, TOKENS = 500, 15_000, 60_000
KINDS = {
    "prose": "Some words of a paragraph, with **bold** ones and `code`, and more words to fill it.\n\n",
    "code": "def add(first, second):  # a comment\n    return first + second\n",
    "list": "- an item of a list, with **bold** words and `code`\n",
}


class TalkingProviders:
    """Answers every question in the same way."""

    def __init__(self, kind: str) -> None:
        start = "```python\n" if kind == "code" else ""
        text = start + KINDS[kind] * (4 * TOKENS // len(KINDS[kind]))
        self._tokens = [text[at : at + 4] for at in range(0, 4 * TOKENS, 4)]

    async def chat(self, *_: Any, **__: Any) -> AsyncGenerator[Piece, None]:
        yield Piece(text="".join(self._tokens[:FIRST]))
        begun_s, at = time.monotonic(), FIRST
        while at < len(self._tokens):
            await asyncio.sleep(_BEAT_S)
            while at < min(FIRST + (time.monotonic() - begun_s) * SPEED, len(self._tokens)):
                yield Piece(text=self._tokens[at])
                at += 1
        yield Piece(ending=Ending(reason=EndReason.STOP, usage=Usage()))


def main(kind: str) -> None:
    stack = FakeStack(seeded.typical())
    stack.providers = TalkingProviders(kind)  # type: ignore[assignment]
    gc.disable()  # as the program does
    asyncio.run(program.run(Dashboard(Settings(), FakeServices(stack), painted=program.painted)))


if __name__ == "__main__":
    main(sys.argv[1])
