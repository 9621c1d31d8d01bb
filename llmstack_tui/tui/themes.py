"""The looks of the dashboard: calm surfaces, one accent, and colour only where it says something."""

from __future__ import annotations

from textual.theme import Theme

PREFIX = "llmstack-"

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
    variables={
        "pane-border": "#343c48",
        "scrollbar": "#343c48",
        "scrollbar-hover": "#4a5565",
        "scrollbar-active": "#7cb7ff",
        "scrollbar-background": "#171b21",
        "scrollbar-background-hover": "#171b21",
        "scrollbar-background-active": "#171b21",
    },
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
    variables={
        "pane-border": "#c3cad3",
        "scrollbar": "#c3cad3",
        "scrollbar-hover": "#a3adb9",
        "scrollbar-active": "#0a5fb4",
        "scrollbar-background": "#fbfcfd",
        "scrollbar-background-hover": "#fbfcfd",
        "scrollbar-background-active": "#fbfcfd",
    },
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
    variables={
        "pane-border": "#ffffff",
        "scrollbar": "#ffffff",
        "scrollbar-hover": "#ffd700",
        "scrollbar-active": "#ffd700",
        "scrollbar-background": "#000000",
        "scrollbar-background-hover": "#000000",
        "scrollbar-background-active": "#000000",
    },
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
    variables={
        "pane-border": "#6c6c6c",
        "scrollbar": "#6c6c6c",
        "scrollbar-hover": "#a8a8a8",
        "scrollbar-active": "#ffffff",
        "scrollbar-background": "#181818",
        "scrollbar-background-hover": "#181818",
        "scrollbar-background-active": "#181818",
    },
)
THEMES: dict[str, Theme] = {
    theme.name.removeprefix(PREFIX): theme for theme in (DARK, LIGHT, HIGH_CONTRAST, NO_COLOUR)
}
