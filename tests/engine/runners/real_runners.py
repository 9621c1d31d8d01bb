"""Real models in real processes, and questions to them."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import psutil
import pytest

from llmstack_tui.engine.inference.chunks import CompletionChunk, decode, joined
from llmstack_tui.engine.runners.messages import RunnerConfig
from llmstack_tui.engine.runners.runner import Runner
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and Unix sockets")
CHAT = "/v1/chat/completions"


def config(weights: Path, **values: object) -> RunnerConfig:
    return RunnerConfig(**{"weights": str(weights), "context_length": 2048, "threads": 1, **values})  # type: ignore[arg-type]


@asynccontextmanager
async def running(weights: Path, folder: Path | None, **values: object) -> AsyncIterator[Runner]:
    runner = await Runner.start(config(weights, **values), folder=folder)
    try:
        yield runner
    finally:
        await runner.stop()
        assert not psutil.pid_exists(runner.pid)


def chat(content: str = "Hi", **fields: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": content}], "temperature": 0, **fields}


async def ask(runner: Runner, **fields: object) -> CompletionChunk:
    return joined([decode(event) async for event in runner.stream(CHAT, chat(**fields))])  # type: ignore[arg-type]


async def until_text(events: AsyncIterator[bytes]) -> None:
    async for event in events:
        if decode(event).text:
            return


async def busy(runner: Runner) -> bool:
    slots = (await runner.call("/slots"))["data"]
    return any(slot["is_processing"] for slot in slots)


async def wait_until_busy(runner: Runner) -> None:
    await wait_for(lambda: busy(runner))


async def wait_until_free(runner: Runner, *, within_s: float) -> None:
    async def free() -> bool:
        return not await busy(runner)

    await wait_for(free, within_s)
