"""The list by itself: what is painted, and where the cursor is."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len
from textual import on
from textual.app import App, ComposeResult

from llmstack_tui.base.structs import replace
from llmstack_tui.tui.draw.marks import UNICODE
from llmstack_tui.tui.models.arrangement import ModelColumn, ModelOrder
from llmstack_tui.tui.models.list import ColumnWidths, ModelList
from llmstack_tui.tui.models.rows import ModelRow, Rows
from llmstack_tui.tui.view import Moment
from llmstack_tui.tui.widgets.table import Headings
from tests.support import seeded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.pilot import Pilot
    from textual.strip import Strip


@pytest.fixture(autouse=True)
def unpainted() -> None:
    """All is painted, as in a terminal: tests count what is drawn."""


NOW = Moment(datetime.now(UTC), 1000.0)


def rows(count: int) -> tuple[ModelRow, ...]:
    return Rows().make(seeded.many(count), NOW, UNICODE)


class CountingList(ModelList):
    """Knows which lines it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.painted: list[int] = []

    def render_line(self, y: int) -> Strip:
        self.painted.append(y)
        return super().render_line(y)


class ListApp(App[None]):
    marks = UNICODE

    def __init__(self) -> None:
        super().__init__()
        self.list = CountingList()
        self.moves: list[str | None] = []

    def compose(self) -> ComposeResult:
        yield Headings(lambda width: self.list.columns(width).headings(), ModelOrder())
        yield self.list

    @on(ModelList.Moved)
    def _moved(self) -> None:
        self.moves.append(selected(self))


@asynccontextmanager
async def listing(
    made: tuple[ModelRow, ...], size: tuple[int, int] = (90, 21)
) -> AsyncIterator[tuple[ListApp, Pilot[None]]]:
    app = ListApp()
    async with app.run_test(size=size) as pilot:
        app.list.focus()
        app.list.show(made)
        await pilot.pause()
        yield app, pilot


def selected(app: ListApp) -> str | None:
    return app.list.model.name if app.list.model else None


def screen_line(app: ListApp, y: int) -> str:
    return app.list.render_line(y).text


async def test_one_changed_figure_paints_one_line() -> None:
    made = rows(15)
    async with listing(made) as (app, pilot):
        app.list.painted.clear()
        app.list.show((*made[:7], replace(made[7], memory="5.1 GB"), *made[8:]))
        await pilot.pause()
        assert app.list.painted == [7]
        assert "5.1 GB" in screen_line(app, 7)


async def test_nothing_new_paints_nothing() -> None:
    made = rows(15)
    async with listing(made) as (app, pilot):
        app.list.painted.clear()
        app.list.show(rows(15))
        await pilot.pause()
        assert app.list.painted == []


async def test_a_change_that_is_scrolled_out_paints_nothing() -> None:
    made = rows(300)
    async with listing(made) as (app, pilot):
        app.list.painted.clear()
        app.list.show((*made[:200], replace(made[200], memory="5.1 GB"), *made[201:]))
        await pilot.pause()
        assert app.list.painted == []


async def test_the_cursor_moves_and_repaints_two_lines() -> None:
    async with listing(rows(15)) as (app, pilot):
        app.list.painted.clear()
        await pilot.press("down")
        await pilot.pause()
        assert sorted(app.list.painted) == [0, 1]
        assert screen_line(app, 1).startswith("▌")
        assert screen_line(app, 0).startswith(" ")


async def test_keys_move_the_cursor_and_stop_at_the_ends() -> None:
    async with listing(rows(300)) as (app, pilot):
        for key, expected in (
            ("k", 0),
            ("j", 1),
            ("down", 2),
            ("up", 1),
            ("pagedown", 20),
            ("pageup", 1),
            ("end", 299),
            ("j", 299),
            ("home", 0),
            ("G", 299),
            ("g", 0),
        ):
            await pilot.press(key)
            assert app.list.cursor == expected, key
            await pilot.pause()
            visible = range(int(app.list.scroll_y), int(app.list.scroll_y) + app.list.size.height)
            assert app.list.cursor in visible, key


async def test_a_click_puts_the_cursor_there_and_a_second_opens() -> None:
    opened: list[ModelList.Opened] = []

    class Opening(ListApp):
        @on(ModelList.Opened)
        def _opened(self, event: ModelList.Opened) -> None:
            opened.append(event)

    app = Opening()
    async with app.run_test(size=(90, 21)) as pilot:
        app.list.show(rows(300))
        app.list.action_last()
        await pilot.pause()
        top = int(app.list.scroll_y)
        await pilot.click(CountingList, offset=(5, 3))
        assert app.list.cursor == top + 3
        assert opened == []
        await pilot.click(CountingList, offset=(5, 3), times=2)
        assert len(opened) == 1


async def test_the_cursor_stays_on_its_model() -> None:
    made = rows(10)
    async with listing(made) as (app, pilot):
        app.list.cursor = 5
        app.list.show((replace(made[0], key=("h", "new"), name="new"), *made))
        assert (app.list.cursor, app.list.row) == (6, made[5])
        app.list.show(made[3:])
        assert app.list.row is made[5]
        await pilot.pause()


