"""A program that writes: ``python -m tests.store.writer FILE TAG [ACTS]``; without a number it never ends."""

from __future__ import annotations

import asyncio
import itertools
import sys
from datetime import UTC, datetime
from pathlib import Path

from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.sentences import quoted
from llmstack_tui.store.store import Store
from llmstack_tui.store.tables.activations import Activation, Outcome
from llmstack_tui.store.tables.events import Event

HOST = "http://127.0.0.1:11434"


async def write(path: Path, tag: str, acts: int | None) -> None:
    async with await Store.open(path) as store:
        for number in itertools.count() if acts is None else range(acts):
            model, now = f"{tag}:{number}", datetime.now(UTC)
            store.activations.observe(Activation(host=HOST, model=model, asked_by=Actor.CLI, started_at=now))
            store.events.add(
                Event(at=now, kind=tag, sentence=quoted(model), host=HOST, details={"number": number})
            )
            store.activations.end(HOST, model, at=now, outcome=Outcome.STOPPED, by=Actor.CLI)
            await asyncio.sleep(0 if acts else 0.0002)
    print(*store.notices, sep="\n", end="")


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else None))
