"""Every key of the dashboard, with the id under which the settings can give it another one.

The order is that of the key bar; what does not fit there is found under ``?`` and in the palette.
"""

from __future__ import annotations

from textual.binding import Binding

HELP, QUIT, PALETTE = "app.help", "app.quit", "app.palette"

MODELS = [
    Binding(
        "a", "activate", "Activate", id="models.activate",
        tooltip="Load the model into memory, ready to answer",
    ),
    Binding(
        "d", "deactivate", "Deactivate", id="models.deactivate",
        tooltip="Take the model out of memory when its running request has ended; cancels a load",
    ),
    Binding(
        "enter", "open", "Open", id="models.open",
        tooltip="All that is known of the model",
    ),
    # Priority: else what is typed right after it is sent to the list, which still has the focus.
    Binding(
        "slash", "filter", "Filter", id="models.filter", priority=True,
        tooltip="List only the models that have what you type in name, family, quantisation or state",
    ),
    Binding(
        "space", "mark", "Mark", show=False, id="models.mark",
        tooltip="Mark the model, or take its mark away: activate, deactivate and remove take all marked ones",
    ),
    Binding(
        "p", "import", "Add", id="models.import",
        tooltip="Pull a model by its name, or import a GGUF file of this machine",
    ),
    Binding(
        "u", "update", "Update", id="models.update",
        tooltip="Fetch the newer version of the model; one that was changed here only after a question",
    ),
    Binding(
        "x,delete", "remove", "Remove", id="models.remove",
        tooltip="Delete the model from the disk, after a question",
    ),
    Binding(
        "v", "activity", "Activity", id="models.activity",
        tooltip="What happened, on a screen of its own: acts, other clients, warnings and errors",
    ),
    Binding(
        "f", "choose_activity", "Activity filter", show=False, id="models.choose_activity",
        tooltip="Show all of the activity, acts, other clients, or warnings and errors",
    ),
    Binding(
        "n", "create", "New from", id="models.create",
        tooltip="Make a new model from this one, with a system prompt and parameters of its own",
    ),
    Binding(
        "C", "copy", "Copy", show=False, id="models.copy", tooltip="Have the model under a second name, too"
    ),
    Binding(
        "N,f2", "rename", "Rename", show=False, id="models.rename",
        tooltip="Give the model another name",
    ),
    Binding(
        "o", "sort", "Sort", id="models.sort",
        tooltip="Sort by the next column; after the last one, as the server lists them",
    ),
    Binding(
        "O", "reverse", "Reverse", show=False, id="models.reverse",
        tooltip="Turn the order of the list around",
    ),
    Binding("y", "copy_url", "Copy URL", id="models.copy_url", tooltip="Copy the address for OpenAI clients"),
    Binding(
        "Y", "copy_native_url", "Copy native URL", show=False, id="models.copy_native_url",
        tooltip="Copy the address for Ollama clients",
    ),
    Binding(
        "U", "update_all", "Update stale", id="models.update_all",
        tooltip="Fetch the newer versions of all models, after a question",
    ),
    Binding("r", "refresh", "Refresh", id="models.refresh", tooltip="Ask the server again now"),
    Binding(
        "R", "restart", "Restart", show=False, id="models.restart",
        tooltip="Take the model out of memory and load it again as it was; no request is cut",
    ),
    Binding(
        "P", "pin", "Pin", show=False, id="models.pin",
        tooltip="Load the model for good: the guard never stops it; pressed again, it is like the others",
    ),
    Binding(
        "H", "hold", "Hold", show=False, id="models.hold",
        tooltip="Hold everything: nothing is stopped by itself; pressed again, the guard goes on",
    ),
    Binding(
        "S", "stop_all", "Stop all", show=False, id="models.stop_all",
        tooltip="Take every model out of memory, after a question; no request is cut",
    ),
    Binding(
        "c", "check", "Check for updates", show=False, id="models.check",
        tooltip="Ask the registries now which models have a newer version; nothing is downloaded",
    ),
    Binding(
        "V", "updates", "Updates", show=False, id="models.updates",
        tooltip="What is out of date, what changed and what it costs; what could not be checked, and why",
    ),
    Binding(
        "escape", "cancel", "Cancel", show=False, id="models.cancel",
        tooltip="Take the marks away, else the filter, else cancel the load that is under way",
    ),
]  # fmt: skip

FILTER = [
    Binding("enter", "keep", "Keep", id="filter.keep", tooltip="Back to the list, which stays filtered"),
    Binding("down", "keep", "Down", show=False, id="filter.down", tooltip="From the filter to the list"),
    Binding("escape", "clear", "Show all", id="filter.clear", tooltip="Back to the whole list"),
]


