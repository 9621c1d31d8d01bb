"""The folder of the built-in engine on the disk."""

from __future__ import annotations

from textual.binding import Binding

KEYS = [
    Binding(
        "x,delete", "clean", "Clean up", id="disk.clean",
        tooltip="Remove what no model uses, after a question that names it",
    ),
    Binding("r", "look", "Refresh", id="disk.look", tooltip="Look at the folder again now"),
    Binding("escape,q,D", "close", "Back", id="disk.close", tooltip="Close this"),
]  # fmt: skip
