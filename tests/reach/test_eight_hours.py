"""Nothing that the dashboard holds grows with time."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

import pytest
from textual.screen import Screen

from llmstack_tui.config.settings import Settings
from llmstack_tui.core.stack import Stack
from llmstack_tui.store.database.connection import Database
from llmstack_tui.tui.activity.feed import LIMIT, ActivityFeed
from llmstack_tui.tui.app import Dashboard
from tests.reach.counts import alive, count
from tests.reach.day import Day, World
from tests.reach.warp import Warp
from tests.support.waiting import wait_until
from tests.tui.driving import Desk

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reach.counts import Counts

HOURS = 8
CHANGES = 5_000
AT_ONCE = 125
# What is in flight at one moment and not at another; a leak of one for each change would be 2,500.
_SLACK = 250


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_eight_hours_and_5000_changes_leave_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warp = Warp(monkeypatch)
    world = World(tmp_path / "state.db", tmp_path / "config.toml")
    app = Dashboard(Settings(), world, clock=warp.now)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        day = Day(world, Desk(app, pilot), warp)
        await wait_until(lambda: app.view.state is not None, what="a first state")
        held: list[Counts] = []
        workers: list[int] = []
        for quarter in range(1, 5):
            await day.connect_anew()
            await day.walk_around()
            while day.changes < CHANGES * quarter / 4:
                day.change(AT_ONCE)
                if day.changes % 500 < AT_ONCE:
                    day.edit_settings()
                await day.pass_by(HOURS * 3600 * AT_ONCE / CHANGES)
            await day.rest()
            await wait_until(
                lambda: gc.collect() >= 0 and len(alive(Database)) == 1, 60, what="one open state"
            )
            held.append(count())
            assert [type(each).__name__ for each in alive(Screen)] == ["ModelsScreen"]
            assert (len(alive(Stack)), len(alive(Database))) == (1, 1)
            assert day.desk.toasts == []
            assert len(app.controller(ActivityFeed).activity.lines.events) <= LIMIT
            workers.append(len(app.workers))
        half, end = held[1], held[3]
        grown = end.growth(half, _SLACK)
        grown.pop("llmstack_tui.store.tables.events.Event", 0)
        assert grown == {}
        assert end.blocks - half.blocks < 0.02 * half.blocks
        assert max(workers) <= 5, "the connection, the settings, and what is looked up just now"
        assert end.tasks <= half.tasks + 5
        assert end.timers <= half.timers + 5, "of what waits and works in turn, some has none just now"
        # asyncio's pool of threads grows to its size as more is asked at once.
        assert end.threads <= half.threads + (os.cpu_count() or 1) + 4
        assert end.files <= half.files + 2, "a request may be under way"
        assert len(world.stack.lifecycle.locks) == 0