def _movements(list_id: str, line: str, page: str) -> list[Binding]:
    """How one moves through a list; ``line`` and ``page`` name what it has."""

    def binding(key: str, action: str, description: str, name: str, tooltip: str) -> Binding:
        return Binding(key, action, description, show=False, id=f"{list_id}.{name}", tooltip=tooltip)

    return [
        binding("up,k", "cursor_up", "Up", "up", f"One {line} up"),
        binding("down,j", "cursor_down", "Down", "down", f"One {line} down"),
        binding("pageup", "page_up", "Page up", "page_up", f"One {page} up"),
        binding("pagedown", "page_down", "Page down", "page_down", f"One {page} down"),
        binding("home,g", "first", "First", "first", f"To the first {line}"),
        binding("end,G", "last", "Last", "last", f"To the last {line}"),
    ]


LIST = _movements("list", "model", "page of models")
LIST[4:4] = [
    Binding(
        "left", "fold", "Fold", show=False, id="list.fold",
        tooltip="Where there are several hosts: to the line of the model's host, then fold its models away",
    ),
    Binding(
        "right", "unfold", "Unfold", show=False, id="list.unfold", tooltip="Show the models of the host again"
    ),
]  # fmt: skip

DOWNLOADS = [
    Binding(
        "s", "pause", "Pause", id="downloads.pause",
        tooltip="Pause the download under the cursor, or go on with one that is paused",
    ),
    Binding(
        "x,delete", "cancel", "Cancel", id="downloads.cancel",
        tooltip="Give the download up; asks whether to keep what is there of it",
    ),
    Binding(
        "r", "retry", "Retry", id="downloads.retry",
        tooltip="Begin again what failed or was cancelled, where it was",
    ),
    Binding("p", "add", "Pull", id="downloads.add", tooltip="Pull a model by its name, or import a file"),
    Binding(
        "enter,space", "open", "Details", id="downloads.open",
        tooltip="The layers of the download, why it failed, and what happened",
    ),
    Binding(
        "X", "forget", "Clear history", id="downloads.forget",
        tooltip="Take what is over off the list; nothing is removed from the disk",
    ),
    Binding("escape", "back", "Back", show=False, id="downloads.back", tooltip="Back to the models"),
]  # fmt: skip

DOWNLOAD = [
    Binding("escape,q,enter", "close", "Back", id="download.close", tooltip="Back to the downloads"),
    *(
        Binding(
            each.key, each.action, each.description, show=each.show, tooltip=each.tooltip,
            id=f"download.{each.action}",
        )
        for each in DOWNLOADS
        if each.action in {"pause", "cancel", "retry"}
    ),
]  # fmt: skip

CATALOG = [
    Binding("enter", "open", "Open", id="catalog.open", tooltip="The variants of the model, and its tags"),
    Binding("p", "pull", "Pull", id="catalog.pull", tooltip="Download the model, after a question"),
    # Priority: else what is typed right after it is sent to the list, which still has the focus.
    Binding(
        "slash", "search", "Search", id="catalog.search", priority=True,
        tooltip="List only the models that have these words in name, family, use, licence or purpose",
    ),
    Binding(
        "f", "filter", "Use", id="catalog.use",
        tooltip="List only models for general use, code, reasoning, vision, embedding, or small ones",
    ),
    Binding(
        "o", "sort", "Sort", id="catalog.sort",
        tooltip="Sort by the next column; after the last one, what is recommended first",
    ),
    Binding("O", "reverse", "Reverse", show=False, id="catalog.reverse", tooltip="Turn the order around"),
    Binding(
        "escape", "back", "Back", show=False, id="catalog.back",
        tooltip="Show all models again; then back to the installed ones",
    ),
]  # fmt: skip

ENTRY = [
    Binding("enter,p", "pull", "Pull", id="entry.pull", tooltip="Download this variant, after a question"),
    Binding("r", "ask", "Ask again", id="entry.ask", tooltip="Ask the registry again now"),
    Binding("escape,q", "close", "Back", id="entry.close", tooltip="Back to the catalogue"),
]  # fmt: skip

DISK = [
    Binding(
        "x,delete", "clean", "Clean up", id="disk.clean",
        tooltip="Remove what no model uses, after a question that names it",
    ),
    Binding("r", "look", "Refresh", id="disk.look", tooltip="Look at the folder again now"),
    Binding("escape,q,D", "close", "Back", id="disk.close", tooltip="Close this"),
]  # fmt: skip

ACTIVITY = [
    Binding("enter", "open_line", "Open", id="activity.open", tooltip="All that is known of this line"),
    Binding("escape", "leave", "Back", id="activity.leave", tooltip="From the activity back to the models"),
]

ACTIVITY_SCREEN = [
    Binding(
        "f", "choose_activity", "Filter", id="activity.choose",
        tooltip="Show all, acts, other clients, or warnings and errors",
    ),
    Binding("escape,v", "close", "Back", show=False, id="activity.close", tooltip="Back to the models"),
]  # fmt: skip

