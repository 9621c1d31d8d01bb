"""What is pulled, what waits, and the results."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llmstack_tui.tui.keys import bind, hidden
from llmstack_tui.tui.shell import Feature

if TYPE_CHECKING:
    from llmstack_tui.core.state import StackState

KEYS = [
    bind("downloads.pause", "s", "act_on('downloads.pause')", "Pause",
        "Pause the download under the cursor, or go on with one that is paused"),
    bind("downloads.cancel", "x,delete", "act_on('downloads.cancel')", "Cancel",
        "Give the download up; asks whether to keep what is there of it"),
    bind("downloads.retry", "r", "act_on('downloads.retry')", "Retry",
        "Begin again what failed or was cancelled, where it was"),
    bind("downloads.add", "p", "act('downloads.add')", "Pull", "Pull a model by its name, or import a file"),
    bind("downloads.open", "enter,space", "open", "Details",
        "The layers of the download, why it failed, and what happened"),
    bind("downloads.forget", "X", "act('downloads.forget_over')", "Clear history",
        "Take what is over off the list; nothing is removed from the disk"),
    hidden("downloads.back", "escape", "go('models')", "Back", "Back to the models"),
]  # fmt: skip
ONE_KEYS = [
    bind("download.close", "escape,q,enter", "close", "Back", "Back to the downloads"),
    *(replace(each, id=str(each.id).replace("downloads", "download")) for each in KEYS[:3]),
]


def _badge(state: StackState) -> str:
    """How many pulls are not over yet."""
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
