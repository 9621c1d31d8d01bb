"""The first screen: the models, and the actions on them."""

from __future__ import annotations

from llmstack_tui.tui import keys
from llmstack_tui.tui.keys import bind, hidden
from llmstack_tui.tui.shell import Feature

KEYS = [
    keys.ACTIVATE,
    keys.DEACTIVATE,
    keys.TALK,
    bind("models.open", "enter", "open", "Open", "All that is known of the model"),
    # Priority: otherwise the letters typed next would go to the list, which still has the focus.
    bind("models.filter", "slash", "filter", "Filter",
        "List only models with what you type in name, family, quantization or state", priority=True),
    hidden("models.mark", "space", "mark", "Mark",
        "Mark or unmark the model; load, unload and remove act on all marked ones"),
    bind("models.import", "p", "act('downloads.add')", "Add",
        "Pull a model by its name, or import a GGUF file of this machine"),
    keys.UPDATE,
    bind("models.remove", "x,delete", "act_on('models.remove')", "Remove",
        "Delete the model from the disk; asks first"),
    bind("models.activity", "v", "go('activity')", "Activity",
        "The activity on a screen of its own: acts, other clients, warnings and errors"),
    hidden("models.choose_activity", "f", "act('activity.choose_next')", "Activity filter",
        "Show all activity, only acts, other clients, or warnings and errors"),
    bind("models.create", "n", "derive('create')", "Derive",
        "Make a new model from this one, with a system prompt and parameters of its own"),
    hidden("models.copy", "C", "derive('copy')", "Copy", "Copy under another name"),
    hidden("models.copy_to", "T", "copy_to", "Copy to server", "Copy the model to another server"),
    hidden("models.rename", "N,f2", "derive('rename')", "Rename", "Give the model another name"),
    bind("models.sort", "o", "sort", "Sort",
        "Sort by the next column; after the last one, as the server lists them"),
    hidden("models.reverse", "O", "reverse", "Reverse", "Reverse the order"),
    keys.COPY_URL,
    keys.COPY_NATIVE_URL,
    keys.EDITORS,
    bind("models.update_all", "U", "act('updates.update_all')", "Update stale",
        "Fetch the newer versions of all models; asks first"),
    bind("models.refresh", "r", "act('servers.refresh')", "Refresh", "Ask the server again now"),
    keys.RESTART,
    keys.PIN,
    hidden("models.hold", "H", "act('guard.hold')", "Hold",
        "Hold: the guard unloads no model; press again to end the hold"),
    hidden("models.guard_others", "A", "act('guard.choose_others')", "Models of other programs",
        "Whether the guard may unload models that other programs loaded, or leaves them alone"),
    hidden("models.stop_all", "S", "act('models.stop_all')", "Unload all",
        "Take every model out of memory; asks first, and no request is cut"),
    hidden("models.check", "c", "act('updates.check')", "Check for updates",
        "Ask the registries now which models have a newer version; nothing is downloaded"),
    hidden("models.updates", "V", "go('updates')", "Updates",
        "Models that are out of date, what changed, and the download; what could not be checked, and why"),
    hidden("models.cancel", "escape", "cancel", "Cancel",
        "Clear the marks, else the filter, else cancel the load under way"),
]  # fmt: skip

FEATURE = Feature(
    name="models",
    label="Models",
    keys={
        "Keys for models": KEYS,
        "Keys of the list": keys.LIST,
        "Keys while a filter is typed": keys.FILTER,
    },
    opened_by=hidden("app.models", "1", "open('models')", "Models", "The installed models"),
    is_tab=True,
    controller="actions.ModelController",
)  # fmt: skip