UPDATES = [
    Binding(
        "u", "update", "Update", id="updates.update",
        tooltip="Fetch the newer version of the model; one that was changed here only after a question",
    ),
    Binding(
        "U", "update_all", "All", id="updates.update_all",
        tooltip="Fetch the newer versions of all models, after a question",
    ),
    Binding(
        "i", "leave", "Leave alone", id="updates.leave",
        tooltip="Do not offer this version any more; pressed again, offer it",
    ),
    Binding(
        "I", "leave_for_good", "For good", id="updates.leave_for_good",
        tooltip="Do not offer any version of this model any more; pressed again, offer them",
    ),
    Binding(
        "c", "check", "Check now", id="updates.check",
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

UPDATES_LIST = _movements("updates_list", "line", "page")

LINE = [
    Binding(
        "a",
        "again",
        "Start again",
        id="line.again",
        tooltip="Undo a stop of the guard: load the model again",
    ),
    Binding("escape,enter,q", "dismiss", "Back", id="line.close", tooltip="Back to the activity"),
]

APP = [
    Binding("1", "go('models')", "Models", show=False, id="app.models", tooltip="The installed models"),
    Binding(
        "2",
        "go('downloads')",
        "Downloads",
        show=False,
        id="app.downloads",
        tooltip="What is being pulled, what waits, and what came of it",
    ),
    Binding(
        "3",
        "go('catalog')",
        "Catalog",
        show=False,
        id="app.catalog",
        tooltip="Models worth having, what they take, and which of them fit here",
    ),
    Binding(
        "D",
        "disk",
        "Disk",
        show=False,
        id="app.disk",
        tooltip="What the built-in engine's models take on the disk, and a clean-up of what nothing uses",
    ),
    Binding(
        "question_mark,f1", "help", "Help", id=HELP, tooltip="What is on the screen, and what the keys do"
    ),
    Binding(
        "ctrl+p", "command_palette", "Commands", show=False, id=PALETTE, tooltip="Every command, by name"
    ),
    Binding("q", "quit", "Quit", id=QUIT, tooltip="Leave; no running request is cut"),
    Binding(
        "ctrl+z",
        "suspend_process",
        "Suspend",
        show=False,
        id="app.suspend",
        tooltip="Back to the shell; fg returns",
    ),
]

MODAL = [
    Binding("escape", "cancel", "Back", id="dialog.cancel", tooltip="Close this, and do nothing"),
]

DETAILS = [
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

# Keys for models that act on the one whose details are shown, too.
IN_DETAILS = [
    binding
    for binding in MODELS
    if binding.action in {"activate", "deactivate", "update", "pin", "restart", "copy_url", "copy_native_url"}
]

TEXT = [
    Binding("up,k", "scroll_up", "Up", show=False, id="text.up", tooltip="One line up"),
    Binding("down,j", "scroll_down", "Down", show=False, id="text.down", tooltip="One line down"),
    Binding("home,g", "scroll_home", "Top", show=False, id="text.top", tooltip="To the beginning"),
    Binding("end,G", "scroll_end", "End", show=False, id="text.end", tooltip="To the end"),
]  # fmt: skip

ASK = [
    Binding(
        "left,up", "app.focus_previous", "Before", show=False, id="ask.before", tooltip="The answer before"
    ),
    Binding("right,down", "app.focus_next", "Next", show=False, id="ask.next", tooltip="The next answer"),
    Binding("r", "answer('again')", "Try again", show=False, id="ask.again", tooltip="Try again"),
    Binding("q", "answer('quit')", "Quit", show=False, id="ask.quit", tooltip="Leave"),
]

READING = [
    Binding("escape,q,question_mark", "dismiss", "Back", id="help.close", tooltip="Close the help"),
]

# What is pressed where, for the help.
CONTEXTS = {
    "Keys for models": MODELS,
    "Keys of the list": LIST,
    "Keys while a filter is typed": FILTER,
    "Keys of the activity": ACTIVITY,
    "Keys on the screen of the activity": ACTIVITY_SCREEN,
    "Keys in one line of the activity": LINE,
    "Keys on the screen of updates": UPDATES,
    "Keys of its list": UPDATES_LIST,
    "Keys of the downloads": DOWNLOADS,
    "Keys in one download": DOWNLOAD,
    "Keys of the catalogue": CATALOG,
    "Keys in one entry of the catalogue": ENTRY,
    "Keys of the disk": DISK,
    "Keys everywhere": APP,
    "Keys in the details": DETAILS,
    "Keys of the details' text": TEXT,
    "Keys in dialogs": MODAL,
    "Keys in questions": ASK,
    "Keys in this help": READING,
}
ALL = tuple(binding for bindings in CONTEXTS.values() for binding in bindings)
