"""Pulls and updates that a stack does: a real engine, a real registry, and what stands in the state."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.hosts.types import Message
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.ollama.client import OllamaHost
from llmstack_tui.stack import Stack
from llmstack_tui.updates.check import UpdateState
from llmstack_tui.updates.download import DownloadState
from tests.engine_process import engine_process
from tests.models import ANSWER
from tests.registry import Registry, serving
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from llmstack_tui.updates.download import Download

PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with engine_process(tmp_path_factory.mktemp("engine")) as url:
        yield url


@pytest.fixture
def registry() -> Iterator[Registry]:
    with serving() as found:
        yield found


@asynccontextmanager
async def watching(url: str, state_file: Path | None = None, parallel: int = 1) -> AsyncIterator[Stack]:
    async with Stack(
        [OllamaHost(url)],
        running_every_s=0.2,
        machine_every_s=60,
        state_file=state_file,
        parallel_pulls=parallel,
    ) as stack:
        yield stack


def download(stack: Stack, number: int) -> Download | None:
    return next((each for each in stack.state.downloads if each.id == number), None)


async def over(stack: Stack, number: int) -> Download:
    def is_over() -> bool:
        found = download(stack, number)
        return found is not None and found.state.is_over

    await wait_until(is_over, PATIENCE_S)
    found = download(stack, number)
    assert found is not None
    return found


async def answer(stack: Stack, url: str, model: str) -> str:
    chunks = stack.chat(url, model, [Message(role="user", content="Hi")], options={"temperature": 0})
    return "".join([chunk.text async for chunk in chunks])


async def test_an_active_model_is_updated_and_started_again(
    engine: str, registry: Registry, tiny_model: Path
) -> None:
    registry.publish("whole", tiny_model, system="Terse.")
    name = registry.listed("whole")
    async with watching(engine) as stack:
        number = await stack.downloads.pull(engine, registry.name("whole"))
        assert (await over(stack, number)).state is DownloadState.DONE
        await stack.activate(engine, name)
        new = registry.publish("whole", tiny_model, system="Terser.", pushed_at_s=2**31)
        await stack.updates.check()
        assert stack.state.hosts[0].updates[name].state is UpdateState.STALE
        (number,) = await stack.downloads.update_stale()
        done = await over(stack, number)
        assert (done.state, done.reason) == (DownloadState.DONE, "")
        (status,) = [each for each in stack.state.hosts[0].models if each.name == name]
        assert status.state is ModelState.ACTIVE
        assert status.model is not None
        assert status.model.digest == new.digest
        assert (await stack.details(engine, name)).system == "Terser."
        assert await answer(stack, engine, name) == ANSWER
        assert [event.kind for event in await stack.events()][::-1] == [
            "pull",
            "activate",
            "deactivate",
            "activate",
            "update",
        ]
