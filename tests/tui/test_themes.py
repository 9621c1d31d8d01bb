"""The themes of the settings are all there, can be read, and one of them has no colour."""

from __future__ import annotations

import pytest
from textual.color import Color

from llmstack_tui.config import settings
from llmstack_tui.tui import themes
from tests.tui.colours import contrast


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
