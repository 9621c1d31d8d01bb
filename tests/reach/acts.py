"""Several programs over one store and one server: ``python -m tests.reach.acts STATE URL ACTS NAME`` is one.

Each of them loads and stops the same few models, as fast as it can, and counts what came of each act.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import Actor
from llmstack_tui.core.options import StackOptions
from llmstack_tui.hosts.errors import HostError
from llmstack_tui.lifecycle.actions import Interrupted
from llmstack_tui.lifecycle.journal import Journal
from llmstack_tui.lifecycle.worker import Lifecycle
from llmstack_tui.ollama.client import OllamaHost
from llmstack_tui.store.store import Store
from tests.support.stacks import following

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Act = Callable[[str, str], Awaitable[object]]

MODELS = tuple(f"m:{number}" for number in range(8))
_AT_ONCE = 6
# An act that takes longer is locked out.
_PATIENCE_S = 60.0


async def dashboard(state: Path, url: str, acts: int, tally: Counter[str]) -> None:
    """The core of a dashboard."""
    async with following([OllamaHost(url)], StackOptions(state_file=state, running_every_s=0.5)) as stack:

        async def act(kind: str, model: str) -> object:
            return await (
                stack.actions.activate(url, model)
                if kind == "activate"
                else stack.actions.deactivate(url, model)
            )

        await _many(acts, act, tally)


async def command_line(state: Path, url: str, acts: int, tally: Counter[str]) -> None:
    """What stands behind ``llmstack start`` and ``llmstack stop``, again and again."""
    host = OllamaHost(url)
    async with await Store.open(state) as store:
        life = Lifecycle(journal=Journal(lambda write: write(store)), asked_by=Actor.CLI)

        async def act(kind: str, model: str) -> object:
            return await (life.activate(host, model) if kind == "activate" else life.deactivate(host, model))

        await _many(acts, act, tally)
        await life.aclose()
    await host.aclose()


async def _many(acts: int, act: Act, tally: Counter[str]) -> None:
    chosen = random.Random(acts)
    left = iter(range(acts))

    async def worker() -> None:
        for _ in left:
            kind, model = chosen.choice(("activate", "deactivate")), chosen.choice(MODELS)
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    end = await act(kind, model)
            except Interrupted:
                tally[f"{kind} cancelled"] += 1
            except HostError:
                tally[f"{kind} failed"] += 1
            else:
                # A load says whether it was wanted, a stop what came of it.
                tally[f"{kind} {'loaded' if kind == 'activate' else end}"] += 1

    await asyncio.gather(*(worker() for _ in range(_AT_ONCE)))


async def main(state: Path, url: str, acts: int, kind: str) -> None:
    tally: Counter[str] = Counter()
    await (command_line if kind == "command" else dashboard)(state, url, acts, tally)
    print(json.dumps(tally))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]))
