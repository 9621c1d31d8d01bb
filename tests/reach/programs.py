"""Runs three programs on one store and one server, and reads what they left."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from llmstack_tui.core.options import StackOptions
from llmstack_tui.ollama.client import OllamaHost
from tests.reach.acts import MODELS
from tests.support.fake_ollama import fake_ollama
from tests.support.stacks import following
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
_NAMES = ("dashboard", "dashboard", "command")
_TOGETHER_S = 900


@dataclass(frozen=True, slots=True)
class Left:
    """What several programs say came of their acts, and what is on record: numbers by "act end".

    Attributes:
        others: events that are none of these acts, by kind; nobody else has done anything.
        under_way: activations without an end, after one more program has looked; those that have one, or
            began twice at once, are none.
        loaded: what the server has in memory in the end.
    """

    told: Counter[str]
    recorded: Counter[str]
    others: Counter[str]
    under_way: list[str]
    loaded: list[str]

    @property
    def lost(self) -> int:
        """How many acts are on record not once.

        A stop that ends a load is part of the record of that load, and one or two of them may do so at once.
        """
        told, recorded = _kinds(self.told), _kinds(self.recorded)
        cancelled, silent = self.recorded["activate cancelled"], told["deactivate"] - recorded["deactivate"]
        return abs(told["activate"] - recorded["activate"]) + max(
            0, cancelled - silent, silent - 2 * cancelled
        )


def _kinds(ends: Counter[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for end, count in ends.items():
        found[end.split()[0]] += count
    return found


async def at_once(state: Path, acts: int) -> Left:
    """Let two dashboards and a command line do ``acts`` acts."""
    digests = {name.replace(":", "_"): f"{number:x}" for number, name in enumerate(MODELS)}
    async with fake_ollama(**digests) as (fake, server):
        programs = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.reach.acts", state, server.url, str(acts // len(_NAMES)), name],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for name in _NAMES
        ]
        try:
            ends = await asyncio.gather(
                *(asyncio.to_thread(each.communicate, timeout=_TOGETHER_S) for each in programs)
            )
        finally:
            for each in programs:
                each.kill()
                each.wait()
        loaded, events = sorted(fake.loaded), _events(state)
        # The record of who ended last can be one look behind: whoever looks next brings it up to date.
        async with following([OllamaHost(server.url)], StackOptions(state_file=state)):
            await wait_until(lambda: _under_way(state) == loaded, what="the record is up to date")
    for out, err in ends:
        assert err == "", err
        assert out
    told: Counter[str] = Counter()
    for out, _ in ends:
        told.update(json.loads(out))
    return Left(
        told,
        Counter(f"{each['act']} {each['end']}" for _, each in events if "act" in each),
        Counter(kind for kind, each in events if "act" not in each),
        _under_way(state),
        loaded,
    )


def _events(state: Path) -> list[tuple[str, dict[str, str]]]:
    with closing(sqlite3.connect(state)) as file:
        return [(kind, json.loads(each)) for kind, each in file.execute("SELECT kind, details FROM events")]


def _under_way(state: Path) -> list[str]:
    asked = "SELECT model FROM activations WHERE ended_at IS NULL ORDER BY 1"
    with closing(sqlite3.connect(state)) as file:
        return [model for (model,) in file.execute(asked)]
