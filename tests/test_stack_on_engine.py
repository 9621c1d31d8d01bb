"""The stack over the real built-in engine: import a file, activate, chat, stop, remove."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.hosts.types import Capability, HostKind, Message
from llmstack_tui.lifecycle.acts import Departure
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.ollama.client import OllamaHost
from llmstack_tui.stack import Stack
from tests.engine_process import engine_process
from tests.models import ANSWER
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with engine_process(tmp_path_factory.mktemp("home")) as url:
        yield url


def state_of(stack: Stack, name: str) -> ModelState | None:
    return next((each.state for each in stack.state.hosts[0].models if each.name == name), None)


async def test_a_models_whole_life(engine: str, tiny_model: Path) -> None:
    name, before = "tiny:life", tiny_model.read_bytes()
    async with Stack([OllamaHost(engine)], running_every_s=0.1) as stack:
        steps = [step async for step in stack.import_gguf(engine, tiny_model, name)]
        assert steps[-1].status == "success"
        assert state_of(stack, name) is ModelState.INACTIVE
        server = stack.state.hosts[0].snapshot.server
        assert server is not None
        assert server.kind is HostKind.BUILTIN
        assert Capability.PULL not in stack.state.hosts[0].snapshot.capabilities
        assert (await stack.details(engine, name)).context_length

        await stack.activate(engine, name)
        assert state_of(stack, name) is ModelState.ACTIVE
        running = stack.state.hosts[0].models[0].running
        assert running is not None
        assert running.size
        assert running.requests == 0
        greedy = stack.chat(engine, name, [Message(role="user", content="Hi")], options={"temperature": 0})
        async with aclosing(greedy) as chunks:
            answer = [chunk async for chunk in chunks]
        assert "".join(chunk.text for chunk in answer) == ANSWER
        assert answer[-1].usage is not None

        assert await stack.deactivate(engine, name) is Departure.GONE
        assert state_of(stack, name) is ModelState.INACTIVE
        await stack.activate(engine, name)
        await stack.delete(engine, name)
        assert state_of(stack, name) is None
    assert tiny_model.read_bytes() == before


async def test_a_stop_lets_the_answer_end(engine: str, endless_model: Path) -> None:
    name = "endless:life"
    async with Stack([OllamaHost(engine)], running_every_s=0.1) as stack:
        stack._lifecycle._patience_s = 0.3
        async for _ in stack.import_gguf(engine, endless_model, name):
            pass
        async with aclosing(stack.chat(engine, name, [Message(role="user", content="Hi")])) as chunks:
            assert (await anext(chunks)).text
            await wait_until(lambda: state_of(stack, name) is ModelState.ACTIVE)
            assert await stack.deactivate(engine, name) is Departure.LEAVING
            assert state_of(stack, name) is ModelState.STOPPING
            assert (await anext(chunks)).text, "the answer goes on"
        await wait_until(lambda: state_of(stack, name) is ModelState.INACTIVE)
        assert stack.state.acts == ()


async def test_a_load_that_is_given_up_leaves_nothing_loaded(engine: str, tiny_model: Path) -> None:
    name = "tiny:given-up"
    async with Stack([OllamaHost(engine)], running_every_s=0.1) as stack:
        async for _ in stack.import_gguf(engine, tiny_model, name):
            pass
        load = asyncio.create_task(stack.activate(engine, name))
        async for state in stack.watch():
            if state.acts:
                break
        load.cancel()
        await asyncio.gather(load, return_exceptions=True)
        await wait_until(lambda: not stack.state.acts)
        assert state_of(stack, name) is ModelState.INACTIVE
