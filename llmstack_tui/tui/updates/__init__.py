"""Models and programs that have a newer version."""

from __future__ import annotations

from llmstack_tui.tui import keys
from llmstack_tui.tui.keys import bind
from llmstack_tui.tui.shell import Feature

KEYS = [
    bind("updates.update", "u", "act_on('updates.update')", "Update",
        "Fetch the newer version of the model; asks first if the model was changed here"),
    bind("updates.update_all", "U", "act('updates.update_all')", "All",
        "Fetch the newer versions of all models; asks first"),
    bind("updates.leave", "i", "act_on('updates.leave_alone')", "Leave alone",
        "Do not offer this version any more; press again to offer it"),
    bind("updates.leave_for_good", "I", "act_on('updates.leave_alone_for_good')", "For good",
        "Do not offer any version of this model any more; press again to offer them"),
    bind("updates.check", "c", "act('updates.check')", "Check now",
        "Ask the registries now which models have a newer version; nothing is downloaded"),
    bind("updates.mark", "space", "mark", "Mark", "Mark or unmark the model"),
    bind("updates.open", "enter", "open", "Open",
        "All that is known of the model; or show what is folded away"),
    bind("updates.close", "escape,V", "close", "Back", "Clear the marks, else back to the models"),
]  # fmt: skip
LIST_KEYS = keys.movements("updates_list", "line", "page")

FEATURE = Feature(
    name="updates",
    label="Updates",
    keys={"Keys on the screen of updates": KEYS, "Keys of its list": LIST_KEYS},
    screen="screen.UpdatesScreen",
    controller="actions.UpdateController",
)
