"""Which models and programs have a newer version."""

from __future__ import annotations

from textual.binding import Binding

from llmstack_tui.tui import keys
from llmstack_tui.tui.shell import Feature

KEYS = [
    Binding(
        "u", "act_on('updates.update')", "Update", id="updates.update",
        tooltip="Fetch the newer version of the model; one that was changed here only after a question",
    ),
    Binding(
        "U", "act('updates.update_all')", "All", id="updates.update_all",
        tooltip="Fetch the newer versions of all models, after a question",
    ),
    Binding(
        "i", "act_on('updates.leave_alone')", "Leave alone", id="updates.leave",
        tooltip="Do not offer this version any more; pressed again, offer it",
    ),
    Binding(
        "I", "act_on('updates.leave_alone_for_good')", "For good", id="updates.leave_for_good",
        tooltip="Do not offer any version of this model any more; pressed again, offer them",
    ),
    Binding(
        "c", "act('updates.check')", "Check now", id="updates.check",
        tooltip="Ask the registries now which models have a newer version; nothing is downloaded",
    ),
    Binding("space", "mark", "Mark", id="updates.mark", tooltip="Mark the model, or take its mark away"),
    Binding(
        "enter", "open", "Open", id="updates.open",
        tooltip="All that is known of the model; or show what is folded away",
    ),
    Binding(
        "escape,V", "close", "Back", id="updates.close",
        tooltip="Take the marks away, else back to the models",
    ),
]  # fmt: skip
LIST_KEYS = keys.movements("updates_list", "line", "page")

FEATURE = Feature(
    name="updates",
    label="Updates",
    keys={"Keys on the screen of updates": KEYS, "Keys of its list": LIST_KEYS},
    screen="screen.UpdatesScreen",
    controller="actions.UpdateController",
)
