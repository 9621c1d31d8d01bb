"""Themes of the user's own in the dashboard: in the palette, in the settings, and while they are edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.config.settings import Settings
from llmstack_tui.tui.app import Dashboard
from tests.config.files import load
from tests.support.waiting import wait_until
from tests.tui.driving import dashboard
from tests.tui.test_preferences import edit, services

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tui.fakes import FakeServices

OCEAN, USUAL = "llmstack-ocean", "llmstack-dark"
NAMED = '[ui]\ntheme = "ocean"'


def write(folder: Path, content: str, name: str = "ocean") -> None:
    (folder / "themes").mkdir(exist_ok=True)
    (folder / "themes" / f"{name}.toml").write_text(content)


def with_themes(folder: Path, made: FakeServices | None = None) -> FakeServices:
    made = made or services()
    made.themes_folder = folder / "themes"
    return made


async def test_the_palette_lists_them_and_keeps_the_chosen_one(tmp_path: Path) -> None:
    write(tmp_path, 'background = "#001020"\nmuted = "#334455"')
    write(tmp_path, "primary = 1\nbroken = ", "wrong")
    given = with_themes(tmp_path)
    async with dashboard(services=given, size=(100, 40)) as desk:
        desk.app.action_change_theme()
        await desk.until_shown("Search for themes")
        assert "themes/ocean.toml: too little contrast on background (below 4.5 to 1): muted." in desk.told
        assert "wrong.toml was not read, the file is not valid TOML" in desk.told
        desk.app.clear_notifications()
        await desk.type("ocean")
        await desk.until_shown(OCEAN)
        await desk.press("enter")
        await wait_until(lambda: desk.app.theme == OCEAN, what="the theme")
        assert desk.app.theme_variables["background"] == "#001020"
        await wait_until(lambda: given.kept.get("theme") == OCEAN, what="the theme of the next start")
    async with dashboard(services=with_themes(tmp_path, services({"theme": OCEAN}))) as desk:
        await wait_until(lambda: desk.app.theme == OCEAN, what="the theme that was remembered")


@pytest.mark.parametrize(
    ("kept", "first"),
    [(OCEAN, OCEAN), ("llmstack-../gone", USUAL), ("llmstack-gone", USUAL), ("gone", USUAL)],
)
def test_one_that_the_last_session_showed_is_there_at_the_first_paint(
    tmp_path: Path, kept: str, first: str
) -> None:
    write(tmp_path, "")
    given = with_themes(tmp_path)
    given.kept["theme"] = kept
    assert Dashboard(Settings(), given).preferences.theme == first


async def test_it_follows_its_file_and_the_settings(tmp_path: Path) -> None:
    write(tmp_path, 'background = "#001020"')
    loaded = load(tmp_path, NAMED)
    async with dashboard(settings=loaded.settings, services=services(loaded=loaded)) as desk:
        await wait_until(lambda: desk.app.theme == OCEAN, what="the theme of the settings")
        write(tmp_path, 'background = "#002040"\nmuted = "#223344"')
        edit(desk, tmp_path, NAMED)
        await wait_until(lambda: desk.app.theme_variables["background"] == "#002040", what="the new colour")
        await wait_until(lambda: "too little contrast on background" in desk.told, what="a warning")
        edit(desk, tmp_path, "")
        await wait_until(lambda: desk.app.theme == USUAL, what="the usual theme")
