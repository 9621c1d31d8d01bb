"""The folders of models on the disk."""

from __future__ import annotations

from llmstack_tui.tui.keys import bind, hidden
from llmstack_tui.tui.shell import Feature

KEYS = [
    bind("disk.clean", "x,delete", "clean", "Clean up",
        "Remove files that no model uses, or the unreadable one under the cursor; asks first"),
    bind("disk.verify", "v", "verify", "Verify",
        "Read all files of models, to see whether one is damaged; again: stop reading"),
    bind("disk.sort", "o", "sort", "Sort", "Sort the models by the next column; after the last one, by size"),
    hidden("disk.reverse", "O", "reverse", "Reverse", "Reverse the order"),
    bind("disk.look", "r", "look", "Refresh", "Look at the folders again now"),
    bind("disk.close", "escape,q,D", "close", "Back", "Back to the previous screen"),
]  # fmt: skip

FEATURE = Feature(
    name="disk",
    label="Disk",
    keys={"Keys of the disk": KEYS},
    opened_by=hidden("app.disk", "D", "open('disk')", "Disk",
        "The disk space that models take on this machine, and a clean-up of unused files"),
    screen="screen.DiskScreen",
)  # fmt: skip
