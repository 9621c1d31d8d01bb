"""All that is known of one model: beside the list, and on a screen of its own."""

from __future__ import annotations

from textual.binding import Binding

from llmstack_tui.tui import keys
from llmstack_tui.tui.shell import Feature

KEYS = [
    Binding("escape,q", "close", "Back", id="details.close", tooltip="Back to the list"),
    Binding(
        "enter,space", "fold", "Unfold", id="details.fold",
        tooltip="Show or hide the long text that Tab has chosen; all of them where none is chosen",
    ),
    Binding(
        "tab", "app.focus_next", "Next text", id="details.next", tooltip="Choose the next long text",
    ),
    Binding(
        "f", "fold_all", "Unfold all", show=False, id="details.fold_all",
        tooltip="Show all long texts in full, or hide them all",
    ),
    Binding("r", "ask", "Refresh", id="details.ask", tooltip="Ask the server again now"),
]  # fmt: skip
SCREEN_KEYS = [
    *KEYS[:1],
    *(keys.ON_MODEL[each] for each in ("activate", "deactivate")),
    *KEYS[1:],
    *(keys.ON_MODEL[each] for each in ("update", "copy_url", "copy_native_url", "restart", "pin")),
]

FEATURE = Feature(
    name="details",
    label="Details",
    keys={"Keys in the details": KEYS, "Keys of the details' text": keys.TEXT},
    screen="screen.DetailsScreen",
    controller="cache.DetailsCache",
    pane="pane.DetailsPane",
)
