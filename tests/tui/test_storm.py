"""However much happens, little is drawn, and keys are heard."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from textual.geometry import Region

from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.downloads.types import DownloadState
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.store.tables.events import Event
from llmstack_tui.tui.activity.feed import ActivityFeed
from llmstack_tui.tui.models import rows
from tests.support import seeded
from tests.support.waiting import paced, wait_until
from tests.tui.driving import FakeDesk, dashboard
from tests.tui.pulls import pull

if TYPE_CHECKING:
    import pytest

    from llmstack_tui.core.state import StackState

CHANGES = 2_000


async def storm(desk: FakeDesk) -> None:
    """A thousand changes a second, half of them events: as many as there is time for."""
    host = desk.stack.state.hosts[0]
    async for number in paced(CHANGES, 0.001):
        if number % 2:
            event = Event(
                at=datetime.now(UTC), kind="loaded", sentence=quoted(f"Number {number}."), host=seeded.URL
            )
            desk.stack.happened(event)
        else:
            snapshot = replace(host.snapshot, read_at=float(number))
            desk.stack.put(replace(desk.stack.state, hosts=(replace(host, snapshot=snapshot),)))


async def test_a_storm_is_drawn_a_few_times_a_second_and_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async with dashboard(seeded.many(100)) as desk:
        shown: list[object] = []
        show_state = desk.app.show_state

        def show(state: StackState) -> None:
            shown.append(state)
            show_state(state)

        monkeypatch.setattr(desk.app, "show_state", show)
        desk.stack.calls.clear()
        begin = time.monotonic()
        raging = asyncio.create_task(storm(desk))
        models = desk.app.models.list
        for at in range(1, 6):
            desk.app.models.list.action_cursor_down()
            await wait_until(partial(lambda there: models.cursor == there, at))
        await raging
        # Pauses of 0.05, 0.1 and 0.2 s, and of 0.4 s from then on; on a slow machine they only grow.
        assert 1 <= len(shown) <= 5 + (time.monotonic() - begin) / 0.4
        assert sum(call == ("events",) for call in desk.stack.calls) <= len(shown) + 2
        await desk.until_said(f"Number {CHANGES - 1}.")
        await wait_until(lambda: desk.app.state is desk.stack.state)
        assert len(desk.app.controller(ActivityFeed).activity.lines.events) == 500


async def test_after_a_storm_what_happens_is_shown_at_once_again() -> None:
    async with dashboard(seeded.many(10)) as desk:
        connection = desk.app.connection
        await storm_of_states(desk, 200)
        await wait_until(lambda: desk.app.state is desk.stack.state)
        await wait_until(lambda: connection.pause_s == 0.05, what="the pause of quiet times")


async def storm_of_states(desk: FakeDesk, count: int) -> None:
    async for number in paced(count, 0.005):
        desk.stack.put(replace(desk.stack.state, last_event_id=number))
    assert desk.app.connection.pause_s > 0.05


PULLS = 20
TOLD = 40


async def test_of_a_thousand_models_only_those_that_are_pulled_are_made_and_painted_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with dashboard(seeded.many(1_000)) as desk:
        models = desk.app.models.list
        host = desk.stack.state.hosts[0]
        names = [model.name for model in host.models if model.state is ModelState.INACTIVE][:PULLS]
        lively = sum(model.state is not ModelState.INACTIVE for model in host.models)
        put_pulls(desk, names, 0)
        await wait_until(lambda: desk.app.state is desk.stack.state)
        made = counted(monkeypatch, rows, "model_row")
        refreshed = counted(monkeypatch, models, "refresh")
        shown = counted(monkeypatch, desk.app, "show_state")
        drawn = counted(monkeypatch, desk.app.screens, "draw")
        async for at in paced(TOLD, 0.01):
            put_pulls(desk, names, at + 1)
        await wait_until(lambda: desk.app.state is desk.stack.state)
        assert 1 <= len(shown) <= TOLD
        assert PULLS <= len(made) <= (PULLS + lively) * len(drawn)
        assert PULLS <= len(refreshed) <= (PULLS + lively) * len(drawn)
        # Never the whole list: each time a line of it.
        assert all(isinstance(region, Region) and region.height == 1 for (region,) in refreshed)


async def test_what_lies_under_another_screen_is_drawn_when_it_comes_up_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with dashboard(seeded.many(100)) as desk:
        models = desk.app.models
        host = desk.stack.state.hosts[0]
        names = [model.name for model in host.models][:PULLS]
        put_pulls(desk, names, 0)
        await desk.press("2")
        await desk.until_shown(f"{PULLS} running")
        await desk.pilot.pause()
        shown = counted(monkeypatch, models, "show")
        repainted = counted(monkeypatch, desk.app.screen, "refresh")
        async for at in paced(20, 0.01):
            put_pulls(desk, names, at + 1)
        await desk.until_shown("20 %")
        assert shown == []
        # Lines of the list were painted, and not all of the screen.
        assert repainted == []
        await desk.press("1")
        await desk.until_shown("20 %")
        assert shown
        put_pulls(desk, names, 21)
        await desk.until_shown("21 %")


def counted(monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> list[tuple[object, ...]]:
    """What a function is called with from now on."""
    calls: list[tuple[object, ...]] = []
    function = getattr(owner, name)

    def call(*args: object, **more: object) -> object:
        calls.append(args)
        return function(*args, **more)

    monkeypatch.setattr(owner, name, call)
    return calls


def put_pulls(desk: FakeDesk, names: list[str], at: int) -> None:
    """How far the pulls are, ``at`` percent."""
    desk.stack.downloads.put(
        *(
            pull(number, name, DownloadState.RUNNING, done=(at * 10**7,), sizes=(10**9,), speed=1e6 + at)
            for number, name in enumerate(names, 1)
        )
    )
