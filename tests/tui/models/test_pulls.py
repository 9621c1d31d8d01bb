"""Models in the list before they are installed: while they are being pulled."""

from __future__ import annotations

from datetime import UTC, datetime

from llmstack_tui.base.structs import replace
from llmstack_tui.core.state import HostState, StackState
from llmstack_tui.downloads.types import DownloadState
from llmstack_tui.tui.draw.marks import UNICODE
from llmstack_tui.tui.models.arrangement import ModelColumn, ModelOrder, PullRow, listed_rows, pull_rows
from llmstack_tui.tui.models.rows import Rows
from llmstack_tui.tui.view import Moment
from tests.support import seeded
from tests.tui import pulls
from tests.tui.driving import dashboard

_FIRST = pulls.pull(1, "tiny:1b", DownloadState.RUNNING, done=(340,), sizes=(1000,), speed=10.0)
_OVER = pulls.pull(2, "gone:1b", DownloadState.FAILED)


def test_what_is_pulled_has_a_row_until_it_is_installed() -> None:
    installed = seeded.state(seeded.snapshot((seeded.model("there:1b"),)))
    (row,) = Rows().make(installed, Moment(datetime.now(UTC), 1.0), UNICODE)
    there = pulls.pull(3, "there:1b", DownloadState.RUNNING)
    (found,) = pull_rows((_FIRST, _OVER, there), (row,), UNICODE)
    assert found == PullRow(
        (seeded.URL, "tiny:1b"), UNICODE.pulling, "tiny:1b", "34 %  340 B of 1 kB  10 B/s  1:06 left"
    )
    assert listed_rows((row,), (), ModelOrder(ModelColumn.NAME), pulls=(found,)) == (found, row)


async def test_the_first_pull_is_seen_in_the_empty_list_and_enter_opens_it() -> None:
    empty = StackState((HostState(seeded.snapshot(()), ()),), downloads=(_FIRST,))
    async with dashboard(empty) as desk:
        await desk.until_shown("tiny:1b", "pulling  34 %")
        assert "No models here yet" not in desk.text
        for key in ("a", "d", "x", "P", "space"):
            await desk.press(key)
        await desk.until_shown("tiny:1b is being pulled. Press 2 to see it.")
        assert not desk.stack.acts
        await desk.press("enter")
        await desk.until_shown("layer 1 of 1")


async def test_downloads_open_on_what_is_under_way() -> None:
    over = pulls.pull(9, "old:1b", DownloadState.DONE)
    async with dashboard(replace(seeded.typical(), downloads=(over,))) as desk:
        await desk.press("2")
        await desk.until_shown("old:1b")
        await desk.press("1")
        desk.stack.downloads.put(over, _FIRST)
        await desk.press("2")
        await desk.until_shown("tiny:1b")
        assert desk.app.screen.targets == (1,)  # type: ignore[attr-defined]
