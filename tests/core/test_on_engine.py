"""The stack over the real built-in engine: import a file, activate, chat, stop, remove."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from httpx import AsyncClient

from llmstack_tui.base.kinds import Capability, HostKind
from llmstack_tui.core.options import StackOptions
from llmstack_tui.hosts.errors import Refused
from llmstack_tui.hosts.types import Message
from llmstack_tui.lifecycle.actions import Departure
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.ollama.client import OllamaHost
from tests.support.asking import GREEDY, asking, first_text
from tests.support.engine_process import engine_process
from tests.support.gguf.models import ANSWER
from tests.support.stacks import following
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from llmstack_tui.core.stack import Stack
    from llmstack_tui.lifecycle.states import ModelStatus


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with engine_process(tmp_path_factory.mktemp("home")) as url:
        yield url


def state_of(stack: Stack, name: str) -> ModelState | None:
    return next((each.state for each in stack.state.hosts[0].models if each.name == name), None)


async def test_a_models_whole_life(engine: str, tiny_model: Path) -> None:
    name, before = "tiny:life", tiny_model.read_bytes()
    async with following([OllamaHost(engine)], StackOptions(running_every_s=0.1)) as stack:
        steps = [step async for step in stack.actions.import_gguf(engine, tiny_model, name)]
        assert steps[-1].status == "success"
        assert state_of(stack, name) is ModelState.INACTIVE
        server = stack.state.hosts[0].snapshot.server
        assert server is not None
        assert server.kind is HostKind.BUILTIN
        assert Capability.PULL in stack.state.hosts[0].snapshot.capabilities
        assert (await stack.actions.details(engine, name)).context_length

        await stack.actions.activate(engine, name)
        assert state_of(stack, name) is ModelState.ACTIVE
        running = stack.state.hosts[0].models[0].running
        assert running is not None
        assert running.size
        assert running.requests == 0
        greedy = stack.providers.chat(engine, asking(name, parameters=GREEDY))
        async with aclosing(greedy) as chunks:
            answer = [chunk async for chunk in chunks]
        assert "".join(chunk.text for chunk in answer) == ANSWER
        assert answer[-1].ending is not None
        speed = stack.state.hosts[0].speeds[name]
        assert speed.tokens_per_second
        assert speed.first_token is not None
        assert timedelta(0) < speed.first_token < timedelta(seconds=30)
        # A look during the answer found it busy.
        await wait_until(lambda: not stack.state.hosts[0].models[0].busy)
        idle = stack.state.hosts[0].models[0]
        assert (idle.busy, idle.idle_at_least) == (False, False)
        (measured,) = await stack.records.measured(engine, idle.model.digest if idle.model else "")
        assert measured.server_bytes
        # The engine asks the system, too, a moment apart.
        assert abs(measured.device_bytes["RAM"] - measured.server_bytes) < 2**21
        assert measured.context_length

        assert await stack.actions.deactivate(engine, name) is Departure.GONE
        assert state_of(stack, name) is ModelState.INACTIVE
        await stack.actions.activate(engine, name)
        await stack.actions.delete(engine, name)
        assert state_of(stack, name) is None
        assert [event.kind for event in await stack.records.events()][::-1] == [
            "import",
            "activate",
            "deactivate",
            "activate",
            "deactivate",
            "remove",
        ]
        assert len(await stack.records.activations(engine, name)) == 2
        assert (await stack.records.uses(engine))[name].times == 2
    assert tiny_model.read_bytes() == before


async def test_answers_to_other_clients_have_a_speed_too(engine: str, tiny_model: Path) -> None:
    name = "tiny:told"
    options = StackOptions(running_every_s=0.1)
    async with following([OllamaHost(engine)], options) as stack, following([OllamaHost(engine)], options):
        async for _ in stack.actions.import_gguf(engine, tiny_model, name):
            pass
        body = {"model": name, "messages": [{"role": "user", "content": "Hi"}], "temperature": 0}
        async with AsyncClient(timeout=30) as client:
            (await client.post(f"{engine}/v1/chat/completions", json=body)).raise_for_status()
            await wait_until(lambda: name in stack.state.hosts[0].speeds)
            speed = stack.state.hosts[0].speeds[name]
            (loaded,) = (await client.get(f"{engine}/api/ps")).json()["models"]
        assert (speed.tokens_per_second, speed.digest) == (
            loaded["answer"]["tokens_per_second"],
            loaded["digest"],
        )
        assert speed.first_token is not None
        assert speed.first_token.total_seconds() == pytest.approx(loaded["answer"]["first_token_s"], abs=1e-5)
        store = await stack.session.store()
        assert (await store.speeds.last(engine))[name].at == speed.at
        await stack.actions.deactivate(engine, name)


async def test_a_stop_lets_the_answer_end(engine: str, endless_model: Path) -> None:
    name = "endless:life"
    async with following(
        [OllamaHost(engine)], StackOptions(running_every_s=0.1, stop_patience_s=0.3)
    ) as stack:
        async for _ in stack.actions.import_gguf(engine, endless_model, name):
            pass
        async with aclosing(stack.providers.chat(engine, asking(name))) as chunks:
            assert await first_text(chunks)
            await wait_until(lambda: state_of(stack, name) is ModelState.ACTIVE)
            assert next(each for each in stack.state.hosts[0].models if each.name == name).busy
            assert await stack.actions.deactivate(engine, name) is Departure.LEAVING
            assert state_of(stack, name) is ModelState.STOPPING
            assert await first_text(chunks), "the answer goes on"
        await wait_until(lambda: state_of(stack, name) is ModelState.INACTIVE)
        assert stack.state.acts == ()


async def test_no_act_cuts_the_answer_to_another_client(tmp_path: Path, endless_model: Path) -> None:
    name, new, length = "endless:used", "endless:new", 500
    async with AsyncExitStack() as opened:
        # An engine of its own: another name of the same weights could still stop what loses its name.
        engine = opened.enter_context(engine_process(tmp_path))
        other = OllamaHost(engine)
        opened.push_async_callback(other.aclose)
        stack = await opened.enter_async_context(
            following([OllamaHost(engine)], StackOptions(running_every_s=0.1, stop_patience_s=0.2))
        )
        async for _ in stack.actions.import_gguf(engine, endless_model, name):
            pass
        asked = [Message(role="user", content="Hi")]
        chat = other.chat(name, asked, options={"num_predict": length}, keep_alive=timedelta(minutes=5))
        async with aclosing(chat) as chunks:
            await anext(chunks)
            await wait_until(lambda: state_of(stack, name) is ModelState.ACTIVE, 30)
            for act in (stack.actions.restart, stack.actions.delete):
                with pytest.raises(Refused, match="answers"):
                    await act(engine, name)
            assert [end for *_, end in await stack.actions.stop_all()] == [Departure.LEAVING]
            await stack.actions.rename(engine, name, new)
            (running,) = await other.running()
            assert running.requests == 1, "all of it was done during the answer"
            *_, last = [chunk async for chunk in chunks]
        assert (last.done, last.done_reason) == (True, "length")
        assert last.usage is not None
        assert last.usage.answer_tokens == length
        await wait_until(lambda: state_of(stack, new) is ModelState.INACTIVE, 30)


async def test_a_load_that_is_given_up_leaves_nothing_loaded(engine: str, tiny_model: Path) -> None:
    name = "tiny:given-up"
    async with following([OllamaHost(engine)], StackOptions(running_every_s=0.1)) as stack:
        async for _ in stack.actions.import_gguf(engine, tiny_model, name):
            pass
        load = asyncio.create_task(stack.actions.activate(engine, name))
        async for state in stack.watch():
            if state.acts:
                break
        load.cancel()
        await asyncio.gather(load, return_exceptions=True)
        await wait_until(lambda: not stack.state.acts)
        assert state_of(stack, name) is ModelState.INACTIVE


async def test_another_client_s_request_shows(engine: str, endless_model: Path) -> None:
    name = "endless:other"
    other = OllamaHost(engine)
    async with following([OllamaHost(engine)], StackOptions(running_every_s=0.1)) as stack:
        async for _ in stack.actions.import_gguf(engine, endless_model, name):
            pass

        def model() -> ModelStatus:
            return next(each for each in stack.state.hosts[0].models if each.name == name)

        async with aclosing(other.chat(name, [Message(role="user", content="Hi")])) as chunks:
            await anext(chunks)
            await wait_until(lambda: model().busy)
        await wait_until(lambda: model().running and not model().busy)
        assert model().idle_since_s is not None
        await stack.actions.delete(engine, name)
        await wait_until(lambda: not stack.journal.held)
        assert [event.kind for event in await stack.records.events(kinds=["loaded"])] == ["loaded"]
    await other.aclose()
