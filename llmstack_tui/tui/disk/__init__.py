"""The folders of models on the disk."""

from __future__ import annotations

from llmstack_tui.tui.keys import bind, hidden
from llmstack_tui.tui.shell import Feature

KEYS = [
    bind("disk.clean", "x,delete", "clean", "Clean up",
        "Remove what no model uses, after a question that names it"),
    bind("disk.look", "r", "look", "Refresh", "Look at the folders again now"),
    bind("disk.close", "escape,q,D", "close", "Back", "Close this"),
]  # fmt: skip

FEATURE = Feature(
    name="disk",
    label="Disk",
    keys={"Keys of the disk": KEYS},
    opened_by=hidden("app.disk", "D", "open('disk')", "Disk",
        "What the models of this machine take on the disk, and a clean-up of what nothing uses"),
    screen="screen.DiskScreen",
)  # fmt: skip