async def test_when_its_model_goes_the_cursor_takes_a_neighbour() -> None:
    made = rows(10)
    async with listing(made) as (app, pilot):
        app.list.cursor = 9
        await pilot.pause()
        app.moves.clear()
        app.list.show(made[:9])
        await pilot.pause()
        assert selected(app) == made[8].name
        app.list.show(())
        await pilot.pause()
        assert selected(app) is None
        assert app.moves == [made[8].name, None]
        app.list.show(made)
        await pilot.pause()
        assert selected(app) == made[0].name


async def test_an_empty_list_shows_its_message_and_no_cursor_moves() -> None:
    async with listing(()) as (app, pilot):
        app.list.show_message(("No models.", "Press p."))
        await pilot.press("down", "up", "end", "pagedown")
        lines = [screen_line(app, y).strip() for y in range(app.list.size.height)]
        assert [line for line in lines if line] == ["No models.", "Press p."]
        assert app.list.row is None


async def test_every_line_is_as_wide_as_the_list_whatever_the_names() -> None:
    state = seeded.state(seeded.snapshot(tuple(seeded.model(name) for name in seeded.HOSTILE_NAMES)))
    made = Rows().make(state, NOW, UNICODE)
    for width in (42, 61, 69, 90, 200):
        async with listing(made, (width, 21)) as (app, _):
            inner = app.list.scrollable_content_region.width
            assert [cell_len(screen_line(app, y)) for y in range(20)] == [inner] * 20
            assert "red]" in screen_line(app, 0)
            assert ("evil/[/red]" in screen_line(app, 0)) == (width > 42)


async def test_headings_stand_over_their_columns() -> None:
    async with listing(rows(3)) as (app, _):
        headings = app.query_one(Headings).render_line(0).text
        line = screen_line(app, 0)
        assert headings.index("Quant.") == line.index("Q4_K_M")
        assert headings.index("Size") + len("Size") == line.index("4.7 GB") + len("4.7 GB")
        assert headings.index("State") == line.index("inactive")


async def test_a_wide_list_has_a_version_with_its_day_and_the_speeds() -> None:
    made = tuple(replace(row, speed="31.0") for row in rows(3))
    async with listing(made, (134, 21)) as (app, _):
        assert app.list.show_columns(made)
        headings = app.query_one(Headings)
        names, line = headings.render_line(0).text, screen_line(app, 0)
        assert f"{made[0].digest} 2025-10-03  Q4_K_M" in line
        assert names.index("Version") == line.index(made[0].digest)
        assert names.index("tok/s") + len("tok/s") == line.index("31.0") + len("31.0")


async def test_a_note_stands_where_there_is_no_size() -> None:
    made = (replace(rows(1)[0], note="not installed", quantization="", size="?"), *rows(2)[1:])
    async with listing(made, (78, 21)) as (app, _):
        note, other = screen_line(app, 0), screen_line(app, 1)
        assert note.index("not installed") == other.index("Q4_K_M")
        assert "?" not in note
        assert note.index("inactive") == other.index("inactive")


def test_columns_go_the_least_important_first() -> None:
    def named(width: int, *, speeds: bool = True) -> list[ModelColumn]:
        return [each.column for each in ColumnWidths.of(width, speeds=speeds).headings() if each.column][2:]

    least = [ModelColumn.SIZE, ModelColumn.MEMORY, ModelColumn.STATE]
    assert named(56) == least
    assert named(73) == [ModelColumn.QUANTIZATION, *least, ModelColumn.SPEED]
    assert named(73, speeds=False) == [ModelColumn.QUANTIZATION, *least, ModelColumn.LEAVES]
    assert named(80) == [ModelColumn.QUANTIZATION, *least, ModelColumn.SPEED, ModelColumn.LEAVES]
    assert named(90) == [
        ModelColumn.VERSION,
        ModelColumn.QUANTIZATION,
        *least,
        ModelColumn.SPEED,
        ModelColumn.LEAVES,
    ]
    assert [ColumnWidths.of(width, speeds=True).version for width in (89, 90, 100, 101)] == [0, 10, 10, 21]
    # A name is not cut for a digest.
    assert [ColumnWidths.of(90, longest=cells).version for cells in (22, 29, 30, 400)] == [10, 10, 0, 0]
    before = 0
    for width in range(56, 300):
        assert len(named(width)) >= before, width
        before = len(named(width))


def test_columns_leave_room_for_the_name() -> None:
    for width in range(56, 300):
        columns = ColumnWidths.of(width)
        assert columns.name >= 16, width
        assert sum(each.cells for each in columns.headings()) <= width


async def test_a_theme_repaints_the_lines() -> None:
    async with listing(rows(3)) as (app, pilot):
        before = app.list.render_line(0)
        app.theme = "textual-light"
        await pilot.pause()
        assert app.list.render_line(0) != before
