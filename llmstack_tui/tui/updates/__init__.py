"""Which models and programs have a newer version."""

from __future__ import annotations

from llmstack_tui.tui import keys
from llmstack_tui.tui.keys import bind
from llmstack_tui.tui.shell import Feature

KEYS = [
    bind("updates.update", "u", "act_on('updates.update')", "Update",
        "Fetch the newer version of the model; one that was changed here only after a question"),
    bind("updates.update_all", "U", "act('updates.update_all')", "All",
        "Fetch the newer versions of all models, after a question"),
    bind("updates.leave", "i", "act_on('updates.leave_alone')", "Leave alone",
        "Do not offer this version any more; pressed again, offer it"),
    bind("updates.leave_for_good", "I", "act_on('updates.leave_alone_for_good')", "For good",
        "Do not offer any version of this model any more; pressed again, offer them"),
    bind("updates.check", "c", "act('updates.check')", "Check now",
        "Ask the registries now which models have a newer version; nothing is downloaded"),
    bind("updates.mark", "space", "mark", "Mark", "Mark the model, or take its mark away"),
    bind("updates.open", "enter", "open", "Open",
        "All that is known of the model; or show what is folded away"),
    bind("updates.close", "escape,V", "close", "Back", "Take the marks away, else back to the models"),
]  # fmt: skip
LIST_KEYS = keys.movements("updates_list", "line", "page")

FEATURE = Feature(
    name="updates",
    label="Updates",
    keys={"Keys on the screen of updates": KEYS, "Keys of its list": LIST_KEYS},
    screen="screen.UpdatesScreen",
    controller="actions.UpdateController",
)
