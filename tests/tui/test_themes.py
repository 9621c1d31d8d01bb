"""The themes of the settings are all there, can be read, and one of them has no colour."""

from __future__ import annotations

import pytest
from textual.color import Color

from llmstack_tui import config
from llmstack_tui.tui import themes


def test_every_theme_of_the_settings_is_there() -> None:
    assert set(themes.THEMES) == set(config.THEMES)


@pytest.mark.parametrize("name", themes.THEMES)
def test_text_can_be_told_from_what_is_behind_it(name: str) -> None:
    theme = themes.THEMES[name]
    least = 7 if name == "high-contrast" else 4
    for front in (theme.foreground, theme.primary, theme.success, theme.warning, theme.error):
        for behind in (theme.background, theme.surface, theme.panel):
            assert front is not None
            assert behind is not None
            assert contrast(front, behind) >= least, (front, behind)


def test_without_colour_there_are_only_greys() -> None:
    colours = themes.NO_COLOUR.to_color_system().generate().values()
    for colour in (*colours, *themes.NO_COLOUR.variables.values()):
        if colour.startswith("#"):
            # Colours that Textual mixes are rounded.
            assert max(Color.parse(colour).rgb) - min(Color.parse(colour).rgb) <= 2, colour


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.2: 1 for equal colours, 21 for black and white."""
    lighter, darker = sorted((luminance(Color.parse(one)), luminance(Color.parse(other))), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: Color) -> float:
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
