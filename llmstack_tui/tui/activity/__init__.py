"""The activity, beside the models and on a screen of its own; and each event in full."""

from __future__ import annotations

from llmstack_tui.tui.keys import bind, hidden
from llmstack_tui.tui.shell import Feature

LIST_KEYS = [
    bind("activity.open", "enter", "open_line", "Open", "All that is known of this line"),
    bind("activity.leave", "escape", "leave", "Back", "From the activity back to the models"),
]
KEYS = [
    bind("activity.choose", "f", "act('activity.choose_next')", "Filter",
        "Show all, acts, other clients, or warnings and errors"),
    hidden("activity.close", "escape,v", "close", "Back", "Back to the models"),
]  # fmt: skip
LINE_KEYS = [
    bind(
        "line.again",
        "a",
        "again",
        "Load again",
        "Load the model that the guard unloaded again, as it was loaded",
    ),
    bind("line.close", "escape,enter,q", "dismiss", "Back", "Back to the activity"),
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
