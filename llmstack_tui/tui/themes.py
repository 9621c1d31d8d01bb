"""The themes of the dashboard: calm surfaces, one accent, and colour only where it has a meaning."""

from __future__ import annotations

import asyncio
from pathlib import Path

from textual.app import App
from textual.theme import Theme

from llmstack_tui.config.themes import BUILT_IN, ThemeColours

PREFIX = "llmstack-"


def textual_theme(theme: ThemeColours) -> Theme:
    """A theme for Textual. What its `Theme` has no fields for are variables of the styles."""
    own = theme.colours
    variables = {
        "text-muted": own["muted"],
        "pane-border": own["border"],
        "scrollbar": own["border"],
        "scrollbar-hover": own["hover"],
        "scrollbar-active": own["primary"],
        "scrollbar-background": own["surface"],
        "scrollbar-background-hover": own["surface"],
        "scrollbar-background-active": own["surface"],
    }
    return Theme(
        name=PREFIX + theme.name,
        dark=theme.dark,
        primary=own["primary"],
        secondary=own["secondary"],
        accent=own["accent"],
        foreground=own["foreground"],
        background=own["background"],
        surface=own["surface"],
        panel=own["panel"],
        success=own["success"],
        warning=own["warning"],
        error=own["error"],
        variables=variables,
    )


THEMES: dict[str, Theme] = {name: textual_theme(theme) for name, theme in BUILT_IN.items()}
DARK, LIGHT, HIGH_CONTRAST, NO_COLOUR = THEMES.values()


def set_first_theme(app: App[None], name: str) -> None:
    """Set the theme of an app before it runs: afterwards Textual would parse all styles again."""
    app.set_reactive(App.theme, name)
    app.set_class(app.current_theme.dark, "-dark-mode")
    app.set_class(not app.current_theme.dark, "-light-mode")
    app.stylesheet.set_variables(app.get_css_variables())


_FOLDER = Path(__file__).parent
_EVERY_S = 0.1


async def read_styles_ahead(app: App[None]) -> None:
    """Read the styles of all screens in the background, one file at a time.

    When a screen with styles not read yet is opened, Textual parses all styles again, which blocks the keys
    for 35 ms.
    """
    files = await asyncio.to_thread(lambda: sorted(_FOLDER.rglob("*.tcss")))
    for file in files:
        if not app.stylesheet.has_source(str(file)):
            app.stylesheet.read(file)
            app.stylesheet.parse()
            await asyncio.sleep(_EVERY_S)
