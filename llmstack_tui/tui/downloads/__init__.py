"""What is pulled, what waits, and the results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.binding import Binding

from llmstack_tui.tui.shell import Feature

if TYPE_CHECKING:
    from llmstack_tui.core.state import StackState

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


def _badge(state: StackState) -> str:
    """How many pulls are not over yet."""
    count = sum(not download.state.is_over for download in state.downloads)
    return f"({count})" if count else ""


FEATURE = Feature(
    name="downloads",
    label="Downloads",
    keys={"Keys of the downloads": KEYS, "Keys in one download": ONE_KEYS},
    opened_by=Binding(
        "2", "open('downloads')", "Downloads", show=False, id="app.downloads",
        tooltip="What is being pulled, what waits, and the result",
    ),
    is_tab=True,
    screen="screen.DownloadsScreen",
    controller="actions.DownloadController",
    badge=_badge,
)  # fmt: skip
