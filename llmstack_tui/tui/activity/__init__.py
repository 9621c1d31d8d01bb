"""What happened: beside the models, on a screen of its own, and each line in full."""

from __future__ import annotations

from textual.binding import Binding

from llmstack_tui.tui.shell import Feature

LIST_KEYS = [
    Binding("enter", "open_line", "Open", id="activity.open", tooltip="All that is known of this line"),
    Binding("escape", "leave", "Back", id="activity.leave", tooltip="From the activity back to the models"),
]
KEYS = [
    Binding(
        "f", "act('activity.choose_next')", "Filter", id="activity.choose",
        tooltip="Show all, acts, other clients, or warnings and errors",
    ),
    Binding("escape,v", "close", "Back", show=False, id="activity.close", tooltip="Back to the models"),
]  # fmt: skip
LINE_KEYS = [
    Binding(
        "a",
        "again",
        "Start again",
        id="line.again",
        tooltip="Undo a stop of the guard: load the model again",
    ),
    Binding("escape,enter,q", "dismiss", "Back", id="line.close", tooltip="Back to the activity"),
]

FEATURE = Feature(
    name="activity",
    label="Activity",
    keys={
        "Keys of the activity": LIST_KEYS,
        "Keys on the screen of the activity": KEYS,
        "Keys in one line of the activity": LINE_KEYS,
    },
    screen="screen.ActivityScreen",
    controller="feed.ActivityFeed",
    pane="screen.ActivityPane",
)
