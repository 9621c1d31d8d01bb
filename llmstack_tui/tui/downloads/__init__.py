"""What is pulled, what waits, and the results."""

from __future__ import annotations

from textual.binding import Binding

KEYS = [
    Binding(
        "s", "act_on('downloads.pause')", "Pause", id="downloads.pause",
        tooltip="Pause the download under the cursor, or go on with one that is paused",
    ),
    Binding(
        "x,delete", "act_on('downloads.cancel')", "Cancel", id="downloads.cancel",
        tooltip="Give the download up; asks whether to keep what is there of it",
    ),
    Binding(
        "r", "act_on('downloads.retry')", "Retry", id="downloads.retry",
        tooltip="Begin again what failed or was cancelled, where it was",
    ),
    Binding(
        "p", "act('downloads.add')", "Pull", id="downloads.add",
        tooltip="Pull a model by its name, or import a file",
    ),
    Binding(
        "enter,space", "open", "Details", id="downloads.open",
        tooltip="The layers of the download, why it failed, and what happened",
    ),
    Binding(
        "X", "act('downloads.forget_over')", "Clear history", id="downloads.forget",
        tooltip="Take what is over off the list; nothing is removed from the disk",
    ),
    Binding("escape", "go('models')", "Back", show=False, id="downloads.back", tooltip="Back to the models"),
]  # fmt: skip
ONE_KEYS = [
    Binding("escape,q,enter", "close", "Back", id="download.close", tooltip="Back to the downloads"),
    *(
        Binding(
            each.key, each.action, each.description, tooltip=each.tooltip,
            id=(each.id or "").replace("downloads", "download"),
        )
        for each in KEYS[:3]
    ),
]  # fmt: skip
