"""What can be installed on this machine, step by step, and the versions of Ollama that are here."""

from __future__ import annotations

from llmstack_tui.tui.keys import bind, hidden
from llmstack_tui.tui.shell import Feature

KEYS = [
    bind("install.go", "enter,space", "act_on('install.go')", "Install",
        "Carry out the plan that is shown, after a question; on a version: use it"),
    bind("install.cancel", "x", "act('install.cancel')", "Cancel",
        "End the installation under way; what it has done is undone"),
    bind("install.back", "b", "act('install.roll_back')", "Roll back",
        "Use the version of Ollama again that was in use before; asks first"),
    bind("install.hold", "h", "act_on('install.hold')", "Stay",
        "Stay with the version under the cursor; again: release it"),
    bind("install.remove", "delete", "act_on('install.remove')", "Remove",
        "Remove the version under the cursor from this machine; asks first"),
    bind("install.look", "r", "act('install.look')", "Look again",
        "Look at this machine again, and ask for the published versions"),
    hidden("install.plan", "tab", "app.focus_next", "Plan", "From the list to the plan, to scroll, and back"),
    bind("install.close", "escape,q,i", "close", "Back", "Back to the previous screen"),
]  # fmt: skip

FEATURE = Feature(
    name="install",
    label="Installation",
    keys={"Keys for installations": KEYS},
    screen="screen.InstallScreen",
    controller="actions.InstallController",
)
