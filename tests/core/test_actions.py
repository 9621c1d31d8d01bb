"""Copy, rename, create, restart and stop all, over the real built-in engine."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.core.options import StackOptions
from llmstack_tui.hosts.errors import HostError, NotFound, Refused, ServerError
from llmstack_tui.lifecycle.actions import Departure, because
from llmstack_tui.ollama.client import OllamaHost
from tests.support.engine_process import engine_process
from tests.support.stacks import following

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from llmstack_tui.core.stack import Stack


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with engine_process(tmp_path_factory.mktemp("home")) as url:
        yield url


@asynccontextmanager
async def opened(engine: str, tiny_model: Path, host: OllamaHost | None = None) -> AsyncIterator[Stack]:
    """A stack with the one model tiny:one, and nothing else afterwards."""
    async with following([host or OllamaHost(engine)], StackOptions(running_every_s=0.1)) as stack:
        async for _ in stack.actions.import_gguf(engine, tiny_model, "tiny:one"):
            pass
        yield stack
        await stack.actions.stop_all()
    await clear(engine)


async def clear(engine: str) -> None:
    host = OllamaHost(engine)
    for each in await host.installed():
        await host.delete(each.name)
    await host.aclose()


def names(stack: Stack) -> list[str]:
    return sorted(each.name for each in stack.state.hosts[0].models if each.model)


async def test_copy_and_rename(engine: str, tiny_model: Path) -> None:
    async with opened(engine, tiny_model) as stack:
        await stack.actions.copy(engine, "tiny:one", "second")
        assert names(stack) == ["second:latest", "tiny:one"]
        for act in (stack.actions.copy, stack.actions.rename):
            with pytest.raises(Refused, match="name_taken"):
                await act(engine, "tiny:one", "second")
        with pytest.raises(NotFound):
            await stack.actions.copy(engine, "nope", "third")
        await stack.actions.activate(engine, "second:latest")
        await stack.actions.rename(engine, "second:latest", "third:x")
        assert names(stack) == ["third:x", "tiny:one"]
        third = next(each for each in stack.state.hosts[0].models if each.name == "third:x")
        assert third.running is not None
        assert await stack.actions.deactivate(engine, "third:x") is Departure.GONE
        events = await stack.records.events(kinds=["copy", "rename", "failed"])
        assert [event.kind for event in events][::-1] == ["copy", "failed", "failed", "failed", "rename"]
        assert events[0].sentence == Sentence(
            "rename.done_loaded", {"model": "second:latest", "name": "third:x"}
        )


async def test_what_is_made_is_on_record_by_the_name_that_is_listed(engine: str, tiny_model: Path) -> None:
    async with opened(engine, tiny_model) as stack:
        await stack.actions.copy(engine, "tiny:one", "copied")
        async for _ in stack.actions.create(engine, "made", base="tiny:one", system="Be terse."):
            pass
        async for _ in stack.actions.import_gguf(engine, tiny_model, "imported"):
            pass
        await stack.actions.rename(engine, "tiny:one", "renamed")
        made = {"copied:latest", "made:latest", "imported:latest", "renamed:latest"}
        assert names(stack) == sorted(made)
        for name in made:
            (event,) = await stack.records.events(model=name)
            assert event.model in event.sentence.params.values(), event


async def test_a_rename_that_cannot_remove_the_old_name_takes_the_copy_back(
    engine: str, tiny_model: Path
) -> None:
    class Stubborn(OllamaHost):
        async def delete(self, name: str) -> None:
            if name == "tiny:one":
                raise ServerError("host.failed", host=self.url)
            await super().delete(name)

    async with opened(engine, tiny_model, Stubborn(engine)) as stack:
        with pytest.raises(ServerError, match=r"host\.failed"):
            await stack.actions.rename(engine, "tiny:one", "other:x")
        assert [each.name for each in await stack.monitors[engine].host.installed()] == ["tiny:one"]


async def test_create(engine: str, tiny_model: Path) -> None:
    async with opened(engine, tiny_model) as stack:
        steps = [
            step.status
            async for step in stack.actions.create(
                engine, "terse", base="tiny:one", system="Be terse.", parameters={"num_ctx": 512}
            )
        ]
        assert steps[-1] == "success"
        details = await stack.actions.details(engine, "terse:latest")
        assert (details.system, details.parameters.split()) == ("Be terse.", ["num_ctx", "512"])
        with pytest.raises(Refused, match="name_taken"):
            async for _ in stack.actions.create(engine, "terse", base="tiny:one"):
                pass
        with pytest.raises(HostError, match="integer"):
            async for _ in stack.actions.create(engine, "no", base="tiny:one", parameters={"num_ctx": "x"}):
                pass
        assert names(stack) == ["terse:latest", "tiny:one"]


async def test_restart_keeps_context_and_keep_alive(engine: str, tiny_model: Path) -> None:
    async with opened(engine, tiny_model) as stack:
        with pytest.raises(Refused, match="not_loaded"):
            await stack.actions.restart(engine, "tiny:one")
        await stack.actions.activate(
            engine, "tiny:one", keep_alive=timedelta(minutes=33), context_length=1024
        )
        await stack.actions.restart(engine, "tiny:one")
        first, second = reversed(await stack.records.activations(engine, "tiny:one", 2))
        assert first.keep_alive == second.keep_alive == timedelta(minutes=33)
        assert (second.reason, second.context_length) == (because("restart"), 1024)
        (running,) = stack.state.hosts[0].snapshot.running
        assert running.context_length == 1024
        assert await stack.actions.stop_all() == ((engine, "tiny:one", Departure.GONE),)
        assert await stack.actions.stop_all(engine) == ()


async def test_nothing_is_done_where_nothing_may_be_changed(engine: str) -> None:
    for options in ({"read_only": True}, {"look_only": [engine]}):
        async with following([OllamaHost(engine)], StackOptions(**options)) as stack:
            for act in (stack.actions.copy, stack.actions.rename):
                with pytest.raises(Refused, match=r"read_only|only_looked_at"):
                    await act(engine, "a", "b")
            with pytest.raises(Refused):
                async for _ in stack.actions.create(engine, "b", base="a"):
                    pass
