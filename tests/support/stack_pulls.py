"""A stack that pulls, and what it tells of that."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

from llmstack_tui.core.options import StackOptions
from llmstack_tui.downloads.types import DownloadState
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.ollama.client import OllamaHost
from tests.support.asking import GREEDY, asking
from tests.support.registry import Fault
from tests.support.stacks import following
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from llmstack_tui.config.settings import GuardSettings
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.downloads.types import Download
    from llmstack_tui.lifecycle.states import ModelStatus

PATIENCE_S = 60.0
# Later than any copy was written.
LATER = 2**31


class Engine(NamedTuple):
    url: str
    models: Path


@asynccontextmanager
async def watching(
    engine: Engine,
    state_file: Path | None = None,
    *,
    parallel: int = 1,
    read_only: bool = False,
    stop_patience_s: float = 10.0,
    guard: GuardSettings | None = None,
) -> AsyncIterator[Stack]:
    async with following(
        [OllamaHost(engine.url)],
        StackOptions(
            running_every_s=0.2,
            installed_every_s=0.5,
            machine_every_s=60,
            state_file=state_file,
            parallel_pulls=parallel,
            read_only=read_only,
            stop_patience_s=stop_patience_s,
            guard=guard,
            model_folders=lambda: (engine.models,),
        ),
    ) as stack:
        yield stack


async def update_stale(stack: Stack) -> tuple[int, ...]:
    """Ask for all that is newer and may be fetched without a question."""
    (host,) = stack.state.hosts
    stale = [name for name, each in host.updates.items() if each.is_for_all]
    return await stack.downloads.update(host.snapshot.url, stale)


def find(stack: Stack, number: int) -> Download | None:
    return next((each for each in stack.state.downloads if each.id == number), None)


async def seen(stack: Stack, number: int, so: Callable[[Download], object]) -> Download:
    """The download, as soon as it is so."""
    found: list[Download] = []

    def is_so() -> bool:
        now = find(stack, number)
        found[:] = [now] if now is not None else []
        return now is not None and bool(so(now))

    await wait_until(is_so, PATIENCE_S)
    return found[0]


async def over(stack: Stack, number: int) -> Download:
    return await seen(stack, number, lambda each: each.state.is_over)


def moving(each: Download) -> bool:
    """Whether a part of what is slow has come, but not all of it."""
    return each.state is DownloadState.RUNNING and 0 < each.completed < (each.total or 0)


async def pulled(stack: Stack, url: str, name: str) -> None:
    done = await over(stack, await stack.downloads.pull(url, name))
    assert (done.state, done.reason) == (DownloadState.DONE, ())


def status(stack: Stack, name: str) -> ModelStatus | None:
    return next((each for each in stack.state.hosts[0].models if each.name == name), None)


def is_active(stack: Stack, name: str) -> bool:
    found = status(stack, name)
    return found is not None and found.state is ModelState.ACTIVE


def digest(stack: Stack, name: str) -> str:
    found = status(stack, name)
    assert found is not None
    assert found.model is not None
    return found.model.digest


async def answer(stack: Stack, url: str, model: str) -> str:
    chunks = stack.providers.chat(url, asking(model, parameters=GREEDY))
    return "".join([chunk.text async for chunk in chunks])


async def kinds(stack: Stack, model: str) -> list[str]:
    return [event.kind for event in await stack.records.events(model=model)][::-1]


def slow(what: str = "/data/blobs/", bytes_per_s: int = 40_000) -> Fault:
    return Fault(path=what, method="GET", bytes_per_s=bytes_per_s)
