"""Quitting while models are stopped for their updates."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.text import clean_lines
from llmstack_tui.downloads.types import DownloadState, Why
from llmstack_tui.hosts.errors import Unreachable
from llmstack_tui.tui.downloads.actions import leaving_text
from llmstack_tui.tui.draw.servers import left_behind
from tests.support import seeded
from tests.support.waiting import wait_until
from tests.tui import pulls
from tests.tui.driving import dashboard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from llmstack_tui.downloads.types import Download
    from tests.tui.driving import FakeDesk

KEPT = "The download of mistral:7b goes on with the next llmstack: what came is kept.\n"
STOPPED = "mistral:7b was unloaded for its update, and is loaded again then.\n"


def update(number: int = 1, model: str = "mistral:7b") -> Download:
    return pulls.pull(number, model, DownloadState.RUNNING, done=(10**9,), why=Why.UPDATE)


@asynccontextmanager
async def updating() -> AsyncIterator[FakeDesk]:
    """A dashboard that has stopped a model for its update, and was asked to quit."""
    async with dashboard(seeded.typical()) as desk:
        desk.stack.downloads.put(update())
        desk.stack.downloads.stopped = (update(),)
        await desk.pilot.pause()
        await desk.press("q")
        await desk.until_shown("Quit in the middle of an update?", "mistral:7b was unloaded for its update")
        yield desk


async def test_the_old_version_is_started_again_and_then_it_ends() -> None:
    async with updating() as desk:
        desk.stack.gate.clear()
        await desk.press("enter")
        await desk.until_shown("Loading mistral:7b again", "it ends at once")
        assert desk.app.is_running
        desk.stack.gate.set()
        await wait_until(lambda: not desk.app.is_running)
    assert ("start again", "mistral:7b") in desk.stack.calls
    assert desk.app.return_code == 0
    assert desk.app.farewell == KEPT


async def test_what_cannot_be_started_again_is_said() -> None:
    async with updating() as desk:
        desk.stack.failure = Unreachable("quoted", text="It does not answer.", host=seeded.URL)
        await desk.press("enter")
        await wait_until(lambda: not desk.app.is_running)
    assert desk.app.farewell == KEPT + STOPPED


async def test_who_does_not_want_to_wait_for_it_leaves_at_once() -> None:
    async with updating() as desk:
        desk.stack.gate.clear()
        await desk.press("enter")
        await desk.until_shown("Loading mistral:7b again")
        await desk.press("escape")
        await wait_until(lambda: not desk.app.is_running)
    assert desk.app.farewell == KEPT + STOPPED


async def test_it_may_stay_stopped() -> None:
    async with updating() as desk:
        await desk.press("right", "enter")
        await wait_until(lambda: not desk.app.is_running)
    assert not any(call[0] == "start again" for call in desk.stack.calls)
    assert desk.app.farewell == KEPT + STOPPED


async def test_whoever_stays_is_asked_again_the_next_time() -> None:
    async with updating() as desk:
        await desk.press("escape")
        await wait_until(lambda: "Quit in the middle" not in desk.text)
        assert desk.app.is_running
        await desk.press("q")
        await desk.until_shown("Quit in the middle of an update?")
        # And whoever insists is not asked anything.
        desk.app.act("downloads.leave")
        await wait_until(lambda: not desk.app.is_running)
    assert not any(call[0] == "start again" for call in desk.stack.calls)


async def test_ctrl_c_asks_once_and_ends_at_the_second_one() -> None:
    async with updating() as desk:
        await desk.press("escape")
        await wait_until(lambda: "Quit in the middle" not in desk.text)
        await desk.press("ctrl+c")
        await desk.until_shown("Quit in the middle of an update?")
        await desk.press("ctrl+c")
        await wait_until(lambda: not desk.app.is_running)
    assert not any(call[0] == "start again" for call in desk.stack.calls)
    assert desk.app.farewell == KEPT + STOPPED


async def test_ctrl_c_ends_the_wait_for_an_old_version() -> None:
    async with updating() as desk:
        desk.stack.gate.clear()
        await desk.press("enter")
        await desk.until_shown("Loading mistral:7b again")
        await desk.press("ctrl+c")
        await wait_until(lambda: not desk.app.is_running)
    assert desk.app.return_code == 0


async def test_nobody_is_asked_where_nothing_was_stopped() -> None:
    async with dashboard(seeded.typical()) as desk:
        desk.stack.downloads.put(update())
        await desk.pilot.pause()
        await desk.press("q")
        await wait_until(lambda: not desk.app.is_running)
    assert desk.app.farewell == KEPT


async def test_a_signal_asks_nothing() -> None:
    async with dashboard(seeded.typical()) as desk:
        desk.stack.downloads.put(update())
        desk.stack.downloads.stopped = (update(),)
        await desk.pilot.pause()
        desk.app.end(143)
    assert desk.app.farewell == KEPT + STOPPED


def test_what_is_left_behind() -> None:
    assert left_behind((), ()) == ""
    several = (update(1), update(2, "evil[/red]\x1b[31m:7b"))
    assert clean_lines(left_behind(several, several)) == (
        "2 downloads go on with the next llmstack: what came is kept.\n"
        "mistral:7b was unloaded for its update, and is loaded again then.\n"
        "evil[/red]�[31m:7b was unloaded for its update, and is loaded again then.\n"
    )


@pytest.mark.parametrize(
    ("count", "words"),
    [(1, "m1 was unloaded"), (2, "m1, m2 were unloaded"), (5, "m1, m2, m3 and 2 more were unloaded")],
)
def test_what_leaving_means(count: int, words: str) -> None:
    assert leaving_text([update(number, f"m{number}") for number in range(1, count + 1)]).startswith(words)
