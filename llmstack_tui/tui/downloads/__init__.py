"""The queue of pulls, and their results."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llmstack_tui.tui.keys import bind, hidden
from llmstack_tui.tui.shell import Feature

if TYPE_CHECKING:
    from llmstack_tui.core.state import StackState

KEYS = [
    bind("downloads.pause", "s", "act_on('downloads.pause')", "Pause",
        "Pause the download under the cursor, or resume it"),
    bind("downloads.cancel", "x,delete", "act_on('downloads.cancel')", "Cancel",
        "Cancel the download; asks whether to keep the part that is there"),
    bind("downloads.retry", "r", "act_on('downloads.retry')", "Retry",
        "Retry a failed or cancelled download from where it stopped"),
    bind("downloads.add", "p", "act('downloads.add')", "Pull", "Pull a model by its name, or import a file"),
    bind("downloads.open", "enter,space", "open", "Details",
        "The layers of the download, why it failed, and what happened"),
    bind("downloads.forget", "X", "act('downloads.forget_over')", "Clear history",
        "Clear finished downloads from the list; nothing is removed from the disk"),
    hidden("downloads.back", "escape", "go('models')", "Back", "Back to the models"),
]  # fmt: skip
ONE_KEYS = [
    bind("download.close", "escape,q,enter", "close", "Back", "Back to the downloads"),
    *(replace(each, id=str(each.id).replace("downloads", "download")) for each in KEYS[:3]),
]


def _badge(state: StackState) -> str:
    """The number of pulls that are not over yet."""
    count = sum(not download.state.is_over for download in state.downloads)
    return f"({count})" if count else ""


FEATURE = Feature(
    name="downloads",
    label="Downloads",
    keys={"Keys of the downloads": KEYS, "Keys in one download": ONE_KEYS},
    opened_by=hidden("app.downloads", "2", "open('downloads')", "Downloads",
        "What is being pulled, what waits, and the result"),
    is_tab=True,
    screen="screen.DownloadsScreen",
    controller="actions.DownloadController",
    badge=_badge,
)  # fmt: skip
