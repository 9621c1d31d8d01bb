"""The settings with which editors and agents use the model under the cursor."""

from __future__ import annotations

from llmstack_tui.tui.keys import bind, hidden
from llmstack_tui.tui.shell import Feature

KEYS = [
    bind("editors.copy", "y", "copy", "Copy", "Copy the settings, with the server's key if it asks for one"),
    bind("editors.write", "w", "write", "Write",
        "Write the settings into the client's own file, after a question; the file is copied before"),
    bind("editors.test", "t", "test", "Test",
        "Send one request as this client does, and say what comes back; again: give up"),
    bind("editors.text", "tab", "app.focus_next", "Text",
        "From the list to the settings, to scroll, and back"),
    hidden("editors.copy_environment", "Y", "copy_environment", "Copy variables",
        "Copy the lines for a shell that set what the client's environment must have"),
    bind("editors.close", "escape,q,e", "close", "Back", "Back to the previous screen"),
]  # fmt: skip

FEATURE = Feature(
    name="editors",
    label="Editors",
    keys={"Keys for editors and agents": KEYS},
    screen="screen.EditorsScreen",
)
