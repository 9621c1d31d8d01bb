"""The filter of the list, by its keys."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from textual import events

from llmstack_tui.base.structs import replace
from llmstack_tui.tui.widgets.table import FilterField
from tests.support import seeded
from tests.support.waiting import wait_until
from tests.tui.driving import FakeDesk, dashboard


def shown(desk: FakeDesk) -> list[str]:
    return [row.name for row in desk.app.models.list.models]


async def test_typing_filters_and_enter_keeps_it() -> None:
    async with dashboard(seeded.many(300), size=(80, 24)) as desk:
        assert "Filter by" not in desk.text
        await desk.press("slash")
        await desk.until_shown("Filter by name")
        await desk.type("model-029 Q4")
        await desk.until_shown("Models  10 of 300", "model-029 Q4")
        assert shown(desk) == [f"model-029{last}:latest" for last in range(10)]
        await desk.press("enter", "j", "a")
        await desk.until_said("model-0291:latest was loaded")
        assert "10 of 300" in desk.text
        await desk.press("escape")
        await desk.until_shown("Models  300, 1 active")
        assert "model-029 Q4" not in desk.text
        assert desk.app.models.selected == (seeded.URL, "model-0291:latest")


async def test_letters_are_typed_and_not_obeyed() -> None:
    async with dashboard() as desk:
        await desk.press("slash")
        await desk.type("adxq?/")
        assert desk.app.query_one(FilterField).value == "adxq?/"
        assert desk.stack.acts == []
        await desk.press("escape", "d")
        await desk.until_said("qwen2.5-coder:7b was unloaded")


async def test_escape_in_the_field_shows_all_again_and_nothing_is_left_of_it() -> None:
    async with dashboard() as desk:
        await desk.press("slash")
        await desk.type("mistral")
        await wait_until(lambda: shown(desk) == ["mistral:7b"])
        await desk.press("escape")
        await desk.until_shown("Models  7, 2 active")
        assert desk.app.focused is desk.app.models.list
        await desk.press("slash")
        assert desk.app.query_one(FilterField).value == ""
        await desk.press("enter")
        assert not desk.app.query_one(FilterField).display
        assert desk.app.focused is desk.app.models.list


async def test_when_nothing_is_found_it_says_so_and_keys_do_nothing() -> None:
    async with dashboard() as desk:
        await desk.press("slash")
        await desk.type("[bold]x[/red]")
        await desk.until_shown("0 of 7", "[bold]x[/red]", "No match.")
        await desk.press("enter", "a", "x", "j")
        assert desk.stack.acts == []
        await desk.press("escape")
        await desk.until_shown("Models  7, 2 active")


async def test_a_state_that_comes_meanwhile_is_filtered() -> None:
    async with dashboard(seeded.many(3)) as desk:
        await desk.press("slash")
        await desk.type("new")
        await desk.until_shown("0 of 3")
        new = seeded.model("new:latest")
        snapshot = desk.stack.snapshot
        desk.stack.put_snapshot(replace(snapshot, installed=(*snapshot.installed, new)))
        await desk.until_shown("1 of 4", "new:latest")


async def test_a_model_that_was_added_is_shown_although_the_filter_would_hide_it() -> None:
    async with dashboard() as desk:
        await desk.press("slash")
        await desk.type("phi")
        await wait_until(lambda: shown(desk) == ["phi4:14b"])
        await desk.press("enter")
        desk.app.select(seeded.URL, "mistral:7b")
        await wait_until(lambda: desk.app.models.selected == (seeded.URL, "mistral:7b"))
        assert len(shown(desk)) == 7


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (200, 60)])
@pytest.mark.parametrize("unicode", [True, False])
async def test_it_fits_every_size(size: tuple[int, int], unicode: bool) -> None:
    async with dashboard(seeded.many(300), size=size, unicode=unicode) as desk:
        await desk.press("slash")
        desk.app.query_one(FilterField).value = "model" * 30
        await desk.until_shown("0 of 300", "Show all")
        lines = desk.text.splitlines()
        assert len(lines) == size[1]
        assert max(map(cell_len, lines)) <= size[0]
        assert unicode or desk.text.isascii()


async def test_what_is_typed_faster_than_the_screen_follows_is_not_lost() -> None:
    async with dashboard() as desk:
        for letter in "/qdx/tiny":
            desk.app.post_message(events.Key("slash" if letter == "/" else letter, letter))
        await wait_until(lambda: desk.app.query_one(FilterField).value == "qdx/tiny")
