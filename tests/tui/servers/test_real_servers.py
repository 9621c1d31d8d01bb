"""The dashboard over the real stack, against a server that behaves as Ollama and against the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input

from llmstack_tui.config.hosts import HostSettings
from llmstack_tui.config.settings import Settings, UpdatesSettings
from llmstack_tui.core.open import Core
from llmstack_tui.engine.process.requirements import missing_reason
from llmstack_tui.tui.app import Dashboard
from llmstack_tui.tui.models.rows import ModelRow
from tests.support.engine_process import engine_process
from tests.support.fake_ollama import fake_ollama
from tests.support.waiting import wait_until
from tests.tui.driving import Desk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


# No registry is asked for what is installed in a test.
NEVER = UpdatesSettings(check_every=None)


def watched(show: Callable[..., None], states: list[str]) -> Callable[..., None]:
    """``show`` that notes each new state of the one model."""

    def noted(rows: tuple[object, ...], **how: bool) -> None:
        first = next((row for row in rows if isinstance(row, ModelRow)), None)
        if first is not None and (not states or states[-1] != first.state):
            states.append(first.state.value)
        show(rows, **how)

    return noted


def is_subsequence(some: list[str], of: list[str]) -> bool:
    rest = iter(of)
    return all(each in rest for each in some)


@pytest.mark.skipif(missing_reason() is not None, reason=str(missing_reason()))
async def test_a_model_runs_from_the_dashboard(tmp_path: Path, tiny_model: Path) -> None:
    with engine_process(tmp_path) as url:
        settings = Settings(hosts=(HostSettings(url=url),), updates=NEVER)
        app = Dashboard(settings, Core(settings, {}))
        async with app.run_test(size=(120, 40), notifications=True) as pilot:
            desk = Desk(app, pilot)
            await desk.until_shown("Built-in engine", "No models here yet.")
            await desk.press("p")
            await desk.until_shown("Pull a model, or import a file")
            app.screen.query_one("#path", Input).value = str(tiny_model)
            await desk.until_shown("tiny-scripted:f16")
            await desk.press("enter")
            await desk.until_said("tiny-scripted:f16 was imported")
            await wait_until(lambda: app.screen is app.models)
            assert app.models.selected == (url, "tiny-scripted:f16")
            states: list[str] = []
            app.models.list.show = watched(app.models.list.show, states)  # type: ignore[method-assign]
            await desk.press("a")
            await wait_until(lambda: desk.state("tiny-scripted:f16") == "active")
            await desk.until_shown("the CPU", "for 1 model")
            await desk.press("d")
            await wait_until(lambda: desk.state("tiny-scripted:f16") == "inactive")
            # On a busy machine a state may be over before it is drawn, but none comes out of its order.
            order = ["inactive", "loading", "active", "stopping", "inactive"]
            assert "loading" in states
            assert is_subsequence(states[states.index("loading") :], order)
            await desk.until_said("was unloaded")
            await desk.press("x")
            await desk.until_shown("Remove tiny-scripted:f16?")
            await desk.press("right", "enter")
            await desk.until_said("was removed")
            await desk.until_shown("No models here yet.")
        assert tiny_model.exists()


async def test_the_real_stack_against_a_server_that_behaves_as_ollama() -> None:
    async with fake_ollama(mistral_7b="a", tiny_1b="b") as (fake, server):
        settings = Settings(hosts=(HostSettings(url=server.url),), updates=NEVER)
        app = Dashboard(settings, Core(settings, {}))
        async with app.run_test(size=(120, 40), notifications=True) as pilot:
            desk = Desk(app, pilot)
            await desk.until_shown("Ollama 0.32.15", "○ mistral:7b", "○ tiny:1b")
            fake.may_load.clear()
            await desk.press("a")
            await wait_until(lambda: desk.state("mistral:7b").startswith("loading"))
            await desk.press("escape")
            await wait_until(lambda: desk.state("mistral:7b") == "inactive")
            await desk.until_said("cancelled")
            fake.may_load.set()
            await desk.press("j", "a")
            await wait_until(lambda: desk.state("tiny:1b") == "active")
            request = fake.begin_request("tiny:1b")
            await desk.press("d")
            await wait_until(lambda: desk.state("tiny:1b").startswith("stopping"))
            fake.end_request(request)
            await wait_until(lambda: desk.state("tiny:1b") == "inactive")
            fake.load_error = "model requires more system memory"
            await desk.press("a")
            await desk.until_shown("Server error", "requires more system memory")
            fake.down = True
            await desk.press("r")
            await desk.until_shown("is not reachable")
            fake.down = False
            await desk.press("r")
            await desk.until_said("answers again.")


async def test_a_server_that_is_not_there_is_a_banner_and_the_dashboard_goes_on() -> None:
    settings = Settings(hosts=(HostSettings(url="http://127.0.0.1:9"),), updates=NEVER)
    app = Dashboard(settings, Core(settings, {}))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        desk = Desk(app, pilot)
        await desk.until_shown("No answer yet.", "Next try in")
        await desk.press("a", "d", "j", "y")
        assert app.is_running
