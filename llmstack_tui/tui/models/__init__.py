"""The first screen: the models, and what is done to them."""

from __future__ import annotations

from textual.binding import Binding

from llmstack_tui.tui import keys
from llmstack_tui.tui.shell import Feature

KEYS = [
    keys.ON_MODEL["activate"],
    keys.ON_MODEL["deactivate"],
    Binding(
        "enter", "open", "Open", id="models.open",
        tooltip="All that is known of the model",
    ),
    # Priority: else what is typed right after it is sent to the list, which still has the focus.
    Binding(
        "slash", "filter", "Filter", id="models.filter", priority=True,
        tooltip="List only the models that have what you type in name, family, quantization or state",
    ),
    Binding(
        "space", "mark", "Mark", show=False, id="models.mark",
        tooltip="Mark the model, or take its mark away: activate, deactivate and remove take all marked ones",
    ),
    Binding(
        "p", "act('downloads.add')", "Add", id="models.import",
        tooltip="Pull a model by its name, or import a GGUF file of this machine",
    ),
    keys.ON_MODEL["update"],
    Binding(
        "x,delete", "act_on('models.remove')", "Remove", id="models.remove",
        tooltip="Delete the model from the disk, after a question",
    ),
    Binding(
        "v", "go('activity')", "Activity", id="models.activity",
        tooltip="What happened, on a screen of its own: acts, other clients, warnings and errors",
    ),
    Binding(
        "f", "act('activity.choose_next')", "Activity filter", show=False, id="models.choose_activity",
        tooltip="Show all of the activity, acts, other clients, or warnings and errors",
    ),
    Binding(
        "n", "derive('create')", "Derive", id="models.create",
        tooltip="Make a new model from this one, with a system prompt and parameters of its own",
    ),
    Binding(
        "C", "derive('copy')", "Copy", show=False, id="models.copy",
        tooltip="Copy under another name"
    ),
    Binding(
        "N,f2", "derive('rename')", "Rename", show=False, id="models.rename",
        tooltip="Give the model another name",
    ),
    Binding(
        "o", "sort", "Sort", id="models.sort",
        tooltip="Sort by the next column; after the last one, as the server lists them",
    ),
    Binding(
        "O", "reverse", "Reverse", show=False, id="models.reverse",
        tooltip="Reverse the order",
    ),
    keys.ON_MODEL["copy_url"],
    keys.ON_MODEL["copy_native_url"],
    Binding(
        "U", "act('updates.update_all')", "Update stale", id="models.update_all",
        tooltip="Fetch the newer versions of all models, after a question",
    ),
    Binding(
        "r", "act('servers.refresh')", "Refresh", id="models.refresh",
        tooltip="Ask the server again now",
    ),
    keys.ON_MODEL["restart"],
    keys.ON_MODEL["pin"],
    Binding(
        "H", "act('guard.hold')", "Hold", show=False, id="models.hold",
        tooltip="Hold everything: nothing is stopped by itself; pressed again, the guard goes on",
    ),
    Binding(
        "S", "act('models.stop_all')", "Stop all", show=False, id="models.stop_all",
        tooltip="Take every model out of memory, after a question; no request is cut",
    ),
    Binding(
        "c", "act('updates.check')", "Check for updates", show=False, id="models.check",
        tooltip="Ask the registries now which models have a newer version; nothing is downloaded",
    ),
    Binding(
        "V", "go('updates')", "Updates", show=False, id="models.updates",
        tooltip="What is out of date, what changed and what it costs; what could not be checked, and why",
    ),
    Binding(
        "escape", "cancel", "Cancel", show=False, id="models.cancel",
        tooltip="Take the marks away, else the filter, else cancel the load that is under way",
    ),
]  # fmt: skip

FEATURE = Feature(
    name="models",
    label="Models",
    keys={
        "Keys for models": KEYS,
        "Keys of the list": keys.LIST,
        "Keys while a filter is typed": keys.FILTER,
    },
    opened_by=Binding(
        "1", "open('models')", "Models", show=False, id="app.models", tooltip="The installed models"
    ),
    is_tab=True,
    controller="actions.ModelController",
)  # fmt: skip
