"""The order of the list, by its keys and by clicks."""

from __future__ import annotations

import pytest

from llmstack_tui.base.structs import replace
from llmstack_tui.config.settings import Settings, UiSettings
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.tui.models.arrangement import ModelColumn, ModelOrder
from llmstack_tui.tui.widgets.table import Headings
from tests.support import seeded
from tests.support.waiting import wait_until
from tests.tui.driving import FakeDesk, dashboard


def first(desk: FakeDesk) -> str:
    return desk.app.models.list.models[0].name


@pytest.mark.parametrize(("unicode", "up", "down"), [(True, "▲", "▼"), (False, "^", "v")])
async def test_o_goes_through_the_columns_and_shift_reverses(unicode: bool, up: str, down: str) -> None:
    async with dashboard(size=(80, 24), unicode=unicode) as desk:
        heading = desk.text.splitlines()[2]
        assert not {"▲", "▼", "^"} & set(heading)
        for key, name, arrow in (
            ("o", "gpt-oss:120b-cloud", f"Name {up}"),
            ("O", "smollm2:135m", f"Name {down}"),
            ("o", "nomic-embed-text:latest", f"Quant.{up}"),
            ("o", "phi4:14b", f"{down}Size"),
            ("O", "smollm2:135m", f"{up}Size"),
            ("o", "qwen2.5-coder:7b", f"{down}Memory"),
            ("o", "smollm2:135m", f"State {up}"),
            ("O", "gpt-oss:120b-cloud", f"State {down}"),
            ("o", "smollm2:135m", f"{up}Leaves"),
            ("o", "qwen2.5-coder:7b", "Name  "),
            ("O", "gpt-oss:120b-cloud", f"{down} Name"),
        ):
            await desk.press(key)
            assert (first(desk), arrow in desk.text) == (name, True), (key, arrow)


async def test_the_title_says_what_o_did_also_where_the_column_has_no_room() -> None:
    async with dashboard(size=(80, 24)) as desk:
        await desk.press("o")
        await desk.until_shown("Models  7, 2 active, by name")
        await desk.press("O")
        await desk.until_shown("Models  7, 2 active, by name, reversed")


async def test_active_models_can_be_on_top_in_any_order() -> None:
    async with dashboard() as desk:
        await desk.press("O")
        listed = [row.name for row in desk.app.models.list.models]
        active = [row.name for row in desk.app.models.list.models if row.state is ModelState.ACTIVE]
        assert listed[: len(active)] != active
        desk.app.use_settings(Settings(ui=UiSettings(active_first=True)))
        shown = [row.name for row in desk.app.models.list.models]
        assert shown == [*active, *(name for name in listed if name not in active)]
        await desk.press("o")
        shown = [row.name for row in desk.app.models.list.models]
        assert shown[: len(active)] == sorted(active)


async def test_the_cursor_stays_on_its_model() -> None:
    async with dashboard() as desk:
        before = desk.app.models.selected
        await desk.press("o", "o", "o")
        assert first(desk) == "phi4:14b"
        assert desk.app.models.selected == before


async def test_a_model_that_is_loaded_moves_up_where_the_list_is_sorted_by_state() -> None:
    async with dashboard() as desk:
        await desk.press("o", "o", "o", "o", "o", "end", "k", "a")
        await wait_until(lambda: [row.name for row in desk.app.models.list.models].index("phi4:14b") == 2)
        assert desk.app.models.list.cursor == 2


async def test_a_click_on_a_heading_sorts_and_a_second_reverses() -> None:
    async with dashboard() as desk:
        heading = desk.app.models.query_one(Headings).render_line(0).text
        size = heading.index("Size") + 1
        await desk.pilot.click(Headings, offset=(size, 0))
        await wait_until(lambda: first(desk) == "phi4:14b")
        await desk.pilot.click(Headings, offset=(size, 0))
        await wait_until(lambda: first(desk) == "smollm2:135m")
        await desk.pilot.click(Headings, offset=(heading.index("Name"), 0))
        await wait_until(lambda: first(desk) == "gpt-oss:120b-cloud")


async def test_only_columns_that_are_shown_are_gone_through() -> None:
    async with dashboard(size=(200, 60)) as desk:
        await desk.press("o", "o")
        assert desk.app.models.pane.order == ModelOrder(ModelColumn.VERSION)
        await desk.press("o", "o", "o", "o", "o")
        assert desk.app.models.pane.order == ModelOrder(ModelColumn.LEAVES)
        await desk.press("o")
        assert desk.app.models.pane.order == ModelOrder()


async def test_a_list_that_is_cut_says_of_how_many_it_is_a_part() -> None:
    snapshot = replace(seeded.typical().hosts[0].snapshot, left_out=7_300)
    async with dashboard(seeded.state(snapshot)) as desk:
        count = len(snapshot.installed)
        await desk.until_shown(f"Models  the first {count} of 7,30{count}")
