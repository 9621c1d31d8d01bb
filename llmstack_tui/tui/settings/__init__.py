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

KEYMAP = [
    bind("keymap.change", "enter", "change", "New key", "Press the new key of the action under the cursor"),
    bind("keymap.reset", "delete,x", "reset", "Default", "Give the action its usual key again"),
    bind("keymap.search", "slash", "search", "Search", "Show only the actions that have these words"),
    bind("keymap.close", "escape,q", "close", "Back", "Back to the settings"),
]  # fmt: skip

HOSTS = [
    bind("hosts.add", "n,plus", "add", "Add", "Add a server by its address, after a test"),
    bind("hosts.change", "enter", "change", "Change",
        "Change the address, the name or the key's file of the server under the cursor"),
    bind("hosts.allow", "space", "allow", "Allow",
        "Whether models may be loaded, unloaded, added and removed there, or only looked at"),
    bind("hosts.test", "t", "test", "Test", "Ask the server under the cursor, and say what answers"),
    bind("hosts.remove", "delete,x", "remove", "Remove", "Take the server out of the settings"),
    bind("hosts.close", "escape,q", "close", "Back", "Back to the settings"),
]  # fmt: skip

FEATURE = Feature(
    name="settings",
    label="Settings",
    keys={"Keys of the settings": KEYS, "Keys of the list of keys": KEYMAP, "Keys of the servers": HOSTS},
    opened_by=hidden("app.settings", "comma", "open('settings')", "Settings",
        "All settings: values, where they come from, and how to change them"),
    screen="screen.SettingsScreen",
)  # fmt: skip
