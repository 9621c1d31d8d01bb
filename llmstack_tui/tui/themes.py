"""The themes of the dashboard: calm surfaces, one accent, and colour only where it has a meaning."""

from __future__ import annotations

import asyncio
from pathlib import Path

from textual.app import App
from textual.theme import Theme

PREFIX = "llmstack-"


def _variables(*, muted: str, border: str, hover: str, active: str, ground: str) -> dict[str, str]:
    """The colours that Textual's `Theme` has no fields for: of lesser texts, of frames, and of scrollbars."""
    return {
        "text-muted": muted,
        "pane-border": border,
        "scrollbar": border,
        "scrollbar-hover": hover,
        "scrollbar-active": active,
        "scrollbar-background": ground,
        "scrollbar-background-hover": ground,
        "scrollbar-background-active": ground,
    }


DARK = Theme(
    name=PREFIX + "dark",
    dark=True,
    primary="#7cb7ff",
    secondary="#93a1b5",
    accent="#7cb7ff",
    foreground="#d5dbe4",
    background="#12151a",
    surface="#171b21",
    panel="#1f252d",
    success="#7ed491",
    warning="#edbb6a",
    error="#f08080",
    variables=_variables(
        muted="#9fa8b5", border="#626c79", hover="#76818f", active="#7cb7ff", ground="#171b21"
    ),
)
LIGHT = Theme(
    name=PREFIX + "light",
    dark=False,
    primary="#0a5fb4",
    secondary="#5a6778",
    accent="#0a5fb4",
    foreground="#20262e",
    background="#eef1f4",
    surface="#fbfcfd",
    panel="#e4e8ed",
    success="#177a3d",
    warning="#8f5c00",
    error="#b92b2b",
    variables=_variables(
        muted="#565d66", border="#818893", hover="#6d7580", active="#0a5fb4", ground="#fbfcfd"
    ),
)
HIGH_CONTRAST = Theme(
    name=PREFIX + "high-contrast",
    dark=True,
    primary="#ffd700",
    secondary="#ffffff",
    accent="#ffd700",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1c1c1c",
    success="#5fff87",
    warning="#ffaf00",
    error="#ff8787",
    variables=_variables(
        muted="#c0c0c0", border="#ffffff", hover="#ffd700", active="#ffd700", ground="#000000"
    ),
)
NO_COLOUR = Theme(
    name=PREFIX + "no-colour",
    dark=True,
    primary="#ffffff",
    secondary="#a8a8a8",
    accent="#ffffff",
    foreground="#dadada",
    background="#121212",
    surface="#181818",
    panel="#262626",
    success="#dadada",
    warning="#ffffff",
    error="#ffffff",
    variables=_variables(
        muted="#b8b8b8", border="#6c6c6c", hover="#a8a8a8", active="#ffffff", ground="#181818"
    ),
)
THEMES: dict[str, Theme] = {
    theme.name.removeprefix(PREFIX): theme for theme in (DARK, LIGHT, HIGH_CONTRAST, NO_COLOUR)
}


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
