"""The queue and the history as they are drawn, in more states at once than a real queue is brought to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.config.settings import Settings, UpdatesSettings
from llmstack_tui.core.types import MAX_OVER
from llmstack_tui.downloads.types import DownloadState
from llmstack_tui.hosts.errors import Refused
from llmstack_tui.tui.downloads.actions import DownloadController
from llmstack_tui.tui.downloads.list import DownloadRow, Heading, download_rows
from llmstack_tui.tui.draw.marks import ASCII, UNICODE
from tests.support import seeded
from tests.support.waiting import wait_until
from tests.tui import pulls
from tests.tui.driving import dashboard

if TYPE_CHECKING:
    from llmstack_tui.core.state import StackState
    from llmstack_tui.tui.downloads.screen import DownloadsScreen
    from tests.tui.driving import FakeDesk

NOW = datetime(2026, 11, 21, 12, 1, tzinfo=UTC)


def state() -> StackState:
    return replace(seeded.typical(), downloads=pulls.morning(datetime.now(UTC)))


async def opened(desk: FakeDesk) -> DownloadsScreen:
    await desk.press("2")
    await desk.until_shown("History")
    screen: DownloadsScreen = desk.app.screen  # type: ignore[assignment]
    return screen


def row(of: str) -> DownloadRow:
    rows = [
        each for each in download_rows(pulls.morning(NOW), NOW, UNICODE, {}) if isinstance(each, DownloadRow)
    ]
    return next(each for each in rows if each.name.startswith(of))


def test_what_is_running_has_bytes_speed_and_time() -> None:
    found = row("qwen2.5")
    assert (found.word, found.amount, found.speed, found.when) == (
        "updating", "2.4 of 4.7 GB", "21 MB/s", "1:46 left",
    )  # fmt: skip
    assert found.note == "layer 1 of 3 · pulling 60e05f210007"
    assert found.share is not None
    assert 0.51 < found.share < 0.52


def test_what_does_not_go_on_says_so() -> None:
    def note(speed: float | None, step: str = "pulling 60e05f210007", done: int = 5) -> str:
        of = pulls.pull(
            1, "a", DownloadState.RUNNING, now=NOW, done=(done,), step=step, speed=speed, sizes=(9,)
        )
        (found,) = download_rows([of], NOW, UNICODE, {})
        assert isinstance(found, DownloadRow)
        assert bool(found.speed) == bool(speed)
        return found.note

    assert note(0.0).endswith("· no data at present")
    for quiet in (note(None), note(7.0), note(0.0, "verifying sha256 digest"), note(0.0, done=9)):
        assert "no data" not in quiet


def test_what_waits_says_for_what() -> None:
    assert row("mistral").note == "waits for its turn"
    assert "42 GB" in row("llama3.3").note


def test_what_is_unknown_is_no_nought() -> None:
    download = pulls.pull(1, "a", DownloadState.RUNNING, now=NOW, done=(5,), sizes=(None,))
    (found,) = download_rows([download], NOW, UNICODE, {})
    assert isinstance(found, DownloadRow)
    assert (found.share, found.amount, found.speed, found.when) == (None, "5 B of ?", "", "")


def test_all_of_it_has_an_ascii_twin() -> None:
    rows = download_rows(pulls.morning(NOW), NOW, ASCII, {})
    assert all(str(each).isascii() for each in rows)


async def test_a_digit_leads_there_and_escape_back() -> None:
    async with dashboard(state()) as desk:
        screen = await opened(desk)
        assert "1 running, 2 waiting, 1 paused" in desk.text
        assert "2 Downloads (4)" in desk.text
        await desk.press("down", "1")
        await wait_until(lambda: desk.app.models.is_current)
        await desk.press("2")
        await wait_until(lambda: screen.is_current)
        assert screen.selected == 6  # the cursor stays where it was
        await desk.press("escape")
        assert desk.app.models.is_current


async def test_a_click_leads_there() -> None:
    async with dashboard(state()) as desk:
        await desk.pilot.click("Tabs", offset=(14, 0))
        await desk.until_shown("History")


async def test_of_one_that_has_not_begun_there_is_nothing_to_keep() -> None:
    async with dashboard(state()) as desk:
        screen = await opened(desk)
        screen.list.move_to(6)
        await desk.press("x")
        await wait_until(lambda: ("cancel", "6", "delete") in desk.stack.calls)


async def test_what_failed_says_why_and_is_tried_again() -> None:
    async with dashboard(state()) as desk:
        screen = await opened(desk)
        assert "has no model evil/[/red]:latest." in desk.text
        screen.list.move_to(3)
        await desk.press("r")
        await wait_until(lambda: ("retry", "3") in desk.stack.calls)
        # The cursor goes along with the pull, but not if the user has moved it meanwhile.
        screen.list.move_to(2)
        controller = desk.app.controller(DownloadController)
        await wait_until(lambda: controller.replaced == 3 and controller.asked is None)
        assert screen.selected == 2
        desk.stack.failure = Refused("quoted", text="It is waiting already.", host=seeded.URL)
        await desk.press("r")
        await desk.until_shown("It is waiting already.")
        screen.list.move_to(4)
        await desk.press("r")
        await desk.until_shown("Only what failed")


async def test_a_name_is_pulled_from_here_too() -> None:
    async with dashboard(state()) as desk:
        screen = await opened(desk)
        screen.list.move_to(3)
        await desk.press("p")
        await desk.until_shown("Name to pull")
        await desk.type("tiny:1b")
        await desk.press("enter")
        await wait_until(lambda: ("pull", seeded.URL, "tiny:1b") in desk.stack.calls)
        await desk.until_shown("3 waiting")
        # The next key is for what was asked for, not for the line that the cursor was on.
        asked = max(each.id for each in desk.stack.state.downloads)
        await wait_until(lambda: screen.selected == asked)
        screen.list.move_to(3)
        await desk.press("r")
        await desk.until_shown("4 waiting")
        assert screen.selected == 3


async def test_the_details_follow_the_pull() -> None:
    async with dashboard(state()) as desk:
        await opened(desk)
        await desk.press("enter")
        await desk.until_shown("Layers", "2.4 of 4.7 GB", "pulling 60e05f210007")
        first, *others = desk.stack.state.downloads
        desk.stack.downloads.put(
            replace(first, state=DownloadState.FAILED, reason=(quoted("The disk is full."),)), *others
        )
        await desk.until_shown("The disk is full.")
        desk.stack.downloads.put(*others)
        await desk.until_shown("no longer on the list")
        await desk.press("escape")
        await desk.until_shown("History")


async def test_it_is_drawn_four_times_a_second_at_most() -> None:
    async with dashboard(state()) as desk:
        screen = await opened(desk)
        drawn: list[object] = []
        screen.list.show = drawn.append  # type: ignore[method-assign, assignment]
        for _ in range(20):
            screen.show(desk.app.view)
        assert len(drawn) <= 1
        await wait_until(lambda: drawn)


async def test_many_at_every_size_in_ascii_too() -> None:
    waiting = DownloadState.WAITING
    many = tuple(pulls.pull(number, f"model-{number}:latest", waiting) for number in range(300))
    state = replace(seeded.typical(), downloads=many)
    for size in ((60, 16), (80, 24), (200, 60)):
        async with dashboard(state, size=size, unicode=False) as desk:
            await desk.press("2")
            await desk.until_shown("300 waiting", "model-0:latest")
            assert desk.text.isascii()
            await desk.press("end")
            await desk.until_shown("model-299:latest")
            await desk.press("pageup", "home")
            await desk.until_shown("model-0:latest")


async def test_the_end_of_a_pull_that_was_seen_is_told_once() -> None:
    def seen(of: DownloadState, reason: str = "") -> StackState:
        download = pulls.pull(1, "[red]a", of, now=NOW, done=(5,), sizes=(5,))
        return replace(
            seeded.typical(), downloads=(replace(download, reason=(quoted(reason),) if reason else ()),)
        )

    async with dashboard(seen(DownloadState.FAILED, "It failed long ago.")) as desk:
        desk.stack.put(seen(DownloadState.RUNNING))
        await desk.until_shown("Downloads (1)")
        assert desk.toasts == []
        for _ in range(2):
            desk.stack.put(seen(DownloadState.FAILED, "The disk is full."))
            await wait_until(
                lambda: [toast.message for toast in desk.toasts] == ["[red]a: The disk is full."]
            )
            await desk.pilot.pause()
        assert desk.toasts[0].title == "Download failed"
        desk.stack.put(seen(DownloadState.WAITING))
        await desk.until_shown("Downloads (1)")
        desk.stack.put(seen(DownloadState.DONE))
        await wait_until(lambda: "[red]a is installed." in desk.toasts[-1].message)


_LONG = "hf.co/somebody/a-model-with-a-name-of-sixty-characters:Q4_K_M"


@pytest.mark.parametrize("width", [60, 80, 120])
async def test_the_figures_of_a_pull_stay_whole_in_every_width(width: int) -> None:
    running = pulls.pull(1, _LONG, DownloadState.RUNNING, done=(812_000_000, 0, 0), speed=21e4)
    figures = ("17 %", "812 MB of 4.7 GB", "210 kB/s", "5 h 07 left")
    async with dashboard(replace(seeded.typical(), downloads=(running,)), size=(width, 24)) as desk:
        await desk.until_shown("a-mo", *figures)
        await desk.press("2")
        await desk.until_shown("a-name", "pulling", *figures)


async def test_that_ollamas_own_pulls_have_no_limit_is_said_while_one_is_set() -> None:
    running = pulls.pull(1, "tiny:1b", DownloadState.RUNNING, done=(340,), sizes=(1000,), speed=10.0)
    host = replace(seeded.typical(), downloads=(running,))
    said = "Ollama's own pulls cannot be limited ([updates] limit)."
    for limit in (0, 5_000_000):
        settings = Settings(updates=UpdatesSettings(limit=limit))
        async with dashboard(host, settings=settings, size=(60, 24)) as desk:
            await desk.press("2")
            await desk.until_shown("tiny:1b", "34 %")
            assert (said in desk.text) is bool(limit)
            await desk.press("enter")
            await desk.until_shown("Asked for")
            assert ("Limit" in desk.text) is bool(limit)


def test_a_history_that_is_full_says_that_only_the_newest_are_kept() -> None:
    def headings(count: int) -> list[str]:
        over = [pulls.pull(number, "a", DownloadState.DONE, now=NOW) for number in range(count)]
        return [row.text for row in download_rows(over, NOW, UNICODE, {}) if isinstance(row, Heading)]

    assert headings(MAX_OVER - 1) == ["History"]
    assert headings(MAX_OVER) == [f"History: the newest {MAX_OVER} are kept"]
