"""From a newer version in a registry to the model that has it: the dashboard over a real engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input

from llmstack_tui.config.hosts import HostSettings
from llmstack_tui.config.settings import Settings, UpdatesSettings
from llmstack_tui.core.open import Core
from llmstack_tui.engine.process.requirements import missing_reason
from llmstack_tui.tui.app import Dashboard
from llmstack_tui.tui.draw.updates import wanted
from llmstack_tui.tui.updates.screen import UpdatesScreen
from tests.support.engine_process import engine_process
from tests.support.registry import serving
from tests.support.waiting import wait_until
from tests.tui.driving import Desk

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.tui.models.rows import ModelRow

PATIENCE_S = 60.0


@pytest.mark.skipif(missing_reason() is not None, reason=str(missing_reason()))
async def test_a_model_is_pulled_found_to_be_old_and_updated(tmp_path: Path, tiny_model: Path) -> None:
    with engine_process(tmp_path) as url, serving() as registry:
        registry.publish("tiny", tiny_model, system="Terse.")
        # It asks only when somebody does.
        settings = Settings(hosts=(HostSettings(url=url),), updates=UpdatesSettings(check_every=None))
        app = Dashboard(settings, Core(settings, {}))

        def row() -> ModelRow | None:
            return next((row for row in app.models.list.models if row.name == registry.listed("tiny")), None)

        def has(state: str) -> bool:
            found = row()
            return found is not None and found.state == state

        def said(text: str) -> bool:
            return any(text in each.message for each in desk.toasts)

        async with app.run_test(size=(160, 40), notifications=True) as pilot:
            desk = Desk(app, pilot)
            await desk.until_shown("No models here yet.")
            await desk.press("p")
            await desk.until_shown("Pull a model, or import a file")
            app.screen.query_one("#path", Input).value = registry.name("tiny")
            await desk.press("enter")
            await wait_until(lambda: has("inactive"), PATIENCE_S)
            await wait_until(lambda: not under_way(app), PATIENCE_S)
            await desk.press("a")
            await wait_until(lambda: has("active"), PATIENCE_S)
            await desk.press("c")
            await wait_until(lambda: said("Everything is up to date."), PATIENCE_S)
            registry.publish("tiny", tiny_model, system="Terser.", pushed_at_s=2**31)
            sent = registry.blob_bytes_sent
            await desk.press("c")
            await desk.until_shown("1 update ↑")
            await wait_until(lambda: said("system prompt; "), PATIENCE_S)
            assert registry.blob_bytes_sent == sent
            await desk.press("V")
            await wait_until(lambda: isinstance(app.screen, UpdatesScreen))
            await desk.until_shown("system prompt", "checked just now")
            await desk.press("u")
            await wait_until(lambda: app.view.state is not None and not wanted(app.view.state), PATIENCE_S)
            await desk.press("escape")
            await wait_until(lambda: has("active"), PATIENCE_S)
            await desk.until_said("was updated.")
            await wait_until(lambda: (found := row()) is not None and not found.update, PATIENCE_S)


def under_way(app: Dashboard) -> bool:
    state = app.view.state
    return state is None or any(not each.state.is_over for each in state.downloads)
