"""The guard over the real built-in engine, and another client that uses it."""

from __future__ import annotations

from contextlib import AsyncExitStack, aclosing
from datetime import timedelta
from typing import TYPE_CHECKING

from llmstack_tui.config.settings import GuardSettings
from llmstack_tui.core.options import StackOptions
from llmstack_tui.hosts.types import Message
from llmstack_tui.ollama.client import OllamaHost
from tests.support.engine_process import engine_process
from tests.support.stacks import following
from tests.support.waiting import wait_for, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.core.stack import Stack
    from llmstack_tui.store.tables.events import Event

LIMIT = GuardSettings(max_loaded=1, memory_budget=0, idle_stop=timedelta(0), others=True)


async def stopped(stack: Stack, count: int) -> list[str | None]:
    """The models that the guard stopped, newest first, as soon as they are so many."""

    async def so_many() -> tuple[Event, ...] | None:
        found = await stack.records.events(kinds=["deactivate"])
        return found if len(found) >= count else None

    events = await wait_for(so_many, 30)
    assert events is not None
    assert {(each.details["asked_by"], each.details["end"]) for each in events} == {("guard", "gone")}
    return [each.model for each in events]


async def test_it_keeps_the_limit_and_cuts_no_request(
    tmp_path: Path, tiny_model: Path, endless_model: Path
) -> None:
    with engine_process(tmp_path) as url:
        async with (
            following([OllamaHost(url)], StackOptions(running_every_s=0.1, guard=LIMIT)) as stack,
            AsyncExitStack() as ends,
        ):
            for file, name in ((tiny_model, "tiny:1"), (endless_model, "endless:1")):
                assert [step async for step in stack.actions.import_gguf(url, file, name)]
            await wait_until(lambda: url in stack.state.guards and stack.state.guards[url].leads, 30)
            client = OllamaHost(url)
            ends.push_async_callback(client.aclose)
            answer = client.chat("endless:1", [Message(role="user", content="Hi")])
            chunks = await ends.enter_async_context(aclosing(answer))
            await anext(chunks)
            await client.load("tiny:1")
            assert await stopped(stack, 1) == ["tiny:1"]
            assert not (await anext(chunks)).done
            await chunks.aclose()
            # Now that nobody uses it any more, it is the one that goes.
            await client.load("tiny:1")
            assert await stopped(stack, 2) == ["endless:1", "tiny:1"]
            assert [each.name for each in await client.running()] == ["tiny:1"]
