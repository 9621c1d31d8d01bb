"""The folder of the built-in engine on the disk."""

from __future__ import annotations

from textual.binding import Binding

from llmstack_tui.tui.shell import Feature

KEYS = [
    Binding(
        "x,delete", "clean", "Clean up", id="disk.clean",
        tooltip="Remove what no model uses, after a question that names it",
    ),
    Binding("r", "look", "Refresh", id="disk.look", tooltip="Look at the folder again now"),
    Binding("escape,q,D", "close", "Back", id="disk.close", tooltip="Close this"),
]  # fmt: skip

FEATURE = Feature(
    name="disk",
    label="Disk",
    keys={"Keys of the disk": KEYS},
    opened_by=Binding(
        "D", "open('disk')", "Disk", show=False, id="app.disk",
        tooltip="What the built-in engine's models take on the disk, and a clean-up of what nothing uses",
    ),
    screen="screen.DiskScreen",
)  # fmt: skip
