"""The themes of the settings are all there, can be read, and one of them has no colour."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

import pytest
from textual.color import Color

from llmstack_tui.base.structs import replace
from llmstack_tui.config import settings
from llmstack_tui.config.settings import Settings, UiSettings
from llmstack_tui.tui import themes
from tests.support import seeded
from tests.support.waiting import wait_until
from tests.tui import pulls
from tests.tui.colours import contrast
from tests.tui.driving import dashboard

if TYPE_CHECKING:
    from rich.color import Color as RichColor
    from textual.geometry import Region

    from tests.tui.driving import Desk


def test_every_theme_of_the_settings_is_there() -> None:
    assert set(themes.THEMES) == set(settings.THEMES)


@pytest.mark.parametrize("name", themes.THEMES)
def test_text_can_be_told_from_what_is_behind_it(name: str) -> None:
    theme = themes.THEMES[name]
    least = 7 if name == "high-contrast" else 4
    for front in (theme.foreground, theme.primary, theme.success, theme.warning, theme.error):
        for behind in (theme.background, theme.surface, theme.panel):
            assert front is not None
            assert behind is not None
            assert contrast(Color.parse(front), Color.parse(behind)) >= least, (front, behind)


def test_without_colour_there_are_only_greys() -> None:
    colours = themes.NO_COLOUR.to_color_system().generate().values()
    for colour in (*colours, *themes.NO_COLOUR.variables.values()):
        if colour.startswith("#"):
            # Colours that Textual mixes are rounded.
            assert max(Color.parse(colour).rgb) - min(Color.parse(colour).rgb) <= 2, colour


_FRAMES = frozenset("─│╭╮╰╯┌┐└┘━┃█░▌▁▂▃▄▅▆▇▉▊▋▍▎▏▔╱▀▓")


def faint(desk: Desk, within: Region) -> set[tuple[str, float]]:
    """What is drawn here and hard to see: text below 4.5 to 1, frames and bars below 3 to 1."""
    found = set()
    for y, line in enumerate(desk.lines):
        x = 0
        for segment in line:
            at, x, style = x, x + segment.cell_length, segment.style
            text = segment.text.strip()
            if not text or not within.contains(at, y) or not style or not style.color or not style.bgcolor:
                continue
            least = 3.0 if {*text} <= _FRAMES else 4.5
            if (found_contrast := _contrast(style.color, style.bgcolor)) < least:
                found.add((text, round(found_contrast, 2)))
    return found


@lru_cache(1000)
def _contrast(front: RichColor, behind: RichColor) -> float:
    return contrast(*(Color(*each.get_truecolor()) for each in (front, behind)))


@pytest.mark.parametrize("name", themes.THEMES)
async def test_all_that_is_drawn_can_be_seen(name: str) -> None:
    state = replace(seeded.typical(), downloads=pulls.morning(datetime.now(UTC)))
    async with dashboard(state, settings=Settings(ui=UiSettings(theme=name)), size=(160, 50)) as desk:
        for keys in ("", "o", "/", "escape 2", "3", "1 D", "escape v", "escape enter"):
            await desk.press(*keys.split())
            await desk.pilot.pause()
            assert not faint(desk, desk.app.screen.region), keys
        for key in ("x", "p", "n", "?"):
            await desk.press("escape")
            await wait_until(lambda: desk.app.screen is desk.app.models)
            await desk.press(key)
            await wait_until(lambda: desk.app.screen.is_modal, what=desk.text)
            await desk.pilot.pause()
            assert not faint(desk, desk.app.screen.query_one("#dialog").region), key
