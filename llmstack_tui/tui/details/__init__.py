"""All that is known of one model: beside the list, and on a screen of its own."""

from __future__ import annotations

from llmstack_tui.tui import keys
from llmstack_tui.tui.keys import bind, hidden
from llmstack_tui.tui.shell import Feature

KEYS = [
    bind("details.close", "escape,q", "close", "Back", "Back to the list"),
    bind("details.fold", "enter,space", "fold", "Unfold",
        "Show or hide the long text chosen with Tab; all of them if none is chosen"),
    bind("details.next", "tab", "app.focus_next", "Next text", "Choose the next long text"),
    hidden("details.fold_all", "f", "fold_all", "Unfold all",
        "Show all long texts in full, or hide them all"),
    bind("details.ask", "r", "ask", "Refresh", "Ask the server again now"),
]  # fmt: skip
SCREEN_KEYS = [
    KEYS[0], keys.ACTIVATE, keys.DEACTIVATE, *KEYS[1:],
    keys.UPDATE, keys.COPY_URL, keys.COPY_NATIVE_URL, keys.EDITORS, keys.RESTART, keys.PIN, keys.TALK,
]  # fmt: skip

FEATURE = Feature(
    name="details",
    label="Details",
    keys={"Keys in the details": KEYS, "Keys of the details' text": keys.TEXT},
    screen="screen.DetailsScreen",
    controller="cache.DetailsCache",
    pane="pane.DetailsPane",
)
