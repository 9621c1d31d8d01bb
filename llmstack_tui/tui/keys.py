"""The keys that several screens have, or all of them; those of a feature are in its folder.

Each has an id under which the settings can give it another key. The order is that of the key bar; what does
not fit there is found under ``?`` and in the palette.
"""

from __future__ import annotations

from textual.binding import Binding

HELP, QUIT, PALETTE = "app.help", "app.quit", "app.palette"

APP = [
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

# What is done to a model from the list as well as from its details, where the order is another one.
ON_MODEL = {
    "activate": Binding(
        "a", "act_on('models.activate')", "Activate", id="models.activate",
        tooltip="Load the model into memory, ready to answer",
    ),
    "deactivate": Binding(
        "d", "act_on('models.deactivate')", "Deactivate", id="models.deactivate",
        tooltip="Take the model out of memory when its running request has ended; cancels a load",
    ),
    "update": Binding(
        "u", "act_on('updates.update')", "Update", id="models.update",
        tooltip="Fetch the newer version of the model; one that was changed here only after a question",
    ),
    "copy_url": Binding(
        "y", "act_on('models.copy_url')", "Copy URL", id="models.copy_url",
        tooltip="Copy the address for OpenAI clients",
    ),
    "copy_native_url": Binding(
        "Y", "act_on('models.copy_native_url')", "Copy Ollama URL", show=False, id="models.copy_native_url",
        tooltip="Copy the address for Ollama clients",
    ),
    "restart": Binding(
        "R", "act_on('models.restart')", "Restart", show=False, id="models.restart",
        tooltip="Take the model out of memory and load it again as it was; no request is cut",
    ),
    "pin": Binding(
        "P", "act_on('guard.pin')", "Pin", show=False, id="models.pin",
        tooltip="Load the model for good: the guard never stops it; pressed again, it is like the others",
    ),
}  # fmt: skip

FILTER = [
    Binding("enter", "keep", "Keep", id="filter.keep", tooltip="Back to the list, which stays filtered"),
    Binding("down", "keep", "Down", show=False, id="filter.down", tooltip="From the filter to the list"),
    Binding("escape", "clear", "Show all", id="filter.clear", tooltip="Back to the whole list"),
]


def movements(list_id: str, line: str, page: str) -> list[Binding]:
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


LIST = movements("list", "model", "page of models")
LIST[4:4] = [
    Binding(
        "left", "fold", "Fold", show=False, id="list.fold",
        tooltip="Where there are several hosts: to the line of the model's host, then fold its models away",
    ),
    Binding(
        "right", "unfold", "Unfold", show=False, id="list.unfold", tooltip="Show the models of the host again"
    ),
]  # fmt: skip

MODAL = [
    Binding("escape", "cancel", "Back", id="dialog.cancel", tooltip="Close this, and do nothing"),
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

# What is pressed where, for the help, after the keys of the features.
CONTEXTS = {
    "Keys in dialogs": MODAL,
    "Keys in questions": ASK,
    "Keys in this help": READING,
}
