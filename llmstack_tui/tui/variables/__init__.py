"""The variables of a real Ollama: what is in force, what suits this machine, and a change of them."""

from __future__ import annotations

from llmstack_tui.tui.keys import bind
from llmstack_tui.tui.shell import Feature

KEYS = [
    bind("variables.edit", "enter,space", "edit", "Change", "Change the variable under the cursor"),
    bind("variables.suggest", "s", "suggest", "Suggested", "Take the value that suits this machine"),
    bind("variables.suggest_all", "S", "suggest_all", "All suggested",
        "Take every value that suits this machine"),
    bind("variables.unset", "x,delete", "unset", "Take out",
        "Set nothing here, so that Ollama has its default; again: leave it as it was"),
    bind("variables.write", "w", "write", "Write",
        "Show what would be written, and after a yes write it; Ollama is restarted if you like"),
    bind("variables.look", "r", "look", "Look again", "Look again at what is in force"),
    bind("variables.close", "escape,q,o", "close", "Back", "Back to the previous screen"),
]  # fmt: skip
VALUE_KEYS = [
    bind("value.suggest", "ctrl+s", "suggest", "Suggested", "Take the value that suits this machine")
]

FEATURE = Feature(
    name="variables",
    label="Server settings",
    keys={"Keys of the server settings": KEYS, "Keys for the value of a variable": VALUE_KEYS},
    screen="screen.VariablesScreen",
)
