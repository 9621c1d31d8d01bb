"""Updates that nobody asked for, of a stack over a real engine and a real registry."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.core.options import StackOptions
from llmstack_tui.ollama.client import OllamaHost
from tests.support.engine_process import engine_process
from tests.support.registry import serving
from tests.support.stacks import following
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.core.stack import Stack

PATIENCE_S = 60.0
OFTEN = timedelta(seconds=1)


async def test_what_is_newer_is_fetched_by_itself_only_where_that_is_switched_on(
    tmp_path: Path, tiny_model: Path
) -> None:
    with engine_process(tmp_path) as url, serving() as registry:
        registry.publish("mine", tiny_model, system="Old.")
        name = registry.listed("mine")
        async with following([OllamaHost(url)], StackOptions(machine_every_s=60, check_every=OFTEN)) as stack:
            await stack.downloads.pull(url, registry.name("mine"))
            await wait_until(lambda: digest(stack, name) is not None, PATIENCE_S)
            new = registry.publish("mine", tiny_model, system="New.", pushed_at_s=2**31)
            await wait_until(lambda: is_wanted(stack, name), PATIENCE_S)
            asked = len(registry.asked)
            await wait_until(lambda: len(registry.asked) > asked + 2, PATIENCE_S)
            assert [each.why for each in stack.state.downloads] == ["pull"]
        async with following(
            [OllamaHost(url)],
            StackOptions(machine_every_s=60, check_every=OFTEN, automatic=True, running_every_s=0.2),
        ) as stack:
            await wait_until(lambda: [each.state for each in stack.state.downloads] == ["done"], PATIENCE_S)
            await wait_until(lambda: digest(stack, name) == new.digest, PATIENCE_S)
            told = {event.sentence.kind: event for event in await stack.records.events()}
            event = told["update.automatic"]
            assert (event.model, event.reason) == (name, (Sentence("update.found"),))


def digest(stack: Stack, name: str) -> str | None:
    installed = stack.state.hosts[0].snapshot.installed
    return next((each.digest for each in installed if each.name == name), None)


def is_wanted(stack: Stack, name: str) -> bool:
    update = stack.state.hosts[0].updates.get(name)
    return update is not None and update.is_wanted
