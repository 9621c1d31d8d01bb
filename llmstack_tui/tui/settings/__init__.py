"""All settings: what is in force, why, and a change of one."""

from __future__ import annotations

from llmstack_tui.tui.keys import bind, hidden
from llmstack_tui.tui.shell import Feature

KEYS = [
    bind("settings.change", "enter", "change", "Change",
        "Change the setting under the cursor; on a mistake: go to the setting that it is about"),
    bind("settings.next", "space", "next_value", "Next value",
        "Give the setting its next value, where there are few: on and off, for example"),
    bind("settings.reset", "delete,x", "reset", "Default",
        "Take the setting out of the file, so that its default counts"),
    bind("settings.search", "slash", "search", "Search",
        "Show only the settings that have these words in their name, value or purpose"),
    bind("settings.close", "escape,q,comma", "close", "Back", "Back to the previous screen"),
]  # fmt: skip

FEATURE = Feature(
    name="settings",
    label="Settings",
    keys={"Keys of the settings": KEYS},
    opened_by=hidden("app.settings", "comma", "open('settings')", "Settings",
        "All settings: values, where they come from, and how to change them"),
    screen="screen.SettingsScreen",
)  # fmt: skip
