"""The screen of the services: what it shows, and what is done after a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.commands import NeedsRoot, RootCommand
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.structs import replace
from llmstack_tui.config.settings import Settings
from tests.support import seeded
from tests.support.waiting import wait_until
from tests.tui.driving import dashboard
from tests.tui.fakes import FakeServices, FakeStack
from tests.tui.managed import RUNS

if TYPE_CHECKING:
    from llmstack_tui.core.state import StackState


def busy(*, so: bool) -> StackState:
    state = seeded.typical()
    hosts = tuple(
        replace(
            host, models=tuple(replace(each, busy=so and each.running is not None) for each in host.models)
        )
        for host in state.hosts
    )
    return replace(state, hosts=hosts)


def services(state: StackState | None = None) -> FakeServices:
    return FakeServices(FakeStack(state or busy(so=False)))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_how_each_is_kept_running(size: tuple[int, int]) -> None:
    found = services()
    crashes = Sentence("service.crashes", {"unit": "ollama.service", "count": 7})
    async with dashboard(services=found, size=size) as desk:
        await desk.press("0", "s")
        await desk.until_shown("Ollama runs", "systemd (ollama.service)", "1234", "It starts by itself.")
        await desk.until_shown("The built-in engine does not run", "It would be started by llmstack.")
        found.managed["ollama"].now = replace(RUNS, is_running=False, problem=(crashes,))
        await desk.press("r")
        await desk.until_shown("Ollama does not run", "it was started 7 times")
        await desk.press("escape")
        await desk.until_shown("System")


async def test_a_stop_asks_and_waits_for_running_requests() -> None:
    found = services(busy(so=True))
    ollama = found.managed["ollama"]
    async with dashboard(services=found) as desk:
        await desk.press("0", "s")
        await desk.until_shown("Ollama runs")
        await desk.press("d")
        await desk.until_shown("Stop Ollama?", "That is waited for.")
        await desk.press("enter")  # The first answer is no.
        await desk.press("d", "right", "enter")
        await desk.until_shown("Waiting for the requests of")
        assert ollama.done == []
        found.stack.put(busy(so=False))
        await wait_until(lambda: ollama.done == ["stop"], what="the stop")


async def test_a_second_stop_cuts_them_after_another_question() -> None:
    found = services(busy(so=True))
    async with dashboard(services=found) as desk:
        await desk.press("0", "s")
        await desk.until_shown("Ollama runs")
        await desk.press("d", "right", "enter")
        await desk.until_shown("Waiting for the requests of")
        await desk.press("d")
        await desk.until_shown("The running requests are cut.")
        await desk.press("right", "enter")
        await wait_until(lambda: found.managed["ollama"].done == ["stop"], what="the stop")


async def test_what_needs_root_is_shown_and_run_after_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    found, ran = services(), list[str]()
    ollama = found.managed["ollama"]

    async def run_as_root(command: RootCommand) -> None:
        ran.append(command.shown)

    async with dashboard(services=found) as desk:
        monkeypatch.setattr(desk.app, "run_as_root", run_as_root)
        await desk.press("0", "s")
        await desk.until_shown("Ollama runs")
        for answer in (("enter",), ("right", "enter")):
            assert ran == []
            ollama.failure = NeedsRoot(RootCommand(("systemctl", "start", "ollama.service")))
            await desk.press("a")
            await desk.until_shown("sudo systemctl start ollama.service", "asks for your password")
            await desk.press(*answer)
            await desk.until_shown("Ollama runs")
        await wait_until(lambda: ollama.done[-1] == "until up", what="the wait for an answer")
        assert ran == ["sudo systemctl start ollama.service"]


async def test_start_at_login_is_turned_and_nothing_where_nothing_may_change() -> None:
    found = services()
    async with dashboard(services=found) as desk:
        await desk.press("0", "s")
        await desk.until_shown("Ollama runs")
        await desk.press("e", "down", "e")
        await wait_until(lambda: found.managed["engine"].done == ["enable"], what="both")
        assert found.managed["ollama"].done == ["disable"]
    async with dashboard(services=services(), settings=Settings(read_only=True)) as desk:
        await desk.press("0", "s")
        await desk.until_shown("Ollama runs")
        await desk.press("a")
        await desk.until_shown("llmstack is read-only")
